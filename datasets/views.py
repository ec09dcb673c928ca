"""Views: what a model may be fed. A batch is a dict of them, drawn on the device.

A model declares the views it needs, a dataset those it can supply. The cells of a batch are drawn
once; each view has a key of its own, made from its name, so that adding a view to a batch changes
none of the others.
"""

import zlib
from collections.abc import Callable
from typing import NamedTuple

import jax

from .dataset import Dataset


class View(NamedTuple):
    """How a view is drawn, and what it costs."""

    draw: Callable  # (dataset, data, cells, key) → an array, batch first
    images: int  # how many images of the dataset an example of it shows


def images(dataset, data, cells, key):
    """[b, h, w, c]: the images of the batch's cells."""
    return dataset.observe(data, cells, key)


def second_images(dataset, data, cells, key):
    """[b, h, w, c]: an independent draw of as many images."""
    key_cells, key_noise = jax.random.split(key)
    return dataset.observe(data, draw_cells(dataset, key_cells, len(cells)), key_noise)


def factors(dataset, data, cells, key):
    """[b, f]: the true factors of the batch's cells, with mean 0 and variance 1 over the grid."""
    return dataset.standardized(cells)


VIEWS = {
    "images": View(images, 1),
    "second_images": View(second_images, 1),
    "factors": View(factors, 0),
}


def draw_cells(dataset: Dataset, key, count: int):
    """`count` cells, independent and uniform over the grid, with replacement."""
    return jax.random.randint(key, (count,), 0, dataset.size)


def draw_batch(dataset: Dataset, data, needs: tuple[str, ...], key, size: int) -> dict:
    """One batch of `size`: view → array, for exactly the views in `needs`."""
    key_cells, key_views = jax.random.split(key)
    cells = draw_cells(dataset, key_cells, size)

    def view_key(name):
        return jax.random.fold_in(key_views, zlib.crc32(name.encode()))

    return {name: VIEWS[name].draw(dataset, data, cells, view_key(name)) for name in needs}


def images_per_example(needs: tuple[str, ...]) -> int:
    """How many images a model with these needs sees for every example of a batch."""
    return sum(VIEWS[name].images for name in needs)
