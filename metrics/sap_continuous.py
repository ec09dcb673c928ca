"""The SAP score of continuous factors: Kumar, Sattigeri & Balakrishnan, "Variational Inference of
Disentangled Latent Concepts from Unlabeled Observations", ICLR 2018, section 3.

    SAP = 1/F Σ_k (S_{i(k) k} − max_{i ≠ i(k)} S_ik),  i(k) = argmax_i S_ik
    S_ik = cov(z_i, v_k)² / (var(z_i) var(v_k)): R² of the linear regression of v_k on z_i
"""

import numpy as np
from jaxtyping import Num

from .correlation import pearson
from .metric import Numbers, check_codes_and_factors, numbers, register


@register("sap_continuous", of="codes", batched=True, continuous=True)
def sap_continuous(
    codes: Num[np.ndarray, "*runs n z"], factors: Num[np.ndarray, "n f"]
) -> dict[str, Numbers]:
    """Separated attribute predictability: is each factor linear in one code, and in no other?

    codes [..., n, z], factors [n, f] real numbers. In [0, 1], higher is better; about 0 for codes
    that know nothing. Factors are taken as quantities: a category or an angle has no line to lie
    on, so on dSprites prefer `sap` for shape and orientation. Blind to what is not linear. As in
    the study's code a code of variance at most 10⁻¹² predicts nothing, whatever its units. The
    second best of a single code is 0. Raises ValueError for codes and factors that are not finite
    and for a factor of one value.
    """
    codes, factors = check_codes_and_factors(codes, factors, whole=False)
    alive = codes.var(axis=-2, ddof=1, dtype=np.float64) > 1e-12
    scores = pearson(codes, factors) ** 2 * alive[..., None]  # (..., z, f)
    nothing = np.zeros_like(scores[..., :1, :])
    ranked = np.sort(np.concatenate([nothing, scores], axis=-2), axis=-2)
    return {"sap_continuous": numbers((ranked[..., -1, :] - ranked[..., -2, :]).mean(axis=-1))}
