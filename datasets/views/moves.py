"""Cells that move along the axes of the grid, and the images of several cells in one example."""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput

from ..cells import AllCells


def check_moves(view, dataset):
    """Refuse what a view that makes cells of its own could not keep out."""
    if dataset.training != AllCells():
        raise BadInput(
            f"{view.name}: moves to any cell of {dataset.name!r}, so it must be trained on all, "
            f"found training {dataset.training.name!r}"
        )


def moving_axes(view, dataset, names=()) -> list[int]:
    """The axes of the factors of these names, of all where there are none. They must be movable."""
    axes = [dataset.axis(name) for name in names or dataset.factor_names]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"{view.name}: factor {name!r} is named {names.count(name)} times")
    for axis in axes:
        if dataset.factor_sizes[axis] == 1:
            raise BadInput(
                f"{view.name}: factor {dataset.factor_names[axis]!r} of {dataset.name!r} has one "
                "value only and cannot change"
            )
    return axes


def values_of(dataset, cells):
    """cells [n] → the values of all axes [n, a], the factors' before the nuisances', int32."""
    return jnp.stack(jnp.unravel_index(cells, dataset.grid), axis=-1)


def cells_of(dataset, values):
    """Values of all axes [..., a] → cells [...]."""
    return jnp.ravel_multi_index(tuple(jnp.moveaxis(values, -1, 0)), dataset.grid, mode="clip")


def observe_several(d, cells, key):
    """cells [b, n] → images [b, n, …], each of the n with noise of its own.

    The first have the noise of "images": where they are the batch's cells, they are its images.
    """
    keys = jnp.concatenate([d.images_key[None], jax.random.split(key, cells.shape[1] - 1)])
    return jax.vmap(d.dataset.observe, (None, 1, 0), 1)(d.data, cells, keys)
