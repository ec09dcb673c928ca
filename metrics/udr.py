"""The unsupervised disentanglement ranking: Duan, Matthey, Saraiva, Watters, Burgess, Lerchner &
Higgins, "Unsupervised Model Selection for Variational Disentangled Representation Learning", ICLR
2020, section 4.

    R_ab ≥ 0: how much code a of run i has to do with code b of run j
    UDR_ij = ½ (mean_b max_a R_ab² / Σ_a R_ab + mean_a max_b R_ab² / Σ_b R_ab),  informative a, b
    UDR_j = median_{i ≠ j} UDR_ij
"""

import numpy as np
from jaxtyping import Bool, Float, Num
from scipy.stats import rankdata

from .metric import check_codes, register


@register("udr", of="setting")
def udr(
    codes: Num[np.ndarray, "m n z"],
    kl: Float[np.ndarray, "m any"],
    *,
    alpha: float = 0.1,
    threshold: float = 0.01,
) -> dict[str, Float[np.ndarray, " m"]]:
    """Do runs that differ in the seed alone find the same codes, up to their order and sign?

    codes [m, n, z] of m runs of one setting at the same n cells, and kl [m, z], the mean KL
    divergence of each code in nats; a code is informative above `threshold`. `udr_lasso` [m], where
    R are the coefficients of a lasso with penalty `alpha`, which shrink a perfect match to
    1 − `alpha`, and `udr_spearman` [m], of rank correlations; in [0, 1], higher is better. Codes
    that know nothing in common score about 0. Runs that are entangled in one and the same way
    agree, and score high. A run with no informative code agrees with none: every pair it is in
    scores 0, which also lowers the median of the others; if all are so, all score 0 (the authors'
    code fails there). Raises ValueError for a single run, which has nothing to be compared with,
    for codes and divergences that are not finite, and for posteriors that do not have one
    divergence a code, as where several codes are a one-hot.
    """
    codes, kl = check_codes(codes), check_codes(kl, "kl")
    if codes.ndim == 3 and kl.ndim == 2 and kl.shape[1] != codes.shape[2]:
        widths = f"{codes.shape[2]} and {kl.shape[1]}"
        raise ValueError(f"udr needs a KL of every code, found {widths} columns of codes and kl")
    if codes.ndim != 3 or kl.shape != (codes.shape[0], codes.shape[2]):
        shapes = f"{codes.shape} and {kl.shape}"
        raise ValueError(f"codes and kl must be [m, n, z] and [m, z], found shapes {shapes}")
    if len(codes) < 2:
        raise ValueError("codes must be of two runs at least, found one")
    if codes.shape[1] < 2:
        raise ValueError("codes must be two samples at least, found one")
    informative = kl > threshold
    relations = {
        "udr_lasso": lasso(correlation(codes, informative), alpha),
        "udr_spearman": np.abs(correlation(rankdata(codes, axis=1), informative)),
    }
    return {name: _medians(agreement(r, informative)) for name, r in relations.items()}


def correlation(
    codes: Num[np.ndarray, "m n z"], informative: Bool[np.ndarray, "m z"]
) -> Float[np.ndarray, "m z m z"]:
    """Pearson's correlation of every two codes; 0 for constants and codes not informative."""
    varies = informative & (np.ptp(codes, axis=1) > 0)
    centred = codes - codes.mean(axis=1, keepdims=True, dtype=np.float64)
    deviation = np.where(varies, centred.std(axis=1), 1)
    standard = centred / deviation[:, None] * varies[:, None]
    table = standard.transpose(1, 0, 2).reshape(codes.shape[1], -1)
    return (table.T @ table / len(table)).reshape(2 * (len(codes), codes.shape[2]))


def lasso(
    correlations: Float[np.ndarray, "m z m z"], alpha: float, sweeps: int = 1_000
) -> Float[np.ndarray, "m z m z"]:
    """|w| [i, a, j, b] of the codes a of run i that predict code b of run j.

    w minimises ‖y − Σ_a w_a x_a‖² / 2n + alpha ‖w‖₁ for standardised codes, by coordinate descent
    for all pairs of runs at once (Friedman, Hastie & Tibshirani, "Regularization Paths for
    Generalized Linear Models via Coordinate Descent", J. Stat. Softw. 2010). Of equal codes, among
    which it has no one solution, the first is taken.
    """
    m, z = correlations.shape[:2]
    own = np.stack([correlations[i, :, i] for i in range(m)])  # [i, a, a']
    target = correlations.reshape(m, z, m * z)
    w = np.zeros_like(target)
    for _ in range(sweeps):
        before = w.copy()
        for a in range(z):
            square = own[:, a, a, None]  # 1, or 0 for a code that is not informative
            rest = target[:, a] - np.einsum("ia,iab->ib", own[:, a], w) + square * w[:, a]
            w[:, a] = np.sign(rest) * np.maximum(np.abs(rest) - alpha, 0) * square
        if np.abs(w - before).max() < 1e-9:
            break
    return np.abs(w).reshape(correlations.shape)


def agreement(
    relation: Float[np.ndarray, "m z m z"], informative: Bool[np.ndarray, "m z"]
) -> Float[np.ndarray, "m m"]:
    """UDR_ij from R [i, a, j, b]."""
    # The paper divides one sum over the informative codes of both runs by their number; the two
    # means are those of the authors' code. They differ where the runs' numbers of codes do.
    r = relation * informative[:, :, None, None] * informative[None, None]
    of_b, of_a = strength(r, axis=1), strength(r, axis=3)  # [i, j, b] and [i, a, j]
    count = np.maximum(informative.sum(axis=1), 1)
    return (of_b.sum(axis=2) / count[None] + of_a.sum(axis=1) / count[:, None]) / 2


def strength(relation: Float[np.ndarray, "..."], axis: int) -> Float[np.ndarray, "..."]:
    """max² / Σ along an axis: the largest one, times its share. 0 where there is nothing."""
    total = relation.sum(axis=axis)
    return relation.max(axis=axis) ** 2 / np.where(total > 0, total, 1)


def _medians(scores):
    return np.array([np.median(np.delete(scores[:, j], j)) for j in range(len(scores))])
