"""Classes on a tree, and codes that are or are not like it."""

import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import ClassTree
from soberlook.metrics import Representation, Trained, class_geometry

TREE = ClassTree()
DATA = TREE.load()
CLASS = np.arange(TREE.size) // 256


def found(codes, data=DATA, sizes=(16,), nuisances=(256,), **settings):
    nothing = np.zeros_like(codes)
    run = Representation(codes, nothing, nothing[:, 0], sizes, codes, nuisances)
    trained = Trained(run, lambda cells, key: jnp.asarray(data)[cells], None, None, None)
    return class_geometry(trained, np.random.default_rng(0), **settings)["class_geometry"]


def test_codes_of_the_classes_themselves():
    means = TREE.means()
    # On the tree 8, 16, 32 and 64 pairs are equally far apart, in any order where noise or rounding
    # decides: by the means alone ρ is 1 − Σ (t³ − t) / (n³ − n) = .83 in the mean over orders.
    assert found(means[CLASS]) == pytest.approx(0.83, abs=0.05)
    assert found(-3 * means[CLASS] + 1) == pytest.approx(0.83, abs=0.05)
    assert found(np.asarray(DATA).reshape(16, 256, 64).mean(axis=1)[CLASS]) == pytest.approx(1)


def test_codes_of_other_classes_and_of_none():
    rng = np.random.default_rng(1)
    permuted = [found(TREE.means()[rng.permutation(16)][CLASS]) for _ in range(20)]
    assert abs(np.mean(permuted)) < 0.1 and np.max(permuted) < 0.5
    assert found(np.ones((TREE.size, 5))) == 0
    assert found(np.tile(rng.standard_normal(5), (TREE.size, 1))) == 0


def test_a_few_images_with_the_codes_of_others_change_nothing():
    codes = TREE.means()[CLASS]
    before, rng = found(codes), np.random.default_rng(2)
    wrong = rng.choice(TREE.size, size=1_000, replace=False)
    codes = codes.copy()
    codes[wrong] = 5 * rng.standard_normal((1_000, 64))
    # Codes of a codebook: others have other values at every latent, and most have the class's.
    assert found(codes) == pytest.approx(before, abs=0.05)
    assert found(TREE.means()[CLASS], cells=2_000) == pytest.approx(0.83, abs=0.05)


def test_of_several_factors_one_is_the_class():
    grid = np.indices((2, 4, 5)).reshape(3, -1).T
    data = np.random.default_rng(3).standard_normal((4, 8))[grid[:, 1]]
    assert found(data, data, (2, 4), (5,), factor=1) == pytest.approx(1)
    with pytest.raises(ValueError, match="three classes at least, found 2"):
        found(data, data, (2, 4), (5,))


def test_codes_that_are_not_finite_are_refused():
    codes = TREE.means()[CLASS].copy()
    for bad in (np.nan, np.inf):
        codes[CLASS == 3, 1] = bad
        with pytest.raises(ValueError, match="representation.mean must be finite"):
            found(codes)


def test_a_class_without_a_drawn_cell_is_named():
    with pytest.raises(ValueError, match="a cell of every class, found none of class"):
        found(TREE.means()[CLASS], cells=10)
