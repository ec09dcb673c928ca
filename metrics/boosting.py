"""Gradient-boosted trees for classification: Friedman, "Greedy Function Approximation: A Gradient
Boosting Machine", Annals of Statistics 29(5), 2001, algorithm 6, as in scikit-learn.

    p_c = softmax(F)_c;  the tree of stage s and class c fits g_c = 1[y = c] − p_c
    leaf l: γ_l = (K − 1)/K · Σ_{i ∈ l} g_i / Σ_{i ∈ l} |g_i| (1 − |g_i|);  F_c ← F_c + ν γ_l
    importance of a code: Σ over its splits of the decrease of Σ (g − mean g)²

The trees are scikit-learn's, split by split; only of splits that are equally good it draws one,
and here it is the first.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num, Shaped

from .regression_tree import BINS, NODES, SAME, compute_residuals, grow_trees

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
SHARES = 4 * THREADS  # of the work, so that a thread that is held up keeps few waiting


class Trees(NamedTuple):
    """A factor's trees: stage s, class k (one tree a stage for two classes), nodes from the root,
    the children of i being 2 i + 1 and 2 i + 2."""

    feature: Int[np.ndarray, "s k nodes"]  # the code that a node splits by; −1 is a leaf
    threshold: Float[np.ndarray, "s k nodes"]  # codes up to it go left
    value: Float[np.ndarray, "s k nodes"]  # γ of a leaf


class Boosted(NamedTuple):
    """A classifier for each factor."""

    importance: Float[np.ndarray, "z f"]  # columns sum to 1; to 0 where there was nothing to split
    fitted: Shaped[np.ndarray, "n f"]  # what it says of the points it was fitted to
    predicted: Shaped[np.ndarray, "m f"]  # and of the others
    trees: list[Trees]


def boost(
    codes: Num[np.ndarray, "n z"],
    factors: Shaped[np.ndarray, "n f"],
    others: Num[np.ndarray, "m z"],
    *,
    stages: int = 100,
    rate: float = 0.1,
    seed: int = 0,
) -> Boosted:
    """Fit a classifier of the codes to each column of `factors`, and ask it about `others`."""
    points = _Points.of(codes, factors)
    others = np.ascontiguousarray(others.T, np.float32)
    classes, labels = zip(
        *(np.unique(f, return_inverse=True) for f in points.factors.T), strict=True
    )
    labels = np.stack(labels)
    priors = [_prior(own, points.weight) for own in labels]
    borders = np.append(0, np.cumsum([len(prior) for prior in priors]))
    shrinkage = np.concatenate([_shrinkage(len(prior)) for prior in priors])
    scores, other_scores = (
        np.repeat(np.concatenate(priors)[:, None], count, axis=1)
        for count in (len(points.weight), others.shape[1])
    )
    residuals = np.empty_like(scores)
    importance = np.zeros((len(scores), len(others)))
    shape = stages, len(scores), NODES
    feature, threshold, value = np.full(shape, -1), np.zeros(shape), np.zeros(shape)
    seeds = np.random.default_rng(seed).integers(2**63, size=len(scores)).astype(np.uint64)
    fixed = points.codes, points.bins, points.order, points.starts, points.weight, residuals
    steps = shrinkage, rate, seeds

    def residuals_of(part):
        compute_residuals(scores, labels, borders, residuals, *part)

    def trees_of(part, stage):
        trees = feature[stage], threshold[stage], value[stage], importance
        grow_trees(*part, *fixed, *steps, *trees, scores, others, other_scores)

    with ThreadPoolExecutor(THREADS) as pool:  # compiled code leaves Python's lock
        for stage in range(stages):
            list(pool.map(residuals_of, _parts(len(points.weight))))
            list(pool.map(partial(trees_of, stage=stage), _parts(len(scores))))
    return Boosted(
        np.stack([_relative(importance[a:b].sum(axis=0)) for a, b in pairwise(borders)], axis=1),
        _classify(scores, classes, borders)[points.inverse],
        _classify(other_scores, classes, borders),
        [Trees(*(x[:, a:b] for x in (feature, threshold, value))) for a, b in pairwise(borders)],
    )


def tree_seconds(points: int, codes: int, classes: int, stages: int = 100) -> float:
    """About how long `boost` takes, by its time on two cores of 2026; classes of all factors."""
    return 6e-9 / THREADS * stages * points * codes * classes


class _Points(NamedTuple):
    """The points to fit to, each once, and what growing a tree needs to know of their codes."""

    factors: Shaped[np.ndarray, "u f"]
    weight: Float[np.ndarray, " u"]  # how many points are the same
    inverse: Int[np.ndarray, " n"]  # where each point is among them
    codes: Float[np.ndarray, "z u"]
    bins: Int[np.ndarray, "u z"]
    order: Int[np.ndarray, "z u"]
    starts: Int[np.ndarray, "z bins+1"]

    @classmethod
    def of(cls, codes, factors):
        codes = np.ascontiguousarray(codes, np.float32) + np.float32(0)  # −0 is 0
        labels = np.stack([np.unique(f, return_inverse=True)[1] for f in factors.T], axis=1)
        rows = np.hstack([codes.view(np.int32), labels.astype(np.int32)])
        rows = np.ascontiguousarray(rows).view([("", np.int32)] * rows.shape[1]).ravel()
        _, first, inverse, weight = np.unique(
            rows, return_index=True, return_inverse=True, return_counts=True
        )
        codes = np.ascontiguousarray(codes[first].T)
        binned = [_bins(code) for code in codes]
        bins, order, starts = (np.stack(parts) for parts in zip(*binned, strict=True))
        bins = np.ascontiguousarray(bins.T)
        weight = weight.astype(np.float64)
        return cls(factors[first], weight, inverse, codes, bins, order, starts)


def _prior(labels, weight):
    """A factor's scores before the first stage; of two classes the log-odds of the second alone."""
    share = np.bincount(labels, weight) / weight.sum()
    if len(share) < 2:
        raise ValueError("factors must vary, found one value")
    return np.log(share) if len(share) > 2 else np.log(share[1:] / share[:1])


def _shrinkage(trees):
    """(K − 1)/K of the steps of K classes; two classes share one tree, whose step is Newton's."""
    return np.full(trees, (trees - 1) / trees if trees > 1 else 1.0)


def _parts(count):
    """(start, stop) of nearly equal shares."""
    return list(pairwise(np.linspace(0, count, min(count, SHARES) + 1).astype(int)))


def _relative(importance):
    """In shares of all; rounding may leave less than nothing."""
    importance = np.abs(importance)
    return importance / (importance.sum() or 1)


def _classify(scores, classes, borders):
    """The class of the largest score of each factor, [points, f]."""
    found = []
    for known, a, b in zip(classes, borders, borders[1:], strict=False):
        best = scores[a:b].argmax(axis=0) if b - a > 1 else scores[a] >= 0
        found.append(known[best.astype(int)])
    return np.stack(found, axis=1)


def _bins(code):
    """A code's bin of each point, its order, and where bins start in it.

    About as many points a bin; values too close to be parted are in one.
    """
    order = np.argsort(code, kind="stable")
    ranked = code[order]
    first = np.append(True, ranked[1:] > ranked[:-1] + SAME)
    group_start = np.maximum.accumulate(np.where(first, np.arange(len(code)), 0))
    ranked_bins = group_start * BINS // len(code)
    bins = np.empty(len(code), np.uint8)
    bins[order] = ranked_bins
    starts = np.searchsorted(ranked_bins, np.arange(BINS + 1))
    return bins, order.astype(np.int32), starts
