"""Scores of codes that need no factors: Locatello et al., "Challenging Common Assumptions in the
Unsupervised Learning of Disentangled Representations", ICML 2019. Σ is the codes' covariance.

    TC = KL(N(0, Σ) ‖ N(0, diag Σ)) = ½ (Σ_i log Σ_ii − log det Σ)
    W = W₂²(N(0, Σ), N(0, diag Σ)) = 2 tr Σ − 2 tr (diag(Σ)^½ Σ diag(Σ)^½)^½
    MI = 1/(z (z − 1)) Σ_{i ≠ j} I(z_i; z_j)
"""

import numpy as np
from jaxtyping import Float, Int, Num

from .information import discretize, mutual_information
from .metric import Numbers, check_codes, numbers, register


@register("unsupervised", of="codes", batched=True, factors=False)
@register(
    "unsupervised_sampled",
    of="codes",
    codes="sampled",
    suffix="_sampled",
    batched=True,
    factors=False,
)
def unsupervised(
    codes: Num[np.ndarray, "*runs n z"], factors: Int[np.ndarray, "n f"], *, bins: int = 20
) -> dict[str, Numbers]:
    """How far the codes are from being independent of one another.

    codes [..., n, z]; the factors are not looked at. `gaussian_total_correlation` in nats,
    `gaussian_wasserstein_correlation` in squared units of the codes, the same divided by tr Σ under
    `…_norm` (below 2), and `mutual_information_score` in nats, from codes in 20 bins of equal
    width. All ≥ 0; 0 is independent. The total correlation is infinite when a code is a linear
    function of others. A single code scores 0. Raises ValueError for codes that are not finite.
    """
    codes = check_codes(codes)
    centred = codes - codes.mean(axis=-2, keepdims=True, dtype=np.float64)
    covariance = np.swapaxes(centred, -1, -2) @ centred / (codes.shape[-2] - 1)
    # A constant is independent of everything. The study's code takes the logarithm of its variance
    # 0 and gives NaN.
    varies = np.ptp(codes, axis=-2) > 0
    covariance = covariance * varies[..., :, None] * varies[..., None, :]
    wasserstein = _wasserstein(covariance)
    trace = np.trace(covariance, axis1=-2, axis2=-1)
    discrete = discretize(codes, bins)
    information = mutual_information(discrete, discrete)
    pairs = max(1, codes.shape[-1] * (codes.shape[-1] - 1))
    own = np.trace(information, axis1=-2, axis2=-1)
    return {
        "gaussian_total_correlation": numbers(_total_correlation(covariance, varies)),
        "gaussian_wasserstein_correlation": numbers(wasserstein),
        "gaussian_wasserstein_correlation_norm": numbers(
            wasserstein / np.where(trace > 0, trace, 1)
        ),
        "mutual_information_score": numbers((information.sum(axis=(-1, -2)) - own) / pairs),
    }


def _total_correlation(covariance: Float[np.ndarray, "*runs z z"], varies):
    """−½ log det of the correlations, which equals TC and forgets the scales of the codes."""
    variance = np.where(varies, np.diagonal(covariance, axis1=-2, axis2=-1), 1)
    deviation = np.sqrt(variance)
    correlation = covariance / (deviation[..., :, None] * deviation[..., None, :])
    diagonal = np.eye(covariance.shape[-1], dtype=bool)
    correlation = np.where(diagonal, 1, correlation)  # a constant's is 1 to itself
    # Of a singular matrix the determinant would be a rounding error.
    full = np.linalg.matrix_rank(correlation) == covariance.shape[-1]
    correlation = np.where(full[..., None, None], correlation, diagonal)
    total = np.maximum(0, -0.5 * np.linalg.slogdet(correlation).logabsdet)
    return np.where(full, total, np.inf)


def _wasserstein(covariance: Float[np.ndarray, "*runs z z"]):
    """W by eigenvalues: the matrix under the root is symmetric, and may be singular."""
    deviation = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    squared = np.linalg.eigvalsh(covariance * deviation[..., :, None] * deviation[..., None, :])
    roots = np.sqrt(np.maximum(squared, 0)).sum(axis=-1)  # below 0 by rounding only
    return np.maximum(0, 2 * (np.trace(covariance, axis1=-2, axis2=-1) - roots))
