"""What every registered dataset promises. A new dataset joins by being registered."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import DATASETS, make

CELLS = 48


class Observed:
    """A dataset, its data, and its images as a compiled function of cells and a key."""

    def __init__(self, name):
        self.dataset = make(name)
        if reason := self.dataset.missing():
            pytest.skip(reason)
        self.data = self.dataset.load()
        self.compiled = jax.jit(self.dataset.observe)

    def __call__(self, cells, seed=0):
        return np.asarray(self.compiled(self.data, jnp.asarray(cells), jax.random.key(seed)))


@pytest.fixture(scope="module", params=sorted(DATASETS))
def observed(request):
    return Observed(request.param)


@pytest.fixture
def cells(observed):
    return np.random.default_rng(0).integers(observed.dataset.size, size=CELLS)


def test_images_are_as_declared(observed, cells):
    x = observed(cells)
    assert x.shape == (CELLS, *observed.dataset.image_shape) and x.dtype == np.float32
    if observed.dataset.bounded:
        assert 0 <= x.min() < 0.1 and 0.5 < x.max() <= 1
    else:  # and says so only where it must
        assert np.isfinite(x).all() and (x.min() < 0 or x.max() > 1)


def test_cells_are_counted_with_the_last_factor_fastest(observed, cells):
    dataset = observed.dataset
    assert len(dataset.factor_names) == len(dataset.factor_sizes)
    factors = np.asarray(dataset.factors(jnp.asarray(cells)))
    assert (factors >= 0).all() and (factors < np.array(dataset.factor_sizes)).all()
    assert len(dataset.nuisance_names) == len(dataset.nuisance_sizes)
    values = np.stack(np.unravel_index(cells, dataset.grid), axis=1)
    np.testing.assert_array_equal(factors, values[:, : len(dataset.factor_names)])


def test_every_step_of_every_factor_moves_pixels(observed, cells):
    dataset = observed.dataset
    if not dataset.has_factors:  # examples may repeat
        assert len(dataset.factor_names) == 1 and not dataset.nuisance_names
        return
    factors = np.stack(np.unravel_index(cells, dataset.grid))
    for axis, size in enumerate(dataset.factor_sizes):
        before, after = factors.copy(), factors.copy()
        before[axis] %= size - 1
        after[axis] = before[axis] + 1
        ends = factors.copy(), factors.copy()
        ends[0][axis], ends[1][axis] = 0, size - 1
        moved = []
        for pair in ((before, after), ends):
            x = [observed(np.ravel_multi_index(f, dataset.grid), seed=3) for f in pair]
            moved.append(np.abs(x[0] - x[1]).reshape(CELLS, -1).max(axis=1))
        assert (moved[0] > 5e-4).all(), axis
        # A step or the whole way: of dSprites' angles the first and the last are one.
        assert (np.maximum(*moved) > 0.05).all(), axis


def test_images_are_a_function_of_the_cell_and_the_key(observed, cells):
    x = observed(cells)
    np.testing.assert_array_equal(x, observed(cells))
    order = np.random.default_rng(1).permutation(CELLS)
    np.testing.assert_array_equal(x[order], observed(cells[order]))
    np.testing.assert_array_equal(x[7:8], observed(cells[7:8]))
    # A key may draw what another drew, as one of three shapes: nine others do not.
    others = [observed(cells, seed) for seed in range(1, 10)]
    changed = np.any([(x != other).reshape(CELLS, -1).any(axis=1) for other in others], axis=0)
    assert changed.all() == changed.any() == observed.dataset.noisy


def test_settings_give_the_dataset_back(observed):
    dataset = observed.dataset
    assert make(dataset.name, **dataset.settings()) == dataset


def test_all_are_listed(soberlook):
    code, out, _ = soberlook("list", "datasets")
    assert code == 0 and all(name in out for name in DATASETS)
