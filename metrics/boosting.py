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
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num, Shaped

from .regression_tree import BINS, NODES, SAME, descend, grow

BLOCK = 512  # points whose probabilities are computed at a time, so that they stay in the cache
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
    fits = [
        _Fit(factor, points, others.shape[1], stages, seed + 2**20 * j)
        for j, factor in enumerate(points.factors.T)
    ]
    tasks = [(fit, k) for fit in fits for k in range(len(fit.scores))]
    blocks = [slice(i, i + BLOCK) for i in range(0, len(points.weight), BLOCK)]

    def compute_residuals(stage, share):
        for block in blocks[share::SHARES]:
            for fit in fits:
                fit.compute_residuals(block)

    def grow_trees(stage, share):
        at = np.empty(len(points.weight), np.uint8)
        for fit, k in tasks[share::SHARES]:
            fit.grow_tree(stage, k, points, others, rate, at)

    with ThreadPoolExecutor(THREADS) as pool:  # compiled code and NumPy leave Python's lock
        for stage in range(stages):
            for work in (compute_residuals, grow_trees):
                list(pool.map(partial(work, stage), range(SHARES)))
    return Boosted(
        np.stack([fit.relative_importance() for fit in fits], axis=1),
        np.stack([fit.classify(fit.scores)[points.inverse] for fit in fits], axis=1),
        np.stack([fit.classify(fit.other_scores) for fit in fits], axis=1),
        [fit.trees for fit in fits],
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


class _Fit:
    """The classifier of one factor as it grows."""

    def __init__(self, factor, points, others, stages, seed):
        self.classes, self.labels = np.unique(factor, return_inverse=True)
        k = len(self.classes)
        if k < 2:
            raise ValueError(f"factors must vary, found only {factor[0]}")
        share = np.bincount(self.labels, points.weight) / points.weight.sum()
        # Two classes have one score, the log-odds of the second.
        prior = np.log(share) if k > 2 else np.log(share[1:] / share[:1])
        self.shrinkage = (k - 1) / k if k > 2 else 1.0
        self.scores = np.tile(prior[:, None], len(factor))
        self.other_scores = np.tile(prior[:, None], others)
        self.residuals = np.empty_like(self.scores)
        shape = (stages, len(prior), NODES)
        self.trees = Trees(np.full(shape, -1), np.zeros(shape), np.zeros(shape))
        self.importance = np.zeros((len(prior), len(points.codes)))
        self.seed = seed

    def compute_residuals(self, block):
        """g_c of a block of points."""
        scores, labels = self.scores[:, block], self.labels[block]
        if len(scores) == 1:
            self.residuals[:, block] = labels - 1 / (1 + np.exp(-scores))
            return
        shares = np.exp(scores - scores.max(axis=0))
        shares /= -shares.sum(axis=0)
        shares[labels, np.arange(len(labels))] += 1
        self.residuals[:, block] = shares

    def grow_tree(self, stage, k, points, others, rate, at):
        """Add the tree of one stage and class to the scores."""
        feature, threshold, value = (part[stage, k] for part in self.trees)
        grow(
            points.codes,
            points.bins,
            points.order,
            points.starts,
            points.weight,
            self.residuals[k],
            np.array([self.seed + stage * len(self.scores) + k], np.uint64) << np.uint64(32),
            feature,
            threshold,
            value,
            self.importance[k],
            at,
        )
        value *= self.shrinkage
        self.scores[k] += rate * value[at]
        descend(others, feature, threshold, value, rate, self.other_scores[k])

    def relative_importance(self):
        """Of each code, [z], in shares of all; rounding may leave less than nothing."""
        importance = np.abs(self.importance.sum(axis=0))
        return importance / (importance.sum() or 1)

    def classify(self, scores):
        """The class of the largest score."""
        best = scores[0] >= 0 if len(scores) == 1 else scores.argmax(axis=0)
        return self.classes[best.astype(int)]


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
