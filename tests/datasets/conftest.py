"""What tests of datasets share: small grids of published ones, each test with its own cache; and a
dataset whose images say which cell they show, so that laws are tested over many draws.
"""

from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2

from soberlook.datasets import DATASETS, Dataset, cache, draw_batch, register
from soberlook.registry import BadInput


@pytest.fixture
def shrunk(monkeypatch, tmp_path):
    """A published dataset on a grid as small as the test says, with the test's own cache."""
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path / "cache"))

    def shrink(cls, **attributes):
        for name, value in attributes.items():
            monkeypatch.setattr(cls, name, value)
        return cls()

    return shrink


@pytest.fixture
def imported():
    """The images [*grid, *image_shape] that a dataset has after files, by name, were imported."""

    def bring(dataset, files):
        assert "is not here" in dataset.missing()
        dataset.bring(files)
        assert dataset.missing() == ""
        cache.verify(dataset)
        images = np.array(cache.images_of(dataset))
        assert images.dtype == np.uint8
        return images.reshape(*dataset.grid, *dataset.image_shape)

    return bring


@pytest.fixture
def refused():
    """Importing these files is one line of `BadInput`, in which `match` is found, and no more."""

    def refuse(dataset, files, match):
        with pytest.raises(BadInput, match=match) as error:
            dataset.bring(files)
        assert "\n" not in str(error.value)
        assert "is not here" in dataset.missing()

    return refuse


class Numbers(Dataset):
    """An image is its cell's number, and a number made from the key of its noise: float32 [2]."""

    nuisance_names, nuisance_sizes = ("n",), (2,)
    image_shape = (2,)
    noisy = True

    def load(self):
        return ()

    def observe(self, data, cells, key):
        noise = jnp.broadcast_to(jax.random.uniform(key), cells.shape)
        return jnp.stack([cells.astype(jnp.float32), noise], axis=-1)

    def values(self, images):
        """What images [..., 2] show: the values of all axes [..., a, b, c, n]."""
        cells = np.asarray(images[..., 0]).astype(int)
        return np.stack(np.unravel_index(cells, self.grid), axis=-1)

    def draw(self, name, size=1_000_000, seed=0, run=0, **settings):
        """One view of a batch of `size`, as NumPy arrays; with a range of runs, of each of them."""
        return _drawn(self, name, tuple(settings.items()), size, seed, run)


@lru_cache(maxsize=16)
def _drawn(dataset, name, settings, size, seed, run):
    runs = jax.vmap(jax.random.key)(jnp.arange(run.stop)) if isinstance(run, range) else None
    run_key = jax.random.key(run) if runs is None else runs
    draw = _draw if size * run_key.size > 30_000 else _draw.__wrapped__  # few: not worth compiling
    batch = draw(dataset, name, settings, size, jax.random.key(seed), run_key)
    return jax.tree.map(np.asarray, batch)


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _draw(dataset, name, settings, size, key, run_key):
    def draw(run_key):
        return draw_batch(dataset, (), ((name, dict(settings)),), key, size, run_key)[name]

    return jax.vmap(draw)(run_key) if run_key.ndim else draw(run_key)


@lru_cache
def _numbers_of(sizes):
    fields = {"factor_names": tuple("abc"[: len(sizes)]), "factor_sizes": sizes}
    cls = register("cell_numbers")(type("CellNumbers", (Numbers,), fields))
    del DATASETS[cls.name]  # it is no dataset of the package
    return cls


@pytest.fixture
def numbers_of():
    """The class of these sizes, of factors a, b and c."""
    return _numbers_of


@pytest.fixture
def numbers():
    return _numbers_of((3, 4, 5))


@pytest.fixture
def agree():
    def check(counts, expected=None):
        """The counts are those of a law: χ² is below what chance exceeds once in 10⁴."""
        counts = np.asarray(counts, float).ravel()
        shares = np.ones(counts.size) if expected is None else np.asarray(expected, float).ravel()
        expected = counts.sum() * shares / shares.sum()
        assert (counts[expected == 0] == 0).all()
        counts, expected = counts[expected > 0], expected[expected > 0]
        assert expected.min() > 20
        found = ((counts - expected) ** 2 / expected).sum()
        assert found < chi2.isf(1e-4, max(counts.size - 1, 1)), (found, counts.size - 1)

    return check


@pytest.fixture
def noises():
    def check(images):
        """The noise of images [b, n, 2]: one key for each of the n, and each another."""
        noise = images[..., 1]
        assert (noise == noise[:1]).all() and len(set(noise[0])) == noise.shape[1]

    return check
