import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import DATASETS, BlackAndWhite, File, Source, StoredDataset, cache, register
from soberlook.registry import BadInput

GREYS = np.random.default_rng(0).integers(256, size=(12, 5, 3, 1), dtype=np.uint8)
NAMES = itertools.count()


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def registered():
    """Register a class under a name of its own, for one test."""
    names = []

    def enter(cls, name):
        names.append(name)
        return register(name)(cls)

    yield enter
    for name in names:
        del DATASETS[name]


@pytest.fixture(params=["plain", "two colours"])
def dataset(registered, request, tmp_path):
    """(the dataset, its published file, its images)."""
    two = request.param == "two colours"
    images = np.where(GREYS < 128, 0, 255).astype(np.uint8) if two else GREYS
    path = tmp_path / "tiny.npy"
    np.save(path, images)

    class Tiny(BlackAndWhite if two else StoredDataset):
        factor_names, factor_sizes = ("shape", "x"), (2, 3)
        nuisance_names, nuisance_sizes = ("instance",), (2,)
        image_shape = (5, 3, 1)
        source = Source(
            "MIT", "https://example.org", (File("tiny.npy", "https://example.org/t", 26_000_000),)
        )

        def read(self, files):
            values = np.indices(self.grid).reshape(3, -1).T
            order = np.random.default_rng(1).permutation(12)
            for some in np.split(order, 3):
                yield values[some], np.load(files["tiny.npy"])[some]

    return registered(Tiny, "tiny")(), path, images


def observed(dataset, cells):
    return np.asarray(
        jax.jit(dataset.observe)(dataset.load(), jnp.asarray(cells), jax.random.key(0))
    )


def test_what_is_not_here_says_how_to_get_it(dataset, root):
    dataset, path, images = dataset
    assert dataset.missing() == (
        "dataset 'tiny' is not here: soberlook data fetch tiny (26.0 MB), "
        "or soberlook data import tiny PATH"
    )
    with pytest.raises(BadInput, match="is not here"):
        dataset.load()


def test_what_was_brought_is_observed(dataset, root):
    dataset, path, images = dataset
    assert dataset.bring({"tiny.npy": path}) == root / "tiny-1"
    assert dataset.missing() == ""
    (file,) = cache.meta_of(dataset)["source"]["files"]
    assert file["url"] == "https://example.org/t" and len(file["sha256"]) == 64
    assert not file["published"]  # it has not the size that was
    data = dataset.load()
    assert data.dtype == jnp.uint8 and data.shape == images.shape
    cells = np.array([11, 0, 5, 5])
    x = observed(dataset, cells)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, images[cells] / 255, rtol=1e-6)


def test_bits_are_the_same_images_in_an_eighth_of_the_memory(dataset):
    dataset, path, images = dataset
    if not isinstance(dataset, BlackAndWhite):
        with pytest.raises(TypeError):
            type(dataset)(bits=True)
        return
    dataset.bring({"tiny.npy": path})
    packed = type(dataset)(bits=True)
    assert packed.settings() == {"bits": True} and not packed.missing()
    data = packed.load()
    assert data.dtype == jnp.uint8 and data.shape == (12, 2)  # 15 pixels
    np.testing.assert_array_equal(observed(packed, range(12)), observed(dataset, range(12)))


def test_bits_of_greys_are_refused(registered, tmp_path):
    class Grey(BlackAndWhite):
        factor_names, factor_sizes = ("x",), (12,)
        image_shape = (5, 3, 1)
        source = Source("MIT", "", (File("grey.npy", "", 1),))

        def read(self, files):
            yield np.arange(12)[:, None], GREYS

    np.save(tmp_path / "grey.npy", 0)
    grey = registered(Grey, "grey")(bits=True)
    grey.bring({"grey.npy": tmp_path / "grey.npy"})
    with pytest.raises(BadInput, match="bits must be of images of 0 and 255, found greys"):
        grey.load()


def test_a_variant_reads_the_folder_of_its_importer(dataset, registered):
    dataset, path, images = dataset

    class Coloured(type(dataset)):
        image_shape = (5, 3, 3)
        factor_names, factor_sizes = ("x",), (3,)

        def observe(self, data, cells, key):
            return jnp.repeat(super().observe(data, cells, key), 3, axis=-1)

    variant = registered(Coloured, "tiny_coloured")()
    assert variant.stored() == type(dataset)()
    assert "'tiny_coloured' is not here: soberlook data fetch tiny" in variant.missing()
    dataset.bring({"tiny.npy": path})
    assert variant.missing() == ""
    x = observed(variant, [3])
    np.testing.assert_allclose(x, np.repeat(images[[3]] / 255, 3, axis=-1), rtol=1e-6)


def test_damage_is_said_by_missing(dataset, root):
    dataset, path, images = dataset
    dataset.bring({"tiny.npy": path})
    with open(root / "tiny-1" / "images.npy", "r+b") as file:
        file.truncate(100)
    assert "is damaged" in dataset.missing() and "\n" not in dataset.missing()
