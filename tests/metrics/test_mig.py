import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from soberlook.metrics import mig
from soberlook.metrics.information import discretize, entropy, mutual_information
from soberlook.metrics.metric import check_codes_and_factors


def test_reference_scores(reference):
    name, codes, factors, scores, recorded = reference
    assert mig(codes, factors)["mig"] == pytest.approx(scores["mig"], abs=1e-6)
    information = mutual_information(discretize(codes, 20), factors)
    np.testing.assert_allclose(information, recorded["mutual_information"], atol=1e-6)


@pytest.fixture
def grid():
    """factors [600, 3] with 4, 5 and 6 values, each combination five times."""
    return np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))


def test_known_answers(grid):
    codes = grid.astype(float)
    assert mig(codes, grid)["mig"] == pytest.approx(1)
    assert mig(np.zeros((600, 4)), grid)["mig"] == 0
    duplicated = np.hstack([codes, codes])
    assert mig(duplicated, grid)["mig"] == pytest.approx(0)
    missed = codes[:, :2]  # the third factor is in no code
    assert mig(missed, grid)["mig"] == pytest.approx(2 / 3)
    one_code = codes[:, :1]  # a second best of nothing
    assert mig(one_code, grid)["mig"] == pytest.approx(1 / 3)
    # One code for two factors: I = H of either, the gap to the other codes is whole.
    both = np.stack([codes[:, 0] + 4 * codes[:, 1], codes[:, 2]], axis=1)
    assert mig(both, grid)["mig"] == pytest.approx(1)


def test_properties(grid):
    rng = np.random.default_rng(0)
    codes = grid @ rng.standard_normal((3, 5)) + 0.3 * rng.standard_normal((600, 5))
    score = mig(codes, grid)["mig"]
    assert 0 < score < 1
    order = rng.permutation(600)
    assert mig(codes[order], grid[order])["mig"] == pytest.approx(score, abs=1e-12)
    assert mig(codes[:, ::-1].copy(), grid)["mig"] == pytest.approx(score, abs=1e-12)
    assert mig(1000 * codes + 7, grid)["mig"] == pytest.approx(score, abs=1e-9)
    assert mig(np.hstack([codes, np.full((600, 2), 3.0)]), grid)["mig"] == pytest.approx(score)
    assert mig(codes, 3 * grid + 1)["mig"] == pytest.approx(score, abs=1e-12)
    shuffled = mig(codes[order], grid)["mig"]
    assert shuffled < 0.05 < score  # the negative control: codes of other cells


def test_information_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    a, b = rng.integers(-3, 9, (500, 3)), rng.integers(0, 4, (500, 2))
    b[:, 1] = a[:, 2] // 2
    expected = [[mutual_info_score(u, v) for v in b.T] for u in a.T]
    np.testing.assert_allclose(mutual_information(a, b), expected, atol=1e-12)
    own = [mutual_info_score(u, u) for u in a.T]
    np.testing.assert_allclose(entropy(a), own, atol=1e-12)


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.full((4, 2), np.nan), np.eye(4, dtype=int), "codes must be finite.* column 0"),
        (np.array([[0, 1], [0, np.inf]]), np.eye(2, dtype=int), "codes must be finite.* column 1"),
        (np.eye(4), np.eye(3, dtype=int), "must be as long, found 4 and 3"),
        (np.eye(2), np.array([[0], [0]]), "factors must vary, found one value in column 0"),
        (np.eye(1), np.array([[0]]), "factors must vary"),
        (np.eye(2), np.eye(2), "factors must be whole numbers, found float64"),
        (np.array([["a"], ["b"]]), np.array([[0], [1]]), "codes must be real numbers, found <U1"),
        (np.zeros((0, 3)), np.zeros((0, 1), int), r"codes must be a table .* found shape \(0, 3\)"),
    ],
)
def test_bad_arrays_are_named(codes, factors, message):
    with pytest.raises(ValueError, match=message):
        check_codes_and_factors(codes, factors)


def test_the_metric_checks_its_arrays():
    with pytest.raises(ValueError, match="codes must be finite"):
        mig(np.full((4, 2), np.nan), np.eye(4, dtype=int))
