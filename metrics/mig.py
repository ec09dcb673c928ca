"""The mutual information gap: Chen, Li, Grosse & Duvenaud, "Isolating Sources of Disentanglement
in Variational Autoencoders", NeurIPS 2018, section 4.1.

    MIG = 1/F Σ_k (I(z_j(k); v_k) − max_{j ≠ j(k)} I(z_j; v_k)) / H(v_k)
    j(k) = argmax_j I(z_j; v_k)
"""

import numpy as np
from jaxtyping import Int, Num

from .information import discretize, entropy, mutual_information
from .metric import Numbers, check_codes_and_factors, numbers, register


@register("mig", of="codes", batched=True)
@register("mig_rotated", of="codes", codes="rotated", suffix="_rotated", batched=True)
def mig(
    codes: Num[np.ndarray, "*runs n z"], factors: Int[np.ndarray, "n f"], *, bins: int = 20
) -> dict[str, Numbers]:
    """Mutual information gap: is each factor in one code, and in no other?

    codes [..., n, z], factors [n, f] whole numbers. In [0, 1], higher is better; 0 for codes that
    know nothing. As in the study (Locatello et al., 2019, appendix C) information is the plug-in
    estimate after putting each code in 20 bins of equal width, so a perfect code of a factor with
    more than 20 values stays below 1. A constant code has no information, and the second best of a
    single code is 0. Raises ValueError for codes that are not finite and for a factor of one value.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    information = mutual_information(discretize(codes, bins), factors)  # (..., z, f)
    nothing = np.zeros_like(information[..., :1, :])
    ranked = np.sort(np.concatenate([nothing, information], axis=-2), axis=-2)
    gaps = (ranked[..., -1, :] - ranked[..., -2, :]) / entropy(factors)
    return {"mig": numbers(gaps.mean(axis=-1))}
