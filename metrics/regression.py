"""What metrics share that predict factors as real numbers: the check of their arrays, their units
and the share of variance explained.

    R²_j = 1 − Σ (v_j − v̂_j)² / Σ (v_j − mean v_j)²,  over test points
"""

import numpy as np
from jaxtyping import Float, Num

from .metric import check_split
from .standardize import standardize


def standardized_split(codes, factors, test_codes, test_factors):
    """Both halves in units of the first's spread, or a ValueError that names the array at fault.

    Factors may be any finite real numbers.
    """
    codes, factors, test_codes, test_factors = check_split(
        codes, factors, test_codes, test_factors, whole=False
    )
    codes, test_codes = standardize(codes, test_codes)
    factors, test_factors = standardize(factors, test_factors)
    return codes, factors, test_codes, test_factors


def explained_variance(
    predicted: Float[np.ndarray, "... n f"], factors: Num[np.ndarray, "n f"]
) -> Float[np.ndarray, "... f"]:
    """R² of each factor; 1 is exact, 0 as good as the mean, below 0 worse than it."""
    residual = ((factors - predicted) ** 2).sum(axis=-2)
    return 1 - residual / ((factors - factors.mean(axis=0)) ** 2).sum(axis=0)
