"""What metrics share that predict factors as real numbers: the check of their arrays, their units
and the share of variance explained.

    R²_j = 1 − Σ (v_j − v̂_j)² / Σ (v_j − mean v_j)²,  over test points
"""

import numpy as np
from jaxtyping import Float, Num

from .metric import check_codes_and_factors
from .standardize import standardize


def standardized_split(codes, factors, test_codes, test_factors):
    """Both halves in units of the first's spread, or a ValueError that names the array at fault.

    Factors may be any finite real numbers.
    """
    train = check_codes_and_factors(codes, factors, whole=False)
    test = check_codes_and_factors(test_codes, test_factors, of="test ", whole=False)
    for name, a, b in zip(("codes", "factors"), train, test, strict=True):
        if a.shape[-1] != b.shape[-1]:
            columns = f"{a.shape[-1]} and {b.shape[-1]}"
            raise ValueError(f"{name} and test {name} must have as many columns, found {columns}")
    (codes, test_codes), (factors, test_factors) = map(standardize, train, test)
    return codes, factors, test_codes, test_factors


def explained_variance(
    predicted: Float[np.ndarray, "... n f"], factors: Num[np.ndarray, "n f"]
) -> Float[np.ndarray, "... f"]:
    """R² of each factor; 1 is exact, 0 as good as the mean, below 0 worse than it."""
    residual = ((factors - predicted) ** 2).sum(axis=-2)
    return 1 - residual / ((factors - factors.mean(axis=0)) ** 2).sum(axis=0)
