import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif

from soberlook.metrics.knn_information import knn_information


def points(rng, n):
    """codes [n, 3] of which the last knows nothing, factors [n, 2] with 2 and 4 values."""
    factors = rng.integers([2, 4], size=(n, 2))
    codes = rng.standard_normal((n, 3))
    codes[:, :2] += factors @ [[1, 0.5], [0, 1]]
    return codes, factors


def by_all_pairs(code, factor, k):
    total = 0.0
    for i, value in enumerate(factor):
        distance = np.abs(code - code[i])
        own = np.sort(distance[factor == value])
        nearest = min(k, len(own) - 1)
        total += digamma(nearest) - digamma(len(own)) - digamma((distance < own[nearest]).sum())
    return max(0, digamma(len(code)) + total / len(code))


@pytest.mark.parametrize("neighbors", [1, 3, 10, 1_000])
def test_it_is_the_definition(neighbors):
    codes, factors = points(np.random.default_rng(0), 200)
    expected = [[by_all_pairs(c, f, neighbors) for f in factors.T] for c in codes.T]
    np.testing.assert_allclose(
        knn_information(codes, factors, neighbors=neighbors), expected, atol=1e-12
    )


@pytest.mark.parametrize("neighbors", [1, 3, 10])
def test_it_is_that_of_scikit_learn(neighbors):
    codes, factors = points(np.random.default_rng(1), 2_000)
    expected = [mutual_info_classif(codes, f, n_neighbors=neighbors) for f in factors.T]
    found = knn_information(codes, factors, neighbors=neighbors)
    np.testing.assert_allclose(found.T, expected, atol=1e-9)


def test_it_is_near_the_truth():
    """Uniform codes that overlap by half: I = log 2 / 2."""
    rng = np.random.default_rng(0)
    factors = rng.integers(2, size=(20_000, 1))
    codes = rng.random((20_000, 2)) + factors * [0.5, 0]
    found = knn_information(codes, factors)
    assert found[0, 0] == pytest.approx(np.log(2) / 2, abs=0.01)
    assert found[1, 0] < 0.01


def test_codes_that_tie_know_what_they_know():
    factors = np.random.default_rng(0).integers([4, 5], size=(2_000, 2))
    information = knn_information(factors.astype(np.float32), factors)
    np.testing.assert_allclose(np.diag(information), np.log([4, 5]), atol=0.01)
    assert information[0, 1] < 0.02 and information[1, 0] < 0.02
    halved = knn_information(factors // [2, 5], factors)
    assert halved[0, 0] == pytest.approx(np.log(2), abs=0.01)
    assert (halved[1] == 0).all()  # constant


def test_points_alone_in_their_class_are_left_out():
    codes, factors = points(np.random.default_rng(2), 300)
    with_one = knn_information(np.vstack([codes, codes[:1]]), np.vstack([factors, [[7, 8]]]))
    np.testing.assert_allclose(with_one, knn_information(codes, factors), atol=1e-9)
    with pytest.raises(ValueError, match="must repeat a value, found all different in column 1"):
        knn_information(np.eye(4), np.stack([[0, 0, 1, 1], [0, 1, 2, 3]], axis=1))


def test_global_random_state_is_neither_read_nor_changed():
    codes, factors = np.eye(6)[:, :2], np.arange(6)[:, None] % 2
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = knn_information(codes, factors)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.random.seed(1)
    np.testing.assert_array_equal(knn_information(codes, factors), first)
