"""Modularity: Ridgeway & Mozer, "Learning Deep Disentangled Embeddings With the F-Statistic Loss",
NeurIPS 2018.

    modularity = 1/z Σ_i (1 − δ_i),  δ_i = Σ_{k ≠ k(i)} m_ik² / (m_ik(i)² (F − 1))
    m_ik = I(z_i; v_k),  k(i) = argmax_k m_ik
"""

import numpy as np
from jaxtyping import Int, Num

from .information import discretize, mutual_information
from .metric import Numbers, check_codes_and_factors, numbers, register


@register("modularity", of="codes", batched=True)
@register("modularity_rotated", of="codes", codes="rotated", suffix="_rotated", batched=True)
def modularity(
    codes: Num[np.ndarray, "*runs n z"], factors: Int[np.ndarray, "n f"], *, bins: int = 20
) -> dict[str, Numbers]:
    """Modularity: does each code know of one factor only?

    codes [..., n, z], factors [n, f] whole numbers. In [0, 1], higher is better. Not 0 for codes
    that know nothing (0.69 for noise on dSprites): ratios of estimation errors, so compare with the
    same number of points only. Information is the plug-in estimate after putting each code in 20
    bins of equal width. Raises ValueError for codes that are not finite and for a factor of one
    value.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    squared = mutual_information(discretize(codes, bins), factors) ** 2  # (..., z, f)
    best = squared.max(axis=-1)
    # A code without information counts as 0, as in the study's code; the paper does not say.
    # Collapsed codes therefore lower the score: five of ten halve it.
    alive = best > 0
    others = squared.sum(axis=-1) - best
    scale = np.where(alive, best, 1) * max(1, factors.shape[1] - 1)  # one factor has no others
    return {"modularity": numbers(np.mean(alive * (1 - others / scale), axis=-1))}
