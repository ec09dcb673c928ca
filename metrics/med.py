"""MED, mutual information based entropy disentanglement: Cao, Nai, Yang, Huang & Gao, "An Empirical
Study on Disentanglement of Negative-free Contrastive Learning", NeurIPS 2022.

    R_ij = I(z_i; v_j) / Σ_k I(z_k; v_j)
    MED = D of DCI on R;  top-k MED: on the rows of R chosen for each factor j, the k
    with the largest 1 − H_F(R_i· / Σ_l R_il) of those with argmax_l R_il = j
"""

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from .dci import concentration, row_concentration
from .information import discretize, mutual_information
from .metric import Numbers, check_codes_and_factors, register


@register("med", of="codes", batched=True)
def med(
    codes: Num[np.ndarray, "*runs n z"],
    factors: Int[np.ndarray, "n f"],
    *,
    bins: int = 20,
    top: int = 1,
) -> dict[str, Numbers]:
    """DCI with mutual information as importance: cheap, without a model to fit, for any width.

    codes [..., n, z], factors [n, f] whole numbers. `med` asks whether each code is about one
    factor, `med_completeness` whether each factor is in one code, and `med_top1` (with `top` = 1)
    asks the first of the most disentangled code of each factor only: is there a disentangled part
    of a wide representation? All in [0, 1], higher is better; about 0 for codes that know nothing.

    Traps. Shares are of what all codes know of a factor together, so a factor that they hardly know
    counts as much as others, and its estimation error entangles: a single code of one factor of
    three has `med` 0. Information is the plug-in estimate in bins of equal width, whose bias is
    information about every factor: perfect codes of dSprites score .94 with 10,000 points, so
    compare with the same number only. `med_top1` chooses codes by what their information is about,
    not by how much it is.

    Constant codes have no weight, and codes without information score 0. With a single factor `med`
    is 1, with a single code `med_completeness`. Raises ValueError for codes that are not finite,
    for a factor of one value, and for `top` below 1.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    if top < 1:
        raise ValueError(f"top must be 1 at least, found {top}")
    information = mutual_information(discretize(codes, bins), factors)  # (..., z, f)
    known = information.sum(axis=-2, keepdims=True)
    importance = information / np.where(known > 0, known, 1)
    return {
        "med": concentration(importance),
        "med_completeness": concentration(np.swapaxes(importance, -1, -2)),
        f"med_top{top}": concentration(importance * selected(importance, top)[..., None]),
    }


def selected(importance: Float[np.ndarray, "*runs z f"], top: int) -> Bool[np.ndarray, "*runs z"]:
    """Which codes are among the `top` most disentangled of those that know most of their factor."""
    score = row_concentration(importance)
    own = importance.argmax(axis=-1)
    rivals = own[..., :, None] == own[..., None, :]
    # Of equals the first goes first.
    order = np.argsort(np.argsort(-score, axis=-1, kind="stable"), axis=-1)
    before = (order[..., None, :] < order[..., :, None]) & rivals
    return before.sum(axis=-1) < top
