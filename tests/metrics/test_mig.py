import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from soberlook.metrics import mig
from soberlook.metrics.information import discretize, entropy, mutual_information
from soberlook.metrics.metric import check_codes_and_factors, check_split


def test_reference_scores(reference):
    codes, factors, *_ = reference.split
    assert mig(codes, factors)["mig"] == pytest.approx(reference.scores["mig"], abs=1e-6)
    information = mutual_information(discretize(codes, 20), factors)
    np.testing.assert_allclose(information, reference.arrays["mutual_information"], atol=1e-6)


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


def test_bins_of_a_range_with_fewer_numbers_than_bins():
    one = np.float32(1)
    code = np.array([[one], [np.nextafter(one, 2 * one)], [one]])
    assert discretize(code, 20)[:, 0].tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.full((4, 2), np.nan), np.eye(4, dtype=int), "codes must be finite.* column 0"),
        (np.array([[0, 1], [0, np.inf]]), np.eye(2, dtype=int), "codes must be finite.* column 1"),
        (np.eye(4), np.eye(3, dtype=int), "must be as long, found 4 and 3"),
        (np.eye(2), np.array([[0], [0]]), "factors must vary, found one value in column 0"),
        (np.eye(1), np.array([[0]]), "must be two samples at least, found one"),
        (np.eye(2), np.eye(2), "factors must be whole numbers, found float64"),
        (np.eye(3), np.arange(3)[:, None], "fewer classes than samples, found 3 classes of 3"),
        (np.array([["a"], ["b"]]), np.array([[0], [1]]), "codes must be real numbers, found <U1"),
        (np.zeros((0, 3)), np.zeros((0, 1), int), r"codes must be a table .* found shape \(0, 3\)"),
    ],
)
def test_bad_arrays_are_named(codes, factors, message):
    with pytest.raises(ValueError, match=message):
        check_codes_and_factors(codes, factors)


def test_both_halves_of_a_split_are_checked():
    good, bad = (np.eye(3), np.eye(3, dtype=int)), (np.full((3, 3), np.inf), np.eye(3, dtype=int))
    assert len(check_split(*good, *good)) == 4
    with pytest.raises(ValueError, match="^codes must be finite"):
        check_split(*bad, *good)
    with pytest.raises(ValueError, match="^test codes must be finite"):
        check_split(*good, *bad)
    with pytest.raises(ValueError, match="codes and test codes must have as many.* 3 and 2"):
        check_split(*good, good[0][:, :2], good[1])
    with pytest.raises(ValueError, match="factors and test factors must have as many.* 3 and 2"):
        check_split(*good, good[0], good[1][:, :2])


def test_the_metric_checks_its_arrays():
    with pytest.raises(ValueError, match="codes must be finite"):
        mig(np.full((4, 2), np.nan), np.eye(4, dtype=int))
