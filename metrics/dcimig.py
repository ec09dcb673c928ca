"""DCIMIG: Sepliarskaia, Kiseleva & de Rijke, "Evaluating Disentangled Representations",
arXiv:1910.05587, 2019.

    DCIMIG = Σ_k max_{j: k(j) = k} g_j / Σ_k H(v_k)        the maximum over no code is 0
    g_j = I(z_j; v_k(j)) − max_{k ≠ k(j)} I(z_j; v_k),  k(j) = argmax_k I(z_j; v_k)
"""

import numpy as np
from jaxtyping import Int, Num

from .information import discretize, entropy, mutual_information
from .metric import Numbers, check_codes_and_factors, numbers, register
from .mig_sup import gaps


@register("dcimig", of="codes", batched=True)
def dcimig(
    codes: Num[np.ndarray, "*runs n z"], factors: Int[np.ndarray, "n f"], *, bins: int = 20
) -> dict[str, Numbers]:
    """DCIMIG: how much of the factors is in codes that know of no other factor?

    Each factor gets the best of the codes that know most about it, by the code's gap to its second
    factor. codes [..., n, z], factors [n, f] whole numbers. In [0, 1], higher is better; about 0
    for codes that know nothing. Dead codes, and factors that are in several codes, do not matter;
    a factor without a code does. It is a ratio of sums, so a factor counts by its entropy: on
    dSprites orientation counts three times as much as shape. Information is the plug-in estimate
    after putting each code in `bins` bins of equal width, so a code of a factor with more values
    stays below 1. The second best of a single factor is 0. Raises ValueError for codes that are not
    finite and for a factor of one value.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    information = mutual_information(discretize(codes, bins), factors)  # (..., z, f)
    own = information.argmax(axis=-1)[..., None] == np.arange(factors.shape[1])
    best = (gaps(information)[..., None] * own).max(axis=-2)  # (..., f)
    return {"dcimig": numbers(best.sum(axis=-1) / entropy(factors).sum())}
