"""MIG-sup, the mutual information gap of codes: Li, Murkute, Gyawali & Wang, "Progressive Learning
and Disentanglement of Hierarchical Representations", ICLR 2020.

    MIG-sup = 1/z Σ_j (N_jk(j) − max_{k ≠ k(j)} N_jk),  k(j) = argmax_k N_jk
    N_jk = I(z_j; v_k) / H(v_k)
"""

import numpy as np
from jaxtyping import Float, Int, Num

from .information import discretize, entropy, mutual_information
from .metric import Numbers, check_codes_and_factors, numbers, register


@register("mig_sup", of="codes", batched=True)
def mig_sup(
    codes: Num[np.ndarray, "*runs n z"], factors: Int[np.ndarray, "n f"], *, bins: int = 20
) -> dict[str, Numbers]:
    """MIG-sup: does each code know of one factor, and of no other?

    What MIG asks of factors, asked of codes: a code of two factors lowers it, a factor in two codes
    does not. codes [..., n, z], factors [n, f] whole numbers. In [0, 1], higher is better; about 0
    for codes that know nothing. `mig_sup` is the mean over all codes, so each dead one lowers it:
    five of ten halve it. `mig_sup_active` is the mean over the active codes, those of variance
    above 0.01 as in the authors' code, and 0 where none is: it is in units of a VAE's codes, whose
    prior has variance 1. A factor that no code knows is noticed by neither. The second best of a
    single factor is 0. Information is the plug-in estimate after putting each code in `bins` bins
    of equal width, so a code of a factor with more values stays below 1. Raises ValueError for
    codes that are not finite and for a factor of one value.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    information = mutual_information(discretize(codes, bins), factors)  # (..., z, f)
    # By the factor's entropy, as in MIG and in the authors' code. Carbonneau et al. (2022) divide
    # by that of the binned code, which is not defined for a constant one.
    gap = gaps(information / entropy(factors))
    active = codes.var(axis=-2, dtype=np.float64) > 0.01
    of_active = (gap * active).sum(axis=-1) / np.maximum(active.sum(axis=-1), 1)
    return {"mig_sup": numbers(gap.mean(axis=-1)), "mig_sup_active": numbers(of_active)}


def gaps(information: Float[np.ndarray, "*runs a b"]) -> Float[np.ndarray, "*runs a"]:
    """Each row's largest entry less its second largest, which is 0 where there is one column."""
    nothing = np.zeros_like(information[..., :1])
    ranked = np.sort(np.concatenate([nothing, information], axis=-1), axis=-1)
    return ranked[..., -1] - ranked[..., -2]
