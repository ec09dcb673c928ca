"""Plug-in information of discrete samples, in nats, and the binning that makes codes discrete."""

import numpy as np
from jaxtyping import Int, Num


def discretize(codes: Num[np.ndarray, "n z"], bins: int) -> Int[np.ndarray, "n z"]:
    """Each code's bin, from 1, among `bins` of equal width between its minimum and maximum.

    Edges are computed in the precision of the codes and the maximum falls into the last bin, as
    in the study's reference code; a constant code has one bin.
    """
    return np.stack([_bins(code, bins) for code in codes.T], axis=1)


def mutual_information(
    a: Int[np.ndarray, "n a"], b: Int[np.ndarray, "n b"]
) -> Num[np.ndarray, "a b"]:
    """I(a_i; b_j) of every pair of columns, from their joint histogram; ≥ 0.

    Exactly 0 for a constant column, where rounding would leave 1e-17: metrics ask for ratios.
    """
    a, b = _labels(a), _labels(b)
    information = np.empty((a.shape[1], b.shape[1]))
    for i, u in enumerate(a.T):
        for j, v in enumerate(b.T):
            size = (u.max() + 1, v.max() + 1)
            joint = np.bincount(u * size[1] + v, minlength=size[0] * size[1]).reshape(size) / len(u)
            independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
            seen = joint > 0
            information[i, j] = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))
    return np.where(information > 1e-12, information, 0)


def entropy(a: Int[np.ndarray, "n a"]) -> Num[np.ndarray, " a"]:
    """H(a_i) of every column, from its histogram."""
    shares = [np.unique(column, return_counts=True)[1] / len(column) for column in a.T]
    return np.array([-np.sum(share * np.log(share)) for share in shares])


def _bins(code, bins):
    try:
        edges = np.histogram_bin_edges(code, bins)[:-1]
    except ValueError:
        # Its range holds fewer numbers than bins, as a collapsed code's may in single precision;
        # the study's code fails. Every number is a bin of its own.
        return np.unique(code, return_inverse=True)[1] + 1
    return np.digitize(code, edges)


def _labels(a):
    """Each column's values as 0, 1, …: small, so that joint histograms are."""
    return np.stack([np.unique(column, return_inverse=True)[1] for column in a.T], axis=1)
