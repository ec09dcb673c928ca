"""Mutual information of a real number and a class, from nearest neighbours: Ross, "Mutual
Information between Discrete and Continuous Data Sets", PLoS ONE 9(2), 2014.

    I(z; v) = ψ(n) + 1/n Σ_i (ψ(k_i) − ψ(n_i) − ψ(m_i))
    n_i: points of i's class;  r_i: distance from i to its k_i-th neighbour of that class
    m_i: points of any class nearer to i than r_i, with i itself;  k_i = min(k, n_i − 1)
"""

import numpy as np
from jaxtyping import Float, Int, Num
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import digamma

ONE = 2**50  # of the fixed-point codes; |z| ≤ √(n − 1) leaves room for 67 million points
FAR = 2**62  # further from every code than any other code is


def knn_information(
    codes: Num[np.ndarray, "n z"], factors: Int[np.ndarray, "n f"], *, neighbors: int = 10
) -> Float[np.ndarray, "z f"]:
    """I(z_i; v_j) of every code and factor in nats; ≥ 0, and 0 for a constant code.

    Estimates may exceed H(v_j) a little, and independent codes get 0 half of the time and a little
    more else. Points alone in their class are left out, as in scikit-learn. Where codes tie, as
    those of a noiseless encoder do, distances are 0: noise of 10⁻¹⁰ standard deviations, the same
    for every code and every call (`default_rng(0)`), parts them. Raises ValueError for a factor
    that has no value twice.
    """
    noise = 1e-10 * np.random.default_rng(0).standard_normal(len(codes))
    information = np.zeros((codes.shape[1], factors.shape[1]))
    for j, factor in enumerate(factors.T):
        values, count = np.unique(factor, return_counts=True)
        if count.max() == 1:
            raise ValueError(f"factors must repeat a value, found all different in column {j}")
        classes = [np.flatnonzero(factor == value) for value in values[count > 1]]
        for i, code in enumerate(codes.T.astype(np.float64)):
            if np.ptp(code) > 0:
                information[i, j] = _information(_fixed_point(code, noise), classes, neighbors)
    return information


def _fixed_point(code, noise):
    # Differences of whole numbers are exact: the neighbour at the distance r_i itself is on no
    # side of it by rounding.
    return np.rint(ONE * ((code - code.mean()) / code.std() + noise)).astype(np.int64)


def _information(code, classes, neighbors):
    everything = np.sort(np.concatenate([code[points] for points in classes]))
    total = 0.0
    for points in classes:
        own = np.sort(code[points])
        k = min(neighbors, len(own) - 1)
        radius = _distance(own, k)
        below = np.searchsorted(everything, own - radius, side="right")
        nearer = np.searchsorted(everything, own + radius, side="left") - below
        nearer = np.maximum(nearer, 1)  # the point itself, where k others are equal to it
        total += len(own) * (digamma(k) - digamma(len(own))) - digamma(nearer).sum()
    return max(0.0, digamma(len(everything)) + total / len(everything))


def _distance(own, k):
    """From each of these sorted numbers to its k-th neighbour: the half of the shortest stretch
    of k + 1 that it is in, measured from it."""
    padded = np.pad(own, k, constant_values=(-FAR, FAR))
    first = sliding_window_view(padded[: len(own) + k], k + 1)
    last = sliding_window_view(padded[k:], k + 1)
    return np.maximum(own[:, None] - first, last - own[:, None]).min(axis=1)
