"""One's own data as a dataset: arrays.

    from soberlook.datasets import add_arrays

    add_arrays("mine", images, factors, names=("shape", "x"))

In a file given with --plugin that is all there is to it. Factors may have any values, which become
0, 1, … in their order, but every combination of them must be there: a dataset is the whole grid of
its factors. Several images of a combination become a nuisance, "instance".
"""

import math
import warnings
import zlib
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput

from .dataset import Dataset, register


class OwnData(Dataset):
    """Arrays given by the user. What is registered are subclasses of it, one for each."""

    def load(self):
        return jax.device_put(self.images)

    def observe(self, data, cells, key):
        images = data[cells]
        return images / jnp.float32(255) if images.dtype == jnp.uint8 else images


def add_arrays(
    name: str,
    images: np.ndarray,
    factors: np.ndarray | Mapping[str, Sequence] | None = None,
    names: Sequence[str] | None = None,
) -> type[Dataset]:
    """Register arrays as the dataset `name`; the class it becomes.

    images [n, …]: uint8, or real numbers in [0, 1]: [n, h, w, c] where they are images, or any
    other shape, such as [n, d] for tables.
    factors: [n, f], numbers or texts, with their `names`; or a mapping of names to columns
    [n]. Without factors there is one, "image", with a value for each.

    A combination's images beyond as many as the rarest has are left out, with a warning. The
    version is made from the content, so that runs on other data are other runs.
    """
    images = _checked_images(name, images)
    columns = _columns(name, factors, names, len(images))
    values, sizes = [], []
    for factor, column in columns.items():
        known, codes = np.unique(column, return_inverse=True)
        if len(known) < 2:
            raise BadInput(f"{name}: factor {factor!r} must have several values, found {known[0]}")
        values.append(codes)
        sizes.append(len(known))
    order, instances = _in_grid_order(name, np.stack(values), tuple(sizes), columns)
    if left_out := len(images) - len(order):
        warnings.warn(
            f"dataset {name!r}: {left_out:,} of {len(images):,} images are left out, so that every "
            f"combination of its factors has {instances}",
            stacklevel=2,
        )
    images = np.ascontiguousarray(images[order])
    about = repr((list(columns), sizes, images.shape, str(images.dtype)))
    members = {
        "__doc__": f"Data of your own: {len(images):,} of {len(images) + left_out:,} images.",
        "__module__": __name__,
        "version": zlib.crc32(images, zlib.crc32(about.encode())),
        "factor_names": tuple(columns),
        "factor_sizes": tuple(sizes),
        "nuisance_names": ("instance",) if instances > 1 else (),
        "nuisance_sizes": (instances,) if instances > 1 else (),
        "image_shape": images.shape[1:],
        "has_factors": factors is not None,
        "images": images,
    }
    return register(name)(type("OwnData", (OwnData,), members))


def _checked_images(name, images):
    """uint8 or float32 [n, …], finite and in range."""
    images = np.asarray(images)
    if images.ndim < 2 or not images.size:
        raise BadInput(
            f"{name}: images must be [n, h, w, c], or [n, …], found shape {list(images.shape)}"
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise BadInput(f"{name}: images must be uint8, or real in [0, 1], found {images.dtype}")
    images = images.astype(np.float32)
    if wrong := int((~np.isfinite(images)).sum()):
        raise BadInput(f"{name}: images must be finite numbers, found {wrong:,} that are not")
    low, high = images.min(), images.max()
    if low < 0 or high > 1:
        raise BadInput(
            f"{name}: real images must be in [0, 1], found values from {low:g} to {high:g}"
        )
    return images


def _columns(name, factors, names, count) -> dict[str, np.ndarray]:
    """Factor → its column [n], of whole numbers, real numbers or texts."""
    if factors is None:
        return {"image": np.arange(count)}
    if isinstance(factors, Mapping):
        columns = {str(key): np.asarray(column) for key, column in factors.items()}
    else:
        factors = np.asarray(factors)
        factors = factors[:, None] if factors.ndim == 1 else factors
        if factors.ndim != 2 or names is None or len(names) != factors.shape[1]:
            raise BadInput(
                f"{name}: factors must be [n, f] with f names, found {list(factors.shape)} and "
                f"{len(names or ())} names"
            )
        columns = dict(zip(map(str, names), factors.T, strict=True))
        if len(columns) < len(names):
            raise BadInput(f"{name}: names of factors must differ, found {', '.join(names)}")
    if not columns:
        raise BadInput(f"{name}: factors must be one at least, found none")
    for factor, column in columns.items():
        if column.shape != (count,):
            raise BadInput(
                f"{name}: factor {factor!r} must have a value for each of {count:,} images, "
                f"found {list(column.shape)}"
            )
        if column.dtype.kind == "O" and all(isinstance(value, str) for value in column):
            columns[factor] = column = column.astype(str)
        if column.dtype.kind not in "biufU":
            raise BadInput(
                f"{name}: factor {factor!r} must be numbers or texts, found {column.dtype}"
            )
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            wrong = int((~np.isfinite(column)).sum())
            raise BadInput(f"{name}: factor {factor!r} has {wrong:,} values that are no numbers")
    return columns


def _in_grid_order(name, values, sizes, columns):
    """(the images' indices in the order of the cells, how many a combination has)."""
    if math.prod(sizes) > values.shape[1]:
        missing = math.prod(sizes) - len(np.unique(values, axis=1).T)
    else:
        cells = np.ravel_multi_index(tuple(values), sizes)
        counts = np.bincount(cells, minlength=math.prod(sizes))
        missing = int((counts == 0).sum())
    if missing:
        grid = " × ".join(f"{factor} {size}" for factor, size in zip(columns, sizes, strict=True))
        raise BadInput(
            f"{name}: every combination of {grid} must be there, {missing:,} of "
            f"{math.prod(sizes):,} are missing"
        )
    instances = int(counts.min())
    by_cell = np.argsort(cells, kind="stable")
    within = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts, counts)
    return by_cell[within < instances], instances
