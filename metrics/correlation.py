"""Correlations of the columns of two tables. Leading axes of the first are runs."""

import numpy as np
from jaxtyping import Float, Num
from scipy.stats import rankdata


def pearson(
    a: Num[np.ndarray, "*runs n a"], b: Num[np.ndarray, "n b"]
) -> Float[np.ndarray, "*runs a b"]:
    """cov(a_i, b_j) / √(var a_i var b_j), in [−1, 1]; 0 for a constant column, NaN for one with NaN
    or infinity."""
    products = np.swapaxes(_unit(a), -1, -2) @ _unit(b)
    return np.clip(products, -1, 1)


def spearman(
    a: Num[np.ndarray, "*runs n a"], b: Num[np.ndarray, "n b"]
) -> Float[np.ndarray, "*runs a b"]:
    """The same of ranks, equal numbers having their mean rank: of any monotone relation it is 1."""
    return pearson(rankdata(a, axis=-2), rankdata(b, axis=-2))


def _unit(table):
    """Columns of mean 0 and length 1; constant ones are 0."""
    table = table.astype(np.float64)
    constant = np.ptp(table, axis=-2, keepdims=True) == 0  # which NaN is not
    centred = np.where(constant, 0, table - table.mean(axis=-2, keepdims=True))
    # By the largest first, so that no square overflows or vanishes.
    largest = np.abs(centred).max(axis=-2, keepdims=True)
    centred /= np.where(largest > 0, largest, 1)
    return centred / np.where(largest > 0, np.linalg.norm(centred, axis=-2, keepdims=True), 1)
