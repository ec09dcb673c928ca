"""JEMMIG, joint entropy minus mutual information gap: Do & Tran, "Theory and Evaluation Metrics for
Learning Disentangled Representations", ICLR 2020.

    JEMMIG_k = H(z_j(k), v_k) − I(z_j(k); v_k) + max_{j ≠ j(k)} I(z_j; v_k)
             = H(v_k | z_j(k)) + H(z_j(k) | v_k) + max_{j ≠ j(k)} I(z_j; v_k)
    j(k) = argmax_j I(z_j; v_k)
    jemmig = 1/F Σ_k (1 − JEMMIG_k / (H(v_k) + log bins)),  jemmig_nats = 1/F Σ_k JEMMIG_k
"""

import numpy as np
from jaxtyping import Int, Num

from .information import discretize, entropy, mutual_information
from .metric import Numbers, check_codes_and_factors, numbers, register
from .mig_sup import gaps


@register("jemmig", of="codes", batched=True)
def jemmig(
    codes: Num[np.ndarray, "*runs n z"], factors: Int[np.ndarray, "n f"], *, bins: int = 20
) -> dict[str, Numbers]:
    """JEMMIG: is each factor in one code, in no other, and that code about nothing else?

    MIG, with a price for what a factor's code says beyond the factor. codes [..., n, z], factors
    [n, f] whole numbers. `jemmig` in [0, 1], higher is better; `jemmig_nats` in nats from 0, lower
    is better: the paper's own. Perfect codes of no more values than bins score 1 and 0.

    The trap: codes without information do not score 0. A constant one says nothing beside the
    factor, either, and has JEMMIG_k = H(v_k): with 20 bins log 20 / (log 20 + H(v_k)), .55 on
    dSprites, where noise has .11. Compare with such codes before believing a middling score. The
    bound H(v_k) + log bins and so the score depend on `bins`. Information is the plug-in estimate
    in bins of equal width; the second best of a single code is 0. Raises ValueError for codes that
    are not finite and for a factor of one value.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    binned = discretize(codes, bins)
    information = mutual_information(binned, factors)  # (..., z, f)
    most = information.max(axis=-2)
    # Codes that know as much but for rounding: the one of least entropy, whatever their order.
    best = information >= most[..., None, :] - 1e-12
    of_best = np.where(best, _entropy(binned)[..., None], np.inf).min(axis=-2)
    of_factors = entropy(factors)
    joint = of_best + of_factors - most
    nats = joint - gaps(np.swapaxes(information, -1, -2))  # (..., f)
    score = 1 - nats / (of_factors + np.log(bins))
    return {
        "jemmig": numbers(score.mean(axis=-1)),
        "jemmig_nats": numbers(nats.mean(axis=-1)),
    }


def _entropy(binned):
    """H of every column of every run, (..., z)."""
    columns = np.moveaxis(binned, -2, 0)
    return entropy(columns.reshape(len(columns), -1)).reshape(columns.shape[1:])
