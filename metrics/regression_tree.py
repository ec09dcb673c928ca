"""Regression trees of depth three, compiled: the inner loops of `boosting`.

A split is sought in histograms first. S²/W is convex in (S, W), so the largest value that a cut
inside a bin can have is known from the bin's sums, and only the bins where it beats the best cut
between bins are looked at point by point: the result is that of looking at every cut. Histograms
of a node's larger child are the node's less the smaller child's.
"""

from typing import no_type_check

import numpy as np
from numba import njit

DEPTH = 3
SPLITS, NODES = 2**DEPTH - 1, 2 ** (DEPTH + 1) - 1  # node i's children are 2 i + 1 and 2 i + 2
BINS = 64
SAME = np.float32(1e-7)  # scikit-learn does not part codes that are so close together
BETTER = 1 + 1e-12  # than what is better by less, which may be rounding
EPSILON = np.finfo(np.float64).eps  # nor split a node of less variance

compiled = njit(nogil=True, cache=True, error_model="numpy")


@compiled
@no_type_check
def compute_residuals(scores, labels, borders, residuals, start, stop):
    """g_k of the points start, …, stop − 1: what the scores' probabilities lack to the labels.

    scores and residuals [k, n]; those of factor j are from borders[j] to borders[j + 1], one row
    for two classes; labels [f, n] from 0.
    """
    for j in range(len(labels)):
        own = scores[borders[j] : borders[j + 1], start:stop]
        to = residuals[borders[j] : borders[j + 1], start:stop]
        here = labels[j, start:stop]
        if len(own) == 1:
            for i in range(len(here)):
                to[0, i] = here[i] - 1 / (1 + np.exp(-own[0, i]))
            continue
        most, total = own[0].copy(), np.zeros(len(here))
        for k in range(len(own)):
            for i in range(len(here)):
                most[i] = max(most[i], own[k, i])
        for k in range(len(own)):
            for i in range(len(here)):
                to[k, i] = np.exp(own[k, i] - most[i])
                total[i] += to[k, i]
        for k in range(len(own)):
            for i in range(len(here)):
                to[k, i] = (here[i] == k) - to[k, i] / total[i]


@compiled
@no_type_check
def grow_trees(
    start,
    stop,
    codes,
    bins,
    order,
    starts,
    weight,
    residuals,
    shrinkage,
    rate,
    seeds,
    feature,
    threshold,
    value,
    importance,
    scores,
    others,
    other_scores,
):
    """Grow the trees start, …, stop − 1 of a stage, and add what they say to the scores."""
    at = np.empty(len(weight), np.uint8)
    for k in range(start, stop):
        grow(
            codes,
            bins,
            order,
            starts,
            weight,
            residuals[k],
            seeds[k : k + 1],
            feature[k],
            threshold[k],
            value[k],
            importance[k],
            at,
        )
        value[k] *= shrinkage[k]
        for i in range(len(at)):
            scores[k, i] += rate * value[k, at[i]]
        descend(others, feature[k], threshold[k], value[k], rate, other_scores[k])


@compiled
@no_type_check
def grow(
    codes, bins, order, starts, weight, gradient, seed, feature, threshold, value, importance, at
):
    """Fit a tree to `gradient` [n] by weighted least squares; its leaves get Newton's step.

    codes [z, n] in single precision, and of each code: bins [n, z], the order of its values [z, n]
    and where bins start in it [z, BINS + 1]. `seed` [1] draws among splits that are equally good.
    Written to: feature, threshold and value [NODES], the node each point ends in, `at` [n];
    importance [z] is added to.
    """
    z, n = codes.shape
    members = np.arange(n)
    codes_in_turn = np.arange(z)
    spare = np.empty(n, np.int64)
    begin, end = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64)
    histograms = np.zeros((SPLITS, z, BINS, 3))
    at[:] = 0
    end[0] = n
    feature[:] = -1
    _fill(histograms[0], members, bins, weight, gradient)
    for node in range(NODES):
        inside = members[begin[node] : end[node]]
        if len(inside) == 0:
            continue
        if node < SPLITS:
            total, mass, squares = 0.0, 0.0, 0.0
            for i in inside:
                total += weight[i] * gradient[i]
                mass += weight[i]
                squares += weight[i] * gradient[i] ** 2
            if mass >= 2 and squares / mass - (total / mass) ** 2 > EPSILON:
                _shuffle(codes_in_turn, seed)
                gain, code, low, high = _best_split(
                    histograms[node],
                    codes_in_turn,
                    codes,
                    order,
                    starts,
                    weight,
                    gradient,
                    at,
                    node,
                    total,
                    mass,
                )
                if code >= 0:
                    middle = low / 2.0 + high / 2.0
                    if middle == high:
                        middle = np.float64(low)
                    feature[node], threshold[node] = code, middle
                    importance[code] += gain - total * total / mass
                    left, right = 2 * node + 1, 2 * node + 2
                    count = _part(inside, spare, codes[code], middle, at, left, right)
                    begin[left], end[left] = begin[node], begin[node] + count
                    begin[right], end[right] = begin[node] + count, end[node]
                    if right < SPLITS:
                        small, large = left, right
                        if 2 * count > len(inside):
                            small, large = right, left
                        points = members[begin[small] : end[small]]
                        _fill(histograms[small], points, bins, weight, gradient)
                        histograms[large] = histograms[node] - histograms[small]
                    continue
        above, below = 0.0, 0.0
        for i in inside:
            size = abs(gradient[i])
            above += weight[i] * gradient[i]
            below += weight[i] * size * (1 - size)
        value[node] = above / below if below >= 1e-150 else 0.0


@compiled
@no_type_check
def descend(codes, feature, threshold, value, rate, scores):
    """Add to scores [m] what a tree says of codes [z, m], times `rate`."""
    for i in range(len(scores)):
        node = 0
        while feature[node] >= 0:
            node = 2 * node + 1 + (codes[feature[node], i] > threshold[node])
        scores[i] += rate * value[node]


@compiled
@no_type_check
def _fill(histogram, points, bins, weight, gradient):
    """Add up, by code and bin, Σ w g, Σ w |g| and Σ w of these points."""
    for i in points:
        w = weight[i]
        g = w * gradient[i]
        size = abs(g)
        for j in range(bins.shape[1]):
            cell = histogram[j, bins[i, j]]
            cell[0] += g
            cell[1] += size
            cell[2] += w


@compiled
@no_type_check
def _best_split(
    histogram, codes_in_turn, codes, order, starts, weight, gradient, at, node, total, mass
):
    """(S_l²/W_l + S_r²/W_r, code, value left of the cut, value right of it), code −1 if none.

    Few points are often parted in the same way by several codes. The first in turn is taken, and
    the rounding of sums does not decide.
    """
    best, code, where = -np.inf, -1, -1
    low, high = np.float32(0), np.float32(0)
    for j in codes_in_turn:
        s, w = 0.0, 0.0
        for b in range(BINS):
            if histogram[j, b, 2] > 0:
                s += histogram[j, b, 0]
                w += histogram[j, b, 2]
                if w >= mass:
                    break
                gain = s * s / w + (total - s) ** 2 / (mass - w)
                if gain > best * BETTER or code < 0:
                    best, code, where = gain, j, b
    for j in codes_in_turn:
        s0, w0 = 0.0, 0.0
        for b in range(BINS):
            g, size, w = histogram[j, b]
            if w >= 2:
                # A cut inside has at least one point of the bin on either side.
                bound = 0.0
                for s in (s0 + (g - size) / 2, s0 + (g + size) / 2):
                    for v in (w0 + 1, w0 + w - 1):
                        bound = max(bound, s * s / v + (total - s) ** 2 / (mass - v))
                if bound >= best:
                    s, v, last, seen = s0, w0, np.float32(0), False
                    for i in order[j, starts[j, b] : starts[j, b + 1]]:
                        if at[i] == node:
                            x = codes[j, i]
                            if seen and x > last + SAME:
                                gain = s * s / v + (total - s) ** 2 / (mass - v)
                                if gain > best * BETTER or code < 0:
                                    best, code, where = gain, j, -1
                                    low, high = last, x
                            s += weight[i] * gradient[i]
                            v += weight[i]
                            last, seen = x, True
            s0 += g
            w0 += w
    if where >= 0:
        for i in order[code, starts[code, where] : starts[code, where + 1]]:
            if at[i] == node:
                low = codes[code, i]
        for i in order[code, starts[code, where + 1] :]:
            if at[i] == node:
                high = codes[code, i]
                break
    return best, code, low, high


@compiled
@no_type_check
def _shuffle(items, seed):
    """Fisher and Yates, with numbers by splitmix64 (Steele, Lea & Flood, OOPSLA 2014)."""
    for last in range(len(items) - 1, 0, -1):
        seed[0] += np.uint64(0x9E3779B97F4A7C15)
        x = seed[0]
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
        i = int(x % np.uint64(last + 1))
        items[last], items[i] = items[i], items[last]


@compiled
@no_type_check
def _part(inside, spare, code, middle, at, left, right):
    """Put the points of the left child first, in order; how many they are."""
    count, others = 0, 0
    for i in inside:
        if code[i] <= middle:
            at[i] = left
            inside[count] = i
            count += 1
        else:
            at[i] = right
            spare[others] = i
            others += 1
    inside[count:] = spare[:others]
    return count
