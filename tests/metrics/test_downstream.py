import numpy as np
import pytest
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import KFold

from soberlook.metrics import downstream_gbt, downstream_lr
from soberlook.metrics.downstream import (
    predict_by_logistic_regression,
    predict_by_trees,
    score_few_labels,
)

BOTH = pytest.mark.parametrize("metric", [downstream_gbt, downstream_lr])
PREDICTORS = pytest.mark.parametrize("predict", [predict_by_trees, predict_by_logistic_regression])


def draw(sizes, points, seed=0):
    """Factors [points, f] with so many values each."""
    return np.random.default_rng(seed).integers(sizes, size=(points, len(sizes)))


def test_reference_accuracy_of_trees(reference):
    if reference.name != "rotated5":
        pytest.skip("one is enough, the trees have tests of their own")
    codes, factors, test_codes, test_factors = reference.dci_split
    accuracy = np.mean(predict_by_trees(codes, factors, test_codes) == test_factors)
    assert accuracy == pytest.approx(reference.scores["dci_informativeness_1000"], abs=0.01)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_logistic_regression_is_the_studys(reference):
    if reference.name != "rotated5":
        pytest.skip("codes whose values are best told with a weak penalty")
    codes, factors, test_codes, _ = reference.dci_split
    codes, factors = codes[:500], factors[:500, :2]
    ours = predict_by_logistic_regression(codes, factors, test_codes)
    for said, factor in zip(ours.T, factors.T, strict=True):
        peer = LogisticRegressionCV(Cs=10, cv=KFold(5), scoring="accuracy").fit(codes, factor)
        assert np.mean(said == peer.predict(test_codes)) >= 0.99


def test_numbers_are_made_of_accuracies():
    """A predictor that is right about known shares: the first factor's twice the second's."""
    share = {10: 0.1, 100: 0.2, 1_000: 0.3, 10_000: 0.4}
    factors, test_factors = draw((2, 2), 10_000), draw((2, 2), 100, seed=1)
    seen = []

    def predict(codes, own, others):
        np.testing.assert_array_equal(own, factors[codes[:, 0]])
        seen.append((len(codes), codes[0, 0]))
        right = len(others) * share[len(codes)] * np.array([2, 1])
        return np.where(np.arange(len(others))[:, None] < right, test_factors, 1 - test_factors)

    points, others = np.arange(10_000)[:, None], np.arange(100)[:, None]
    found = score_few_labels("x", predict, points, factors, others, test_factors)
    assert found == pytest.approx(
        {f"x_accuracy_{labels}": 1.5 * s for labels, s in share.items()}
        | {f"x_min_accuracy_{labels}": s for labels, s in share.items()}
        | {"x_efficiency_100": 0.5, "x_efficiency_1000": 0.75}
    )
    tens, hundreds = [(10, 10 * i) for i in range(5)], [(100, 100 * i) for i in range(5)]
    assert seen == [*tens, *hundreds, (1_000, 0), (10_000, 0)]


def test_the_least_factor_is_that_of_each_set():
    """Two sets, each of which misses another factor."""
    factors = np.array([[0, 0], [1, 1]] * 10)

    def predict(codes, own, others):
        return np.array([[0, 1]]) if codes[0, 0] == 0 else np.array([[1, 0]])

    test = np.array([[99]]), np.array([[0, 0]])
    checked = score_few_labels("x", predict, np.arange(20)[:, None], factors, *test)
    assert checked == {"x_accuracy_10": 0.5, "x_min_accuracy_10": 0.0}


def test_nothing_right_with_the_most_labels_is_no_efficiency():
    factors = np.arange(10_000)[:, None] % 2

    def predict(codes, own, others):
        return np.full((len(others), 1), 2)

    found = score_few_labels("x", predict, factors, factors, factors, factors)
    assert set(found.values()) == {0.0}


@BOTH
def test_perfect_codes_and_codes_that_know_nothing(metric):
    factors, test_factors = draw((2, 3), 200), draw((2, 3), 2_000, seed=1)
    codes, test_codes = (np.stack([-f[:, 1], 5 * f[:, 0]], axis=1) for f in (factors, test_factors))
    name = metric.__name__
    perfect = metric(codes, factors, test_codes, test_factors, sets=1)
    assert perfect[f"{name}_accuracy_100"] == perfect[f"{name}_min_accuracy_100"] == 1
    assert 0.55 < perfect[f"{name}_accuracy_10"] <= 1
    rng = np.random.default_rng(0)  # the negative control: codes of nothing
    others, test_others = (
        rng.permutation(c + 0.3 * rng.random(c.shape)) for c in (codes, test_codes)
    )
    nothing = metric(others, factors, test_others, test_factors, sets=1)
    for labels in (10, 100):
        assert nothing[f"{name}_accuracy_{labels}"] == pytest.approx(5 / 12, abs=0.04)
        assert nothing[f"{name}_min_accuracy_{labels}"] == pytest.approx(1 / 3, abs=0.04)


def test_efficiency_of_perfect_codes_and_of_codes_that_know_nothing():
    factors, test_factors = draw((2, 3), 10_000), draw((2, 3), 2_000, seed=1)
    perfect = downstream_gbt(factors, factors, test_factors, test_factors)
    assert perfect["downstream_gbt_efficiency_100"] == 1
    assert perfect["downstream_gbt_efficiency_1000"] == 1
    rng = np.random.default_rng(0)
    others, test_others = (rng.standard_normal(f.shape) for f in (factors, test_factors))
    nothing = downstream_gbt(others, factors, test_others, test_factors)
    assert nothing["downstream_gbt_accuracy_10000"] == pytest.approx(5 / 12, abs=0.03)
    assert nothing["downstream_gbt_efficiency_100"] == pytest.approx(1, abs=0.08)


@PREDICTORS
def test_values_without_a_label_are_never_predicted(predict):
    factors = np.array([[0, 7, 4]] * 4 + [[3, 7, 4]] * 4 + [[9, 7, 5]] + [[3, 7, 4]])
    codes = np.vstack([factors[:, :1], [[20]]]).astype(float)
    said = predict(codes[:-1], factors, codes)
    assert set(said[:, 0]) <= {0, 3, 9} and set(said[:, 2]) <= {4, 5}
    assert (said[:, 1] == 7).all()  # one value drawn
    assert (predict(codes[:-1], factors[:, [1]], codes) == 7).all()


@PREDICTORS
def test_ten_labels_of_forty_values(predict):
    factors, test_factors = draw((40,), 10), draw((40,), 4_000, seed=1)
    said = predict(factors.astype(float), factors, test_factors.astype(float))
    assert np.isin(said, factors).all()
    assert np.mean(said == test_factors) <= 11 / 40


@BOTH
def test_constant_codes_and_a_single_code(metric):
    factors, test_factors = draw((2, 3), 100), draw((2, 3), 500, seed=1)
    commonest = [
        np.mean(b == np.bincount(a).argmax())
        for a, b in zip(factors.T, test_factors.T, strict=True)
    ]
    constant = metric(np.ones((100, 1)), factors, np.ones((500, 1)), test_factors, sets=1)
    assert constant[f"{metric.__name__}_accuracy_100"] == pytest.approx(np.mean(commonest))
    assert constant[f"{metric.__name__}_min_accuracy_100"] == pytest.approx(min(commonest))


def test_sizes_beyond_the_points_are_left_out():
    factors = draw((2, 3), 150)
    found = score_few_labels("x", lambda codes, own, others: others, *[factors] * 4)
    kinds = ("accuracy", "min_accuracy")
    assert found == {f"x_{kind}_{labels}": 1 for kind in kinds for labels in (10, 100)}


@BOTH
def test_the_metrics_check_their_arrays(metric):
    factors = draw((2, 3), 50)
    codes = factors.astype(float)
    with pytest.raises(ValueError, match="test codes must be finite.* column 1"):
        metric(codes, factors, np.where([False, True], np.nan, codes), factors)
    with pytest.raises(ValueError, match="codes must be 10 samples at least, found 9"):
        metric(codes[:9], factors[:9], codes, factors)
