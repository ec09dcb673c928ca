"""Neighbours of codes on a grid, against scikit-learn and known errors."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from soberlook.metrics import Representation, knn_error


def run(codes, sizes, nuisance=()):
    zeros = np.zeros(codes.shape)
    return Representation(codes, zeros, zeros[:, 0], sizes, nuisance_sizes=nuisance)


def found(*run_of, **options):
    return knn_error(run(*run_of), np.random.default_rng(0), **options)


def test_classes_far_apart_and_codes_that_know_nothing():
    """Ten classes of 60 images each."""
    rng = np.random.default_rng(1)
    digit = np.repeat(np.arange(10), 60)
    noise = rng.standard_normal((600, 3))
    apart = noise + 100 * digit[:, None]
    assert found(apart, (10,), (60,)) == {f"knn_error_{k}": 0 for k in (3, 5, 10)}
    for value in found(noise, (10,), (60,)).values():
        assert value == pytest.approx(0.9, abs=4 * 0.3 / np.sqrt(200))


def test_each_factor_has_its_error():
    """Codes that know the first factor alone: the second is at its chance."""
    first, second = (column.ravel() for column in np.indices((4, 150)) % np.array([[[4]], [[5]]]))
    rng = np.random.default_rng(1)
    codes = 100 * first[:, None] + rng.standard_normal((600, 2))
    order = np.lexsort((np.arange(600), second, first))
    numbers = found(codes[order], (4, 5), (30,))
    for k in (3, 5, 10):
        assert numbers[f"knn_error_{k}_factor_0"] == 0
        assert numbers[f"knn_error_{k}_factor_1"] == pytest.approx(0.8, abs=4 * 0.4 / np.sqrt(200))
        assert numbers[f"knn_error_{k}"] == pytest.approx(numbers[f"knn_error_{k}_factor_1"] / 2)


def test_as_scikit_learn_has_it():
    rng = np.random.default_rng(2)
    codes = rng.standard_normal((300, 4)) + np.repeat(np.arange(3), 100)[:, None]
    order = np.random.default_rng(0).permutation(300)
    train, test, labels = order[:200], order[200:], np.repeat(np.arange(3), 100)
    for k in (3, 5, 10):
        fitted = KNeighborsClassifier(k).fit(codes[train], labels[train])
        expected = 1 - fitted.score(codes[test], labels[test])
        assert found(codes, (3,), (100,))[f"knn_error_{k}"] == pytest.approx(expected)
        assert 0.05 < expected < 0.6


def test_bad_input():
    with pytest.raises(ValueError, match="cells must be 10 at least, found 8 to compare"):
        found(np.zeros((12, 2)), (3, 4))
    with pytest.raises(ValueError, match="codes must be finite"):
        found(np.full((60, 2), np.nan), (6, 10))
