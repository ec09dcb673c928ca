"""Cells that share a factor by force: what the metrics of interventions are made from."""

import numpy as np
from jaxtyping import Int

from .metric import Representation, check_codes


def check_grid(representation: Representation) -> np.ndarray:
    """The codes of the whole grid [n, z], or a ValueError that says what is wrong with them."""
    codes = check_codes(representation.mean, "representation.mean")
    cells = int(np.prod(representation.grid))
    if len(codes) != cells:
        raise ValueError(f"representation.mean must have {cells} rows, found {len(codes)}")
    return codes


def with_factor(
    grid: tuple[int, ...],
    cells: Int[np.ndarray, "..."],
    factor: Int[np.ndarray, "..."],
    donors: Int[np.ndarray, "..."],
) -> Int[np.ndarray, "..."]:
    """These cells, but for their value of `factor`, which becomes that of `donors`.

    The three broadcast; cells are flat indices of the grid in C order.
    """
    sizes = np.asarray(grid)
    strides = np.append(np.cumprod(sizes[:0:-1])[::-1], 1)
    size, stride = sizes[factor], strides[factor]
    return cells + (donors // stride % size - cells // stride % size) * stride


def parts(cells: Int[np.ndarray, "k b"], at_once: int = 500) -> list[Int[np.ndarray, "_ b"]]:
    """Batches of cells in parts small enough to gather the codes of one part at a time."""
    return np.array_split(cells, -(-len(cells) // at_once))
