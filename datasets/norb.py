"""The matrices of the NORB datasets: a code of the numbers' type, the sizes, and the numbers.

Little-endian: a magic int32, the number of dimensions, their sizes, of which three are there even
where the matrix has fewer, then the numbers, last axis fastest
(cs.nyu.edu/~ylclab/data/norb-v1.0-small).
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from soberlook.registry import BadInput

from .archives import gunzipped, read_exactly
from .layout import expect_rows

TYPES = {0x1E3D4C55: np.dtype("uint8"), 0x1E3D4C54: np.dtype("<i4")}


def norb_blocks(
    path: Path, kind: type, row: tuple[int, ...], rows: int = 1024
) -> Iterator[np.ndarray]:
    """Blocks of at most `rows` rows of a gzipped matrix, whose rows are of this kind and shape."""
    with gunzipped(path) as file:
        shape, dtype = _header(path, file)
        expect_rows(path, "the matrix", (shape, dtype), kind, row)
        for start in range(0, shape[0], rows):
            count = min(rows, shape[0] - start)
            block = read_exactly(file, dtype.itemsize * count * math.prod(row), str(path))
            yield np.frombuffer(block, dtype).reshape(count, *row)
        if file.read(1):  # the end of the file, where its checksum is compared
            raise BadInput(f"{path}: expected a matrix {list(shape)}, found more")


def norb_rows(path: Path) -> int:
    """How many rows a gzipped matrix says it has."""
    with gunzipped(path) as file:
        shape, _ = _header(path, file)
        return shape[0]


def norb_matrix(path: Path, kind: type, row: tuple[int, ...]) -> np.ndarray:
    """A small matrix as a whole."""
    return np.concatenate([np.empty((0, *row), kind), *norb_blocks(path, kind, row)])


def _header(path, file):
    """(shape, dtype) of the matrix."""
    magic, dimensions = np.frombuffer(read_exactly(file, 8, str(path)), "<i4").tolist()
    if magic not in TYPES or not 1 <= dimensions <= 8:
        raise BadInput(
            f"{path}: expected a NORB matrix of bytes or integers, found one that begins with "
            f"{magic:#x}, {dimensions}"
        )
    sizes = np.frombuffer(read_exactly(file, 4 * max(dimensions, 3), str(path)), "<i4")
    if (sizes < 0).any():
        raise BadInput(f"{path}: expected sizes of a matrix, found {sizes.tolist()}")
    return tuple(sizes[:dimensions].tolist()), TYPES[magic]
