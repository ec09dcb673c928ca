"""The cache of datasets that are not drawn: a folder each, whole or absent, read memory-mapped.

`<root>/<name>-<version>/` holds

    images.npy     uint8 [size, *image_shape], in the order of the cells
    factors.npy    int32 [size, axes], the values of all axes of the grid
    meta.json      names, sizes, shape, source and licence, and the SHA-256 of the two arrays

The root is the environment variable SOBERLOOK_CACHE, or ~/.cache/soberlook. A folder is written
aside, where nothing looks for it, and renamed when it is whole. One process at a time writes a
dataset: it holds a lock, and what it finds aside was left by one that was killed.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from soberlook.registry import BadInput

from .disk import ROOT, check_space, locked, nice, old_of, root
from .source import digest

LAYOUT = 1  # raised when the folder's layout changes
MARGIN = 2**20  # bytes for headers, meta.json and what the file system needs for itself
BLOCK = 65_536  # cells whose factors are written at a time


def folder_of(dataset) -> Path:
    """Where this dataset is, or would be."""
    return root() / f"{dataset.name}-{dataset.version}"


def needed(dataset) -> int:
    """The bytes that its folder takes."""
    pixels = int(np.prod(dataset.image_shape))
    return dataset.size * (pixels + 4 * len(dataset.grid)) + MARGIN


def write(dataset, blocks: Iterable, source: dict[str, Any]) -> Path:
    """Write a dataset's folder and say where it is; one that is there already is replaced.

    `blocks` gives `(values, images)`: whole numbers [k, axes], the place on the grid, and uint8
    [k, *image_shape], in any order; every cell exactly once. `source` goes into meta.json as it is.
    Raises `BadInput` where the disk is too small, or the blocks are not this dataset.
    """
    where = folder_of(dataset)
    check_space(where.parent, needed(dataset), f"dataset {dataset.name!r}")
    with locked(where) as aside:
        aside.mkdir()
        _write_images(dataset, blocks, aside / "images.npy")
        _write_factors(dataset, aside / "factors.npy")
        meta = describe(dataset) | {
            "source": source,
            "sha256": {name: digest(aside / name) for name in ("images.npy", "factors.npy")},
        }
        (aside / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n")
        for path in aside.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        if where.exists():
            where.rename(old := old_of(where))
            aside.rename(where)
            shutil.rmtree(old)
        else:
            aside.rename(where)
    return where


def describe(dataset) -> dict[str, Any]:
    """What meta.json says of the dataset itself, and a folder must agree with."""
    return {
        "layout": LAYOUT,
        "name": dataset.name,
        "version": dataset.version,
        "factor_names": list(dataset.factor_names),
        "factor_sizes": list(dataset.factor_sizes),
        "nuisance_names": list(dataset.nuisance_names),
        "nuisance_sizes": list(dataset.nuisance_sizes),
        "image_shape": list(dataset.image_shape),
    }


def meta_of(dataset) -> dict[str, Any]:
    """meta.json, which agrees with the dataset; `BadInput` where it does not or is not there."""
    path = folder_of(dataset) / "meta.json"
    try:
        meta = json.loads(path.read_text())
        hashes = [meta["sha256"][name] for name in ("images.npy", "factors.npy")]
        if not all(isinstance(one, str) for one in hashes) or not isinstance(meta["source"], dict):
            raise TypeError
    except (OSError, ValueError, TypeError, KeyError):
        raise _damaged(dataset, "meta.json cannot be read") from None
    for key, expected in describe(dataset).items():
        if meta.get(key) != expected:
            raise _damaged(dataset, f"{key} must be {expected}, found {meta.get(key)}")
    return meta


def images_of(dataset) -> np.memmap:
    """The images, memory-mapped; `BadInput` where the folder is damaged or not there."""
    meta_of(dataset)
    return _open(dataset, "images.npy", np.uint8, (dataset.size, *dataset.image_shape))


def factors_of(dataset) -> np.memmap:
    """The factors, memory-mapped; `BadInput` where the folder is damaged or not there."""
    meta_of(dataset)
    return _open(dataset, "factors.npy", np.int32, (dataset.size, len(dataset.grid)))


def verify(dataset):
    """Read everything; raise `BadInput` where any byte is not as it was written."""
    meta = meta_of(dataset)
    images_of(dataset), factors_of(dataset)
    for name, expected in meta["sha256"].items():
        if (found := digest(folder_of(dataset) / name)) != expected:
            raise _damaged(dataset, f"{name} must have sha256 {expected}, found {found}")


def _write_images(dataset, blocks, path):
    """Place every image at its cell in a memory-mapped file."""
    shape, axes = tuple(dataset.image_shape), len(dataset.grid)
    images = _reserved(path, np.uint8, (dataset.size, *shape), dataset)
    filled = np.zeros(dataset.size, bool)
    for values, some in blocks:
        values, some = np.asarray(values), np.asarray(some)
        _check_block(dataset, values, some, axes, shape)
        cells = np.ravel_multi_index(tuple(values.T), dataset.grid)
        again = filled[cells]
        filled[cells] = True
        if again.any() or len(np.unique(cells)) < len(cells):
            once, counts = np.unique(cells, return_counts=True)
            cell = cells[again][0] if again.any() else once[counts > 1][0]
            raise BadInput(f"dataset {dataset.name!r} has two images for {_say(dataset, cell)}")
        if len(cells) and cells[-1] - cells[0] == len(cells) - 1 and (np.diff(cells) == 1).all():
            images[cells[0] : cells[-1] + 1] = some  # in order: a copy, and no scattering
        else:
            images[cells] = some
    if missing := dataset.size - int(filled.sum()):
        cell = int(filled.argmin())
        raise BadInput(
            f"dataset {dataset.name!r} must have {dataset.size:,} images, one a cell, "
            f"{missing:,} are missing: first {_say(dataset, cell)}"
        )
    images.flush()


def _check_block(dataset, values, images, axes, shape):
    name = dataset.name
    if images.dtype != np.uint8 or images.shape[1:] != shape or images.ndim != 1 + len(shape):
        raise BadInput(
            f"dataset {name!r} must have images uint8 {[len(values), *shape]}, "
            f"found {images.dtype} {list(images.shape)}"
        )
    if values.dtype.kind not in "iu" or values.shape != (len(images), axes):
        raise BadInput(
            f"dataset {name!r} must have whole numbers [{len(images)}, {axes}] as values, "
            f"found {values.dtype} {list(values.shape)}"
        )
    outside = (values < 0) | (values >= np.asarray(dataset.grid))
    if outside.any():
        row, axis = np.argwhere(outside)[0]
        axis_name = (dataset.factor_names + dataset.nuisance_names)[axis]
        raise BadInput(
            f"dataset {name!r}: {axis_name} must be from 0 to {dataset.grid[axis] - 1}, "
            f"found {values[row, axis]}"
        )


def _write_factors(dataset, path):
    factors = _reserved(path, np.int32, (dataset.size, len(dataset.grid)), dataset)
    for start in range(0, dataset.size, BLOCK):
        cells = np.arange(start, min(start + BLOCK, dataset.size))
        factors[start : start + BLOCK] = np.stack(np.unravel_index(cells, dataset.grid), axis=1)
    factors.flush()


def _reserved(path, dtype, shape, dataset) -> np.memmap:
    """The map of a new .npy file whose room on the disk is taken: writing to that of a file
    without it would end the process where the disk is full."""
    np.lib.format.open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):
        with open(path, "r+b") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
            except OSError as error:
                # Others are of a file system that cannot: the room was checked before.
                if error.errno == errno.ENOSPC:
                    raise BadInput(
                        f"dataset {dataset.name!r} needs {nice(needed(dataset))} in {path.parent}: "
                        f"the disk is full; make room, or set {ROOT} to a folder on another disk"
                    ) from None
    return np.lib.format.open_memmap(path, "r+")


def _open(dataset, name, dtype, shape):
    try:
        array = np.load(folder_of(dataset) / name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise _damaged(dataset, f"{name} is truncated, or no array") from None
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise _damaged(
            dataset,
            f"{name} must be {np.dtype(dtype)} {list(shape)}, "
            f"found {array.dtype} {list(array.shape)}",
        )
    return array


def _damaged(dataset, what):
    where = folder_of(dataset)
    if not where.exists():
        return BadInput(f"dataset {dataset.name!r} is not here: found no {where}")
    return BadInput(
        f"dataset {dataset.name!r} in {where} is damaged: {what}; "
        f"soberlook data fetch {dataset.name}, or import, replaces it"
    )


def _say(dataset, cell) -> str:
    """A cell as people read it: shape 0, scale 3."""
    names = dataset.factor_names + dataset.nuisance_names
    values = np.unravel_index(int(cell), dataset.grid)
    return ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
