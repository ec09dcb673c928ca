"""Clusters of codes against the values of a factor: k-means, as in Xie, Girshick & Farhadi,
"Unsupervised Deep Embedding for Clustering Analysis", ICML 2016.

    c = k-means(z), k = number of values of v
    accuracy = max_π 1/n Σ_i 1[v_i = π(c_i)] over one-to-one π (Kuhn, 1955)
    NMI = I(c; v) / ½ (H(c) + H(v)),  ARI = (RI − E RI) / (max RI − E RI) (Hubert & Arabie, 1985)

RI is the share of pairs of points on which c and v agree, and E RI its mean over permutations.
"""

import warnings

import numpy as np
from jaxtyping import Int, Num
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from .metric import check_codes_and_factors, register


@register("clustering", of="codes")
def clustering(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    *,
    starts: int = 10,
    seed: int = 0,
) -> dict[str, float]:
    """Do clusters of codes follow the values of a factor, without any label?

    codes [n, z], factors [n, f] whole numbers. `clustering_accuracy` and `clustering_nmi` in
    [0, 1], `clustering_ari` in [−½, 1]; for each factor with as many clusters as it has values,
    then the mean over factors; higher is better. Only ARI is 0 for codes that know nothing:
    accuracy is above 1/K for K even values, NMI above 0, and both rise as points become fewer. A
    grid of several factors cannot score 1, because clusters that follow one factor ignore the
    others (perfect codes of dSprites: ARI .15). Constant codes are one cluster: ARI = NMI = 0.

    Codes are not standardised: distances are those of the latent space, in which an informative
    code has a deviation of about 1 and a collapsed one next to none, and to stretch the latter
    would fill the space with noise. So the numbers change with the scale of a code. The best of
    `starts` runs of k-means, seeded by `seed`, is taken. Raises ValueError for codes that are not
    finite and for a factor of one value.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    ks = [len(np.unique(factor)) for factor in factors.T]
    clusters = {k: k_means(codes, k, starts=starts, seed=seed) for k in set(ks)}
    pairs = [(factor, clusters[k]) for factor, k in zip(factors.T, ks, strict=True)]
    scores = {
        "clustering_accuracy": matched_accuracy,
        "clustering_nmi": normalized_mutual_info_score,  # arithmetic is its default
        "clustering_ari": adjusted_rand_score,
    }
    return {key: float(np.mean([score(*pair) for pair in pairs])) for key, score in scores.items()}


def k_means(
    codes: Num[np.ndarray, "n z"], k: int, *, starts: int = 10, seed: int = 0
) -> Int[np.ndarray, " n"]:
    """The cluster of each point; fewer than `k` where there are fewer different codes."""
    with warnings.catch_warnings():
        # It says that it found fewer.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(k, n_init=starts, random_state=seed).fit(codes).labels_


def matched_accuracy(factor: Int[np.ndarray, " n"], clusters: Int[np.ndarray, " n"]) -> float:
    """The share of points in the cluster that is matched to their value, at best."""
    table = contingency_matrix(factor, clusters)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(factor))
