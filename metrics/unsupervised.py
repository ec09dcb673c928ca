"""Scores of codes that need no factors: Locatello et al., "Challenging Common Assumptions in the
Unsupervised Learning of Disentangled Representations", ICML 2019. Σ is the codes' covariance.

    TC = KL(N(0, Σ) ‖ N(0, diag Σ)) = ½ (Σ_i log Σ_ii − log det Σ)
    W = W₂²(N(0, Σ), N(0, diag Σ)) = 2 tr Σ − 2 tr (diag(Σ)^½ Σ diag(Σ)^½)^½
    MI = 1/(z (z − 1)) Σ_{i ≠ j} I(z_i; z_j)
"""

import numpy as np
from jaxtyping import Float, Int, Num

from .information import discretize, mutual_information
from .metric import check_codes_and_factors, register


@register("unsupervised", of="codes")
@register("unsupervised_sampled", of="codes", codes="sampled", suffix="_sampled")
def unsupervised(
    codes: Num[np.ndarray, "n z"], factors: Int[np.ndarray, "n f"], *, bins: int = 20
) -> dict[str, float]:
    """How far the codes are from being independent of one another.

    codes [n, z]; the factors are not looked at. `gaussian_total_correlation` in nats,
    `gaussian_wasserstein_correlation` in squared units of the codes, the same divided by tr Σ under
    `…_norm` (below 2), and `mutual_information_score` in nats, from codes in 20 bins of equal
    width. All ≥ 0; 0 is independent. The total correlation is infinite when a code is a linear
    function of others. A single code scores 0. Raises ValueError for codes that are not finite.
    """
    codes, _ = check_codes_and_factors(codes, factors)
    covariance = np.atleast_2d(np.cov(codes, rowvar=False))
    # A constant is independent of everything. The study's code takes the logarithm of its variance
    # 0 and gives NaN.
    varies = np.ptp(codes, axis=0) > 0
    covariance = covariance * np.outer(varies, varies)
    wasserstein, trace = _wasserstein(covariance), np.trace(covariance)
    others = ~np.eye(codes.shape[1], dtype=bool)
    discrete = discretize(codes, bins)
    information = mutual_information(discrete, discrete)[others]
    return {
        "gaussian_total_correlation": _total_correlation(covariance[np.ix_(varies, varies)]),
        "gaussian_wasserstein_correlation": wasserstein,
        "gaussian_wasserstein_correlation_norm": float(wasserstein / trace) if trace else 0.0,
        "mutual_information_score": float(information.mean()) if information.size else 0.0,
    }


def _total_correlation(covariance: Float[np.ndarray, "z z"]) -> float:
    """−½ log det of the correlations, which equals TC and forgets the scales of the codes."""
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    if correlation.size and np.linalg.matrix_rank(correlation) < len(correlation):
        return float("inf")  # the determinant would be a rounding error
    return max(0.0, -0.5 * float(np.linalg.slogdet(correlation).logabsdet))


def _wasserstein(covariance: Float[np.ndarray, "z z"]) -> float:
    """W by eigenvalues: the matrix under the root is symmetric, and may be singular."""
    deviation = np.sqrt(np.diag(covariance))
    squared = np.linalg.eigvalsh(covariance * np.outer(deviation, deviation))
    roots = np.sqrt(np.maximum(squared, 0))  # below 0 by rounding only
    return max(0.0, 2 * float(np.trace(covariance) - roots.sum()))
