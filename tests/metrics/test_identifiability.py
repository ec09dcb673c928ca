from itertools import permutations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from soberlook.metrics import METRICS, block_r2, linear_r2, mcc, nonlinear_r2
from soberlook.metrics.correlation import pearson, spearman
from soberlook.metrics.identifiability import assigned, r2_of_blocks
from soberlook.metrics.kernel_ridge import PENALTIES, WIDTHS, kernel_ridge
from soberlook.metrics.metric import check_split

R2 = (linear_r2, nonlinear_r2, block_r2)


@pytest.fixture
def sources():
    """factors [300, 3] real numbers, and as many to test on."""
    return np.random.default_rng(0).uniform(-1, 1, (2, 300, 3))


def value(metric, codes_of, sources):
    """The R² of codes_of(factors) on both halves."""
    train, test = sources
    (found,) = metric(codes_of(train), train, codes_of(test), test).values()
    return found


def rotated(factors):
    """By 45° in the first two: correlations of √½."""
    a, b, c = factors.T
    return np.stack([a + b, a - b, c], axis=1)


def dead(factors):
    return np.hstack([factors, np.full((len(factors), 2), 0.1)])


def twice(factors):
    return np.hstack([factors, factors])


def curved(factors):
    return np.stack([factors[:, 0] ** 3, np.exp(2 * factors[:, 1]), np.tan(factors[:, 2])], axis=1)


def squared(factors):
    return factors**2


def noise(factors):
    return np.random.default_rng(int(1e6 * abs(factors[0, 0]))).standard_normal(factors.shape)


def test_correlations_are_those_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, (2, 50, 3)), rng.standard_normal((50, 2))
    for found, of_pair in ((pearson(a, b), pearsonr), (spearman(a, b), spearmanr)):
        expected = [[[of_pair(x, y)[0] for y in b.T] for x in run.T] for run in a]
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_correlations_of_extreme_and_constant_columns():
    a = np.arange(6.0)[:, None]
    columns = np.hstack([1e200 * a, 1e-200 * a, np.full((6, 1), 0.1), -a])
    np.testing.assert_allclose(pearson(columns, a)[:, 0], [1, 1, 0, -1], atol=1e-12)
    np.testing.assert_allclose(spearman(columns, a)[:, 0], [1, 1, 0, -1], atol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("of", [pearson, spearman])
def test_a_column_that_is_not_finite_is_not_a_constant_one(of, bad):
    codes = np.random.default_rng(0).standard_normal((50, 3))
    expected = of(codes, codes)
    codes[4, 1] = bad
    with np.errstate(invalid="ignore"):
        found = of(codes, codes)
    if of is pearson or np.isnan(bad):  # infinity has a rank
        assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all()
    others = np.ix_([0, 2], [0, 2])
    np.testing.assert_allclose(found[others], expected[others])


def test_mcc_of_known_codes():
    factors = np.indices((4, 5, 6)).reshape(3, -1).T  # without correlation
    perfect = pytest.approx({"mcc_pearson": 1, "mcc_spearman": 1})
    for codes in (factors, -2.0 * factors[:, [2, 0, 1]] + 1, twice(factors), dead(factors)):
        assert mcc(codes, factors) == perfect
    z = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    assert mcc(rotated(z), factors)["mcc_pearson"] == pytest.approx((np.sqrt(2) + 1) / 3)
    assert mcc(factors[:, :1], factors) == pytest.approx({"mcc_pearson": 1 / 3,
                                                          "mcc_spearman": 1 / 3})  # fmt: skip
    assert mcc(np.zeros((120, 3)), factors) == {"mcc_pearson": 0, "mcc_spearman": 0}
    monotone = mcc(np.exp(factors), factors)
    assert monotone["mcc_spearman"] == pytest.approx(1) and monotone["mcc_pearson"] < 0.9


def test_one_code_counts_for_one_factor(sources):
    both = np.stack([sources[0, :, 0] + 0.9 * sources[0, :, 1], 0.01 * sources[0, :, 1]], axis=1)
    found = np.abs(pearson(both, sources[0]))
    assert found[0].argmax() == 0 and found[1, 1] > found[0, 1]
    expected = (found[0, 0] + found[1, 1]) / 3
    assert mcc(both, sources[0])["mcc_pearson"] == pytest.approx(expected)


def test_mcc_of_noise_is_that_of_chance():
    rng = np.random.default_rng(0)
    factors, codes = rng.standard_normal((10_000, 5)), rng.standard_normal((10_000, 10))
    assert all(0.005 < score < 0.03 for score in mcc(codes, factors).values())
    order = rng.permutation(10_000)
    assert mcc(factors[order], factors)["mcc_pearson"] < 0.03


def test_mcc_of_runs_is_that_of_each_alone(sources):
    codes = np.random.default_rng(0).standard_normal((2, 3, 300, 4))
    codes[..., :3] += sources[0]
    codes[1, 2] = 0
    together = mcc(codes, sources[0])
    for run in np.ndindex(2, 3):
        alone = mcc(codes[run], sources[0])
        assert {k: float(v[run]) for k, v in together.items()} == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (3, 3), (1, 3)])
def test_assignment_is_the_best_of_all(shape):
    scores = np.random.default_rng(0).random(shape)
    rows, columns = shape
    if rows >= columns:
        all_sums = [
            scores[list(p), range(columns)].sum() for p in permutations(range(rows), columns)
        ]
    else:
        all_sums = [scores[range(rows), list(p)].sum() for p in permutations(range(columns), rows)]
    assert assigned(scores) == pytest.approx(max(all_sums) / columns)


@pytest.mark.parametrize(
    ("codes_of", "linear", "nonlinear", "block"),
    [
        (lambda v: v, 1, 1, 1),
        (lambda v: 1e-3 * v[:, [2, 0, 1]] + 5, 1, 1, 1),
        (dead, 1, 1, 1),
        (twice, 1, 1, 1),
        (rotated, 1, 1, (1 / 2 + 1 / 2 + 1) / 3),  # uniform: E[v_1 | v_1 + v_2] is linear
        (lambda v: v[:, :1], 1 / 3, 1 / 3, 1 / 3),
        (curved, (0.85, 0.97), 1, 1),
        (squared, 0, 0, 0),  # the sign is lost
        (noise, 0, 0, 0),
        (lambda v: np.zeros_like(v), 0, 0, 0),
    ],
)
def test_r2_of_known_codes(codes_of, linear, nonlinear, block, sources):
    for metric, expected in zip(R2, (linear, nonlinear, block), strict=True):
        low, high = expected if isinstance(expected, tuple) else (expected - 0.04, expected + 0.04)
        assert low <= value(metric, codes_of, sources) <= high, metric.__name__
    if linear == 1:
        assert value(linear_r2, codes_of, sources) == pytest.approx(1, abs=1e-9)


def test_mcc_falls_where_linear_r2_stays(sources):
    for found in mcc(rotated(sources[0]), sources[0]).values():
        assert found == pytest.approx((np.sqrt(2) + 1) / 3, abs=0.03)
    assert value(linear_r2, rotated, sources) == pytest.approx(1)


def test_linear_r2_is_that_of_scikit_learn(reference):
    codes, factors, test_codes, test_factors = reference.dci_split
    codes, test_codes = codes.astype(np.float64), test_codes.astype(np.float64)
    predicted = LinearRegression().fit(codes, factors).predict(test_codes)
    expected = np.maximum(0, r2_score(test_factors, predicted, multioutput="raw_values")).mean()
    found = linear_r2(codes, factors, test_codes, test_factors)["linear_r2"]
    assert found == pytest.approx(expected, abs=1e-9)
    share = {"random10": (0, 0.01), "noisy10": (0.9, 0.93), "tanhmix10": (0.94, 0.97)}
    low, high = share.get(reference.name, (1 - 1e-9, 1 + 1e-9))
    assert low <= found <= high


def test_mcc_of_the_reference_codes(reference):
    codes, factors, *_ = reference.split
    shares = {
        "random10": (0, 0.02),
        "noisy10": (0.955, 0.961),  # 1 / √1.09 = .958
        "rotated5": (0.78, 0.81),
        "tanhmix10": (0.78, 0.82),
    }
    low, high = shares.get(reference.name, (1 - 1e-9, 1 + 1e-9))
    found = mcc(codes, factors)
    assert low <= found["mcc_pearson"] <= high and low <= found["mcc_spearman"] <= high


def test_a_regression_worse_than_the_mean_counts_as_0():
    codes, other = np.array([[0.0], [1], [2]]), np.array([[2.0], [1], [0]])
    assert linear_r2(codes, codes, codes, other) == {"linear_r2": 0}
    pair = np.hstack([codes, codes]), np.hstack([codes, other])
    assert linear_r2(codes, pair[0], codes, pair[1])["linear_r2"] == pytest.approx(1 / 2)


def test_kernel_ridge_is_that_of_scikit_learn_with_the_best_of_its_settings():
    rng = np.random.default_rng(0)
    x, others = rng.standard_normal((2, 40, 2))
    y = np.sin(2 * x) + 0.1 * rng.standard_normal((40, 2))
    z, z_others = ((table - x.mean(axis=0)) / x.std(axis=0) for table in (x, others))
    level, unit = y.mean(axis=0), y.std(axis=0)
    target, all_but = (y - level) / unit, ~np.eye(40, dtype=bool)
    errors, predictions = [], []
    for gamma in WIDTHS:
        for alpha in PENALTIES:
            model = KernelRidge(alpha=alpha, kernel="rbf", gamma=gamma)
            left_out = [model.fit(z[a], target[a]).predict(z[~a])[0] for a in all_but]
            errors.append(((left_out - target) ** 2).sum(axis=0))
            predictions.append(model.fit(z, target).predict(z_others))
    best = np.argmin(errors, axis=0)
    expected = np.stack([predictions[i][:, j] for j, i in enumerate(best)], axis=1)
    np.testing.assert_allclose(kernel_ridge(x, y, others), level + unit * expected, atol=1e-9)


def test_content_and_style(sources):
    """Two codes are a mixture of two factors, content; a third is style that content knows of."""

    def codes_of(factors):
        a, b, style = factors.T
        return np.stack([style, np.tanh(a + b), a - b + 0.1 * a**3], axis=1)

    train, test = sources
    split = codes_of(train), train, codes_of(test), test
    blocks = {"code_blocks": [[0], [1, 2]], "factor_blocks": [[0, 1], [2]]}
    assert block_r2(*split, **blocks)["block_r2"] > 0.97
    matrix = r2_of_blocks(*split, *blocks.values())
    np.testing.assert_allclose(matrix, [[0, 1], [1, 0]], atol=0.03)
    assert block_r2(*split)["block_r2"] < 0.8
    alone = block_r2(*split, code_blocks=[[1, 2]], factor_blocks=[[0, 1], [2]])["block_r2"]
    assert alone == pytest.approx(1 / 2, abs=0.02)  # a block that is left without counts as 0


@pytest.mark.parametrize("blocks", [[[0], []], [[0], [3]], [[-1]], []])
def test_blocks_are_checked(blocks, sources):
    split = sources[0], sources[0], sources[1], sources[1]
    for name in ("code_blocks", "factor_blocks"):
        with pytest.raises(ValueError, match=f"{name} must be lists of columns below 3"):
            block_r2(*split, **{name: blocks})


def test_sizes_are_in_the_names():
    for name in ("nonlinear_r2", "block_r2"):
        assert METRICS[name].suffix == f"_{METRICS[name].points}"


@pytest.mark.parametrize("metric", R2)
def test_both_halves_are_checked(metric, sources):
    train, test = sources
    nan = np.where(np.arange(3) == 1, np.nan, train)
    with pytest.raises(ValueError, match="^codes must be finite.* column 1"):
        metric(nan, train, test, test)
    with pytest.raises(ValueError, match="^test codes must be finite.* column 1"):
        metric(train, train, nan, test)
    with pytest.raises(ValueError, match="^test factors must vary, found one value in column 0"):
        metric(train, train, test, test * [0, 1, 1])


def test_mcc_checks_its_arrays(sources):
    with pytest.raises(ValueError, match="factors must be finite"):
        mcc(sources[0], np.full((300, 2), np.inf))


def test_shapes_of_a_split_are_checked(sources):
    train, test = sources
    with pytest.raises(
        ValueError, match="^test codes and factors must be as long, found 300 and 9"
    ):
        check_split(train, train, test, test[:9], whole=False)
    with pytest.raises(ValueError, match="codes and test codes must have as many.* 3 and 2"):
        check_split(train, train, test[:, :2], test, whole=False)
    with pytest.raises(ValueError, match="factors and test factors must have as many.* 3 and 2"):
        check_split(train, train, test, test[:, :2], whole=False)
