"""Linear support vector machines of one feature, all classes at once: Fan et al.,
"LIBLINEAR: A Library for Large Linear Classification", JMLR 9, 2008, with the squared hinge.

    min_{w, b} ½ (w² + b²) + Σ_i C_i max(0, 1 − y_i (w x_i + b))²,   y_i = 1 for one class, else −1
    C_i = C n / (K n_c) where y_i = 1, and C elsewhere (of two classes, each its own)

The points inside the margin are those on one side of a threshold, so once a class's points are
sorted, their sums come from a table and a step of Newton's costs a binary search.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num, Shaped

STEPS = 100  # of Newton's method; it takes about ten
HALVINGS = 30


class Lines(NamedTuple):
    """A decision value w x + b for each class; for two classes one, positive for the second."""

    classes: Shaped[np.ndarray, " k"]
    w: Float[np.ndarray, "z k"]
    b: Float[np.ndarray, "z k"]

    def predict(self, code: Num[np.ndarray, " m"], i: int) -> Shaped[np.ndarray, " m"]:
        """The classes of points by the lines of code i."""
        values = np.multiply.outer(code.astype(np.float64), self.w[i]) + self.b[i]
        best = values[:, 0] > 0 if values.shape[1] == 1 else values.argmax(axis=1)
        return self.classes[best.astype(int)]


def fit_lines(
    codes: Num[np.ndarray, "n z"], labels: Shaped[np.ndarray, " n"], c: float = 0.01
) -> Lines:
    """For each code alone, one class against the rest, with balanced weights."""
    classes, labels = np.unique(labels, return_inverse=True)
    counts = np.bincount(labels)
    weights = c * len(labels) / (len(classes) * counts)
    if len(classes) == 2:
        first, costs = 1, (weights[1:], weights[:1])
    else:
        first, costs = 0, (weights, np.full(len(classes), c))
    codes = codes.astype(np.float64)
    ours, every = _Sums.of(codes, labels, first), _Sums.of(codes, np.zeros_like(labels), 0)
    return Lines(classes, *_newton(ours, every, *costs))


class _Sums(NamedTuple):
    """Each class's points in rising order of a code, and Σ 1, Σ x and Σ x² of all before each."""

    values: Float[np.ndarray, "z n"]
    sums: Float[np.ndarray, "z n+1 3"]
    start: Int[np.ndarray, " k"]
    stop: Int[np.ndarray, " k"]

    @classmethod
    def of(cls, codes, labels, first):
        """Of the classes from `first` on."""
        order = np.stack([np.lexsort((code, labels)) for code in codes.T])
        x = np.take_along_axis(codes.T, order, axis=1)
        sums = np.cumsum(np.stack([np.ones_like(x), x, x * x], axis=-1), axis=1)
        borders = np.append(0, np.cumsum(np.bincount(labels)))
        return cls(
            x, np.pad(sums, ((0, 0), (1, 0), (0, 0))), borders[first:-1], borders[first + 1 :]
        )

    def beyond(self, threshold, above):
        """Sums [z, k, 3] over the points above the threshold [z, k], or where not `above` below."""
        rows = np.arange(len(self.values))[:, None]
        low, high = (np.broadcast_to(border, threshold.shape) for border in self[2:])
        while (low < high).any():
            middle = (low + high) // 2
            x = self.values[rows, np.minimum(middle, self.values.shape[1] - 1)]
            right = (low < high) & (x < threshold)
            low, high = np.where(right, middle + 1, low), np.where(right, high, middle)
        border, first, last = (self.sums[rows, i] for i in (low, self.start, self.stop))
        return np.where(above[..., None], last - border, border - first)


def _newton(ours, every, cost, other_cost):
    """w and b [z, k] at the minimum: the loss is smooth, convex and quadratic between kinks."""

    def look(w, b):
        """Loss, its gradient and its curvature [w w, w b, b b]."""
        slope = np.where(w == 0, 1e-300, w)
        # Inside the margin: 1 − w x − b > 0 for the class, 1 + w x + b > 0 for the others.
        inside = ours.beyond(_bounded((1 - b) / slope), slope < 0)
        edge, above = _bounded((-1 - b) / slope), slope > 0
        others = every.beyond(edge, above) - ours.beyond(edge, above)
        loss, gradient_w, gradient_b = 0.5 * (w * w + b * b), w, b
        curvature = [1.0, 0.0, 1.0]
        for (n, x, xx), y, c in (
            (np.moveaxis(inside, -1, 0), 1, cost),
            (np.moveaxis(others, -1, 0), -1, other_cost),
        ):
            d = b - y
            loss = loss + c * (w * w * xx + 2 * w * d * x + d * d * n)
            gradient_w = gradient_w + 2 * c * (w * xx + d * x)
            gradient_b = gradient_b + 2 * c * (w * x + d * n)
            curvature = [a + 2 * c * s for a, s in zip(curvature, (xx, x, n), strict=True)]
        return loss, gradient_w, gradient_b, curvature

    w = b = np.zeros((len(ours.values), len(ours.start)))
    loss, gw, gb, (ww, wb, bb) = look(w, b)
    for _ in range(STEPS):
        determinant = ww * bb - wb * wb
        dw, db = (wb * gb - bb * gw) / determinant, (wb * gw - ww * gb) / determinant
        promise = gw * dw + gb * db  # how fast the loss falls; below 0
        if (-promise <= 1e-12 * loss).all():
            break
        step = np.ones_like(w)
        for _ in range(HALVINGS):
            worse = look(w + step * dw, b + step * db)[0] > loss + 0.25 * step * promise
            if not (worse & (-promise > 1e-12 * loss)).any():
                break
            step = np.where(worse, step / 2, step)
        w, b = w + step * dw, b + step * db
        loss, gw, gb, (ww, wb, bb) = look(w, b)
    return w, b


def _bounded(threshold):
    """A threshold far outside is as good as an infinite one."""
    return np.clip(threshold, -1e300, 1e300)
