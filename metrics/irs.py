"""IRS, the interventional robustness score: Suter, Miladinović, Schölkopf & Bauer, "Robustly
Disentangled Causal Mechanisms: Validating Deep Representations for Interventional Robustness",
ICML 2019.

    R_jk = 1 − 1/K_k Σ_v q(|z_j − E[z_j | v_k = v]| given v_k = v) / m_j      q: the 99 % quantile
    IRS = Σ_j m_j max_k R_jk / Σ_j m_j,  m_j = max |z_j − E z_j|
"""

import numpy as np
from jaxtyping import Float, Int, Num

from .information import discretize
from .metric import Numbers, check_codes_and_factors, numbers, register


@register("irs", of="codes", batched=True)
def irs(
    codes: Num[np.ndarray, "*runs n z"],
    factors: Int[np.ndarray, "n f"],
    *,
    bins: int = 20,
    quantile: float = 0.99,
) -> dict[str, Numbers]:
    """Interventional robustness: does a code stay where it is as long as one factor does?

    codes [..., n, z], factors [n, f] whole numbers. At most 1, higher is better. A code's weight is
    its largest deviation: constant codes have none, nearly constant ones hardly any, and scaling a
    code changes the score. 0 where all codes are constant.

    Traps. Codes that know nothing do not score 0: the 99 % quantile lies below the largest
    deviation that it is divided by, the more so the heavier the tails and the more the points
    (Gaussian noise at 10,000 points of dSprites: .36), so compare equal numbers of points. Those
    that share a factor's value must be many, or they cannot stray.

    As in the study's code a factor of more than `bins` values is put in that many bins of equal
    width, and all is computed in the precision of the codes: single precision is good to 1e-5. The
    paper's quantile is 1, the maximum. Raises ValueError for codes that are not finite and for a
    factor of one value.
    """
    robust = irs_matrix(codes, factors, bins=bins, quantile=quantile).max(axis=-1)
    weight = _deviation(np.asarray(codes))
    total = weight.sum(axis=-1)
    return {"irs": numbers((robust * weight).sum(axis=-1) / np.where(total > 0, total, 1))}


def irs_matrix(
    codes: Num[np.ndarray, "*runs n z"],
    factors: Int[np.ndarray, "n f"],
    *,
    bins: int = 20,
    quantile: float = 0.99,
) -> Float[np.ndarray, "*runs z f"]:
    """R_jk: how little code j moves while factor k stays, at most 1; 0 for a constant code.

    Below 0 where a code strays further from its mean given the factor than from its mean.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    moved = []
    for factor in discretize(factors, bins).T:
        groups = (np.compress(factor == value, codes, axis=-2) for value in np.unique(factor))
        strays = [
            np.quantile(np.abs(group - group.mean(axis=-2, keepdims=True)), quantile, axis=-2)
            for group in groups
        ]
        moved.append(np.mean(strays, axis=0, dtype=np.float64))
    largest = _deviation(codes)[..., None]
    robust = 1 - np.stack(moved, axis=-1) / np.where(largest > 0, largest, 1)
    return np.where(largest > 0, robust, 0)


def _deviation(codes):
    """max |z_j − E z_j|, and 0 of a constant code even if its mean is rounded."""
    largest = np.abs(codes - codes.mean(axis=-2, keepdims=True)).max(axis=-2)
    varies = codes.max(axis=-2) > codes.min(axis=-2)
    return np.where(varies, largest, 0).astype(np.float64)
