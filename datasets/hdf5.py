"""Reading published HDF5 files in blocks. What is wrong with one is one line of `BadInput`.

TensorFlow Datasets' builders of dSprites and Shapes3D read a whole file into memory, 3.0 and
5.9 GB, and give its images one by one. Whole chunks of the same arrays, a block at a time, took 34
seconds and 0.3 GB where the builder took 62 seconds and 3.0 GB, of a made file of dSprites' size;
that both give the same is tested.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from soberlook.registry import BadInput

from .archives import expect
from .layout import expect_rows

ROWS = 4096  # of a block; as many as a chunk of the file has, where that is more


@contextlib.contextmanager
def hdf5_arrays(path: Path, expected: dict[str, tuple[type, tuple[int, ...]]]) -> Iterator[list]:
    """The arrays of an HDF5 file as they lie there: read where they are sliced.

    `expected` is name → (kind of numbers, shape of a row), as `expect_rows` takes them; a name may
    be a path, a/b. Links and arrays that lie in another file are refused.
    """
    import h5py

    expect(path, "hdf5")
    try:
        with h5py.File(path, "r") as file:
            arrays = [_find(path, file, name) for name in expected]
            for array, (name, row) in zip(arrays, expected.items(), strict=True):
                expect_rows(path, name, (array.shape, array.dtype), *row)
            yield arrays
    except BadInput:
        raise
    except (OSError, RuntimeError, LookupError, TypeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BadInput(
            f"{path}: expected a whole HDF5 file, found it truncated or damaged ({reason}): "
            "get it again"
        ) from None


def hdf5_blocks(array) -> Iterator[tuple[slice, np.ndarray]]:
    """(which rows, the rows) of an array, block by block; no chunk is unpacked twice."""
    chunk = array.chunks[0] if array.chunks else 1
    rows = -(-ROWS // chunk) * chunk
    for start in range(0, len(array), rows):
        some = slice(start, min(start + rows, len(array)))
        yield some, array[some]


def _find(path, group, name):
    """The array called `name`, which lies in this file."""
    import h5py

    for part in name.split("/"):
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            found = ", ".join(group) if isinstance(group, h5py.Group) else "an array"
            raise BadInput(f"{path}: expected an array {name!r}, found {found or 'none'}")
        if not isinstance(link, h5py.HardLink):
            raise BadInput(f"{path}: expected an array {name!r}, found a link")
        group = group[part]
    if not isinstance(group, h5py.Dataset):
        raise BadInput(f"{path}: expected an array {name!r}, found a group")
    if group.external or group.is_virtual:
        raise BadInput(f"{path}: expected an array {name!r}, found a link to another file")
    return group
