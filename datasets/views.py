"""Views: what a model may be fed. A batch is a dict of them, drawn on the device.

A model declares the views it needs, a dataset those it can supply. The cells of a batch are drawn
once; each view has a key of its own, made from its name, so that adding a view to a batch changes
none of the others.
"""

import zlib

import jax

from .dataset import Dataset


def images(dataset, data, cells, key):
    """[b, h, w, c]: the images of the batch's cells."""
    return dataset.observe(data, cells, key)


def second_images(dataset, data, cells, key):
    """[b, h, w, c]: an independent draw of as many images."""
    key_cells, key_noise = jax.random.split(key)
    return dataset.observe(data, draw_cells(dataset, key_cells, len(cells)), key_noise)


VIEWS = {"images": images, "second_images": second_images}


def draw_cells(dataset: Dataset, key, count: int):
    """`count` cells, independent and uniform over the grid, with replacement."""
    return jax.random.randint(key, (count,), 0, dataset.size)


def draw_batch(dataset: Dataset, data, needs: tuple[str, ...], key, size: int) -> dict:
    """One batch of `size`: view → array, for exactly the views in `needs`."""
    key_cells, key_views = jax.random.split(key)
    cells = draw_cells(dataset, key_cells, size)

    def view_key(name):
        return jax.random.fold_in(key_views, zlib.crc32(name.encode()))

    return {name: VIEWS[name](dataset, data, cells, view_key(name)) for name in needs}
