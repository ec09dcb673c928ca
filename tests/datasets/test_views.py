import ast
import dataclasses
import re
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import (
    DATASETS,
    VIEWS,
    Dataset,
    draw_batch,
    images_per_example,
    make,
    make_view,
    register,
)
from soberlook.registry import BadInput, setting


@pytest.fixture
def cells_as_images():
    """A dataset whose images are their cells' numbers."""

    @register("numbers")
    class Numbers(Dataset):
        factor_names, factor_sizes, image_shape = ("a", "b"), (3, 4), (1, 1, 1)
        scale: int = setting(1, low=1, high=5)

        def load(self):
            return ()

        def observe(self, data, cells, key):
            return jnp.float32(self.scale * cells)[:, None, None, None]

    yield Numbers()
    del DATASETS["numbers"]


def batch_of(dataset, needs, key, size):
    return draw_batch(dataset, (), needs, key, size, jax.random.key(99))


def test_a_batch_holds_what_is_needed_and_nothing_else(cells_as_images):
    key = jax.random.key(0)
    one = batch_of(cells_as_images, ("images",), key, 5)
    two = batch_of(cells_as_images, ("images", "second_images"), key, 5)
    assert set(one) == {"images"} and set(two) == {"images", "second_images"}
    np.testing.assert_array_equal(one["images"], two["images"])
    assert (two["images"] != two["second_images"]).any()
    other = batch_of(cells_as_images, ("images",), jax.random.key(1), 5)
    assert (one["images"] != other["images"]).any()


def test_cells_are_uniform_and_independent(cells_as_images):
    draw = cells_as_images.training.draw
    cells = np.asarray(draw(cells_as_images, jax.random.key(0), 120_000))
    counts = np.bincount(cells, minlength=12)
    assert len(counts) == 12
    # χ² with 11 degrees of freedom: 31.3 is exceeded once in a thousand.
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 31.3
    assert abs(np.corrcoef(cells[:-1], cells[1:])[0, 1]) < 0.01


def test_images_are_counted():
    assert images_per_example(("images",)) == 1
    assert images_per_example(("images", "second_images")) == 2
    assert images_per_example(("images", "factors")) == 1


def test_factors_are_those_of_the_images_and_standardised(cells_as_images):
    batch = batch_of(cells_as_images, ("images", "factors"), jax.random.key(0), 50)
    cells = batch["images"][:, 0, 0, 0].astype(int)
    a, b = np.divmod(np.asarray(cells), 4)
    spread = np.sqrt([2 / 3, 5 / 4])  # of 0, 1, 2 and of 0, …, 3
    expected = (np.stack([a, b], axis=1) - [1, 1.5]) / spread
    np.testing.assert_allclose(batch["factors"], expected, rtol=1e-6)
    grid = np.asarray(cells_as_images.standardized(np.arange(12)))
    np.testing.assert_allclose(grid.mean(axis=0), 0, atol=1e-7)
    np.testing.assert_allclose(grid.std(axis=0), 1, rtol=1e-6)


def test_datasets_have_checked_settings(cells_as_images):
    assert make("numbers", scale=2) == make("numbers", scale=2) != cells_as_images
    with pytest.raises(BadInput, match="scale must be a whole number ≥ 1 and ≤ 5, found 6"):
        make("numbers", scale=6)
    with pytest.raises(BadInput, match="did you mean 'scale'"):
        make("numbers", scal=1)
    with pytest.raises(BadInput, match="did you mean 'mini_sprites'"):
        make("mini_sprite")


def test_an_unregistered_dataset_is_an_error():
    class Forgotten(Dataset):
        load = observe = None

    with pytest.raises(TypeError, match="Forgotten is not registered"):
        Forgotten()


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view_is_a_function_of_its_keys_and_counts_its_images(name):
    dataset = make("mini_sprites")
    data, view = dataset.load(), make_view(name)
    view.check(dataset)

    @partial(jax.jit, static_argnums=(0,))
    def draw(needs, key):
        return draw_batch(dataset, data, needs, key, 8, jax.random.key(1))

    first, again, other = (draw(("images", name), jax.random.key(seed)) for seed in (0, 0, 1))
    leaves = jax.tree.leaves(first[name])
    assert all(leaf.shape[0] == 8 for leaf in leaves)
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert any((a != b).any() for a, b in zip(leaves, jax.tree.leaves(other[name]), strict=True))
    pixels = sum(leaf[0].size for leaf in leaves if leaf.shape[-3:] == dataset.image_shape)
    assert view.images == pixels / np.prod(dataset.image_shape)


def test_every_view_has_a_title_and_a_row_in_the_documents():
    text = (Path(__file__).parents[2] / "docs" / "views.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line for line in text.splitlines() if "| `" in line}
    assert list(VIEWS) and set(rows) == set(VIEWS)
    for name, cls in VIEWS.items():
        assert cls.__doc__.splitlines()[0].endswith(".")
        settings = {field.name for field in dataclasses.fields(cls)}
        written = set(re.findall(r"`(\w+)=", rows[name]))
        assert written == settings
        for setting_name, default in re.findall(r"`(\w+)=(.+?)`", rows[name]):
            assert getattr(make_view(name), setting_name) == ast.literal_eval(default)
