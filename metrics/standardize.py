"""Codes, or factors, in units of their own spread."""

import numpy as np
from jaxtyping import Float, Num


def standardize(
    codes: Num[np.ndarray, "n z"], test_codes: Num[np.ndarray, "m z"]
) -> tuple[Float[np.ndarray, "n z"], Float[np.ndarray, "m z"]]:
    """Both halves less the first's mean, over its standard deviation; in double precision.

    A code that is constant in the first half has no spread to be measured in, and nothing to be
    learnt from: it is 0 in both.
    """
    mean, scale = codes.mean(axis=0, dtype=np.float64), codes.std(axis=0, dtype=np.float64)
    # Rounding leaves a constant code a deviation of 1e-17, so its range is asked.
    scale = np.where((np.ptp(codes, axis=0) > 0) & (scale > 0), scale, np.inf)
    return (codes - mean) / scale, (test_codes - mean) / scale
