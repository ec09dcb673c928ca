"""Many questions at once: p-values that say how often any of the answers is luck."""

import numpy as np
from scipy import stats


def holm(p) -> np.ndarray:
    """p-values adjusted so that the chance of *any* false finding among them is held, in the shape
    of `p`; NaN are no questions and stay NaN.

    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 1979: the k-th smallest of m times m − k + 1, made to rise. Holds whatever the
    questions have to do with each other.
    """
    p = np.asarray(p, float)
    asked = ~np.isnan(p)
    order = np.argsort(p[asked], kind="stable")
    steps = p[asked][order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    found = np.full(p.shape, np.nan)
    found[asked] = adjusted
    return found


def false_discovery_rate(p) -> np.ndarray:
    """p-values adjusted so that the expected share of false ones among the findings is held, in the
    shape of `p`; NaN are no questions and stay NaN.

    Benjamini & Hochberg, "Controlling the False Discovery Rate", JRSS B 1995. Holds for independent
    questions and for positively dependent ones, which comparisons of one table largely are.
    """
    p = np.asarray(p, float)
    asked = ~np.isnan(p)
    found = np.full(p.shape, np.nan)
    if asked.any():
        found[asked] = stats.false_discovery_control(p[asked])
    return found
