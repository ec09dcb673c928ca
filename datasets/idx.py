"""The idx format of MNIST: two zeros, a code of the numbers' type, how many dimensions, their sizes
as big-endian int32, then the numbers, last axis fastest."""

import math
from pathlib import Path

import numpy as np

from soberlook.registry import BadInput

from .archives import gunzipped, read_exactly

BYTES = 0x08  # the code of unsigned bytes, the only one that images and labels have


def idx_array(path: Path, dimensions: int) -> np.ndarray:
    """The uint8 array of so many dimensions in a gzipped idx file."""
    with gunzipped(path) as file:
        head = read_exactly(file, 4, str(path))
        if head != bytes([0, 0, BYTES, dimensions]):
            raise BadInput(
                f"{path}: expected an idx file of bytes with {dimensions} dimensions, "
                f"found one that begins with {head!r}"
            )
        shape = np.frombuffer(read_exactly(file, 4 * dimensions, str(path)), ">u4").tolist()
        array = np.frombuffer(read_exactly(file, math.prod(shape), str(path)), np.uint8)
        if file.read(1):  # the end of the file, where its checksum is compared
            raise BadInput(f"{path}: expected bytes {shape}, found more")
        return array.reshape(shape)
