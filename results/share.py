"""Shares of runs, with intervals that are some also where the share is none or all."""

import numpy as np
from scipy import special

from .interval import LEVEL, Interval


def of_share(hits: np.ndarray, level: float = LEVEL):
    """The share of runs [..., strengths, seeds] that are 1 rather than 0, NaN not counting: value,
    low, high, from 0 to 1; fewer than two seeds have no interval.

    Wilson's, of as many independent runs as would vary like these do over seeds: fewer than there
    are where runs of a seed are alike, more where the strengths of a sweep differ (Korn & Graubard,
    "Confidence Intervals for Proportions with Small Expected Number of Positive Counts Estimated
    from Survey Data", Survey Methodology 1998, with Wilson's interval in place of Clopper and
    Pearson's). Where seeds do not vary at all, as many as there are.
    """
    there = ~np.isnan(hits)
    runs, seeds = there.sum(axis=(-2, -1)), there.any(axis=-2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(there, hits, 0).sum(axis=(-2, -1)) / runs
        apart = np.where(there, hits - value[..., None, None], 0).sum(axis=-2)  # of a seed's runs
        variance = (apart**2).sum(axis=-1) * seeds / (seeds - 1) / runs**2
        count = np.where(variance > 1e-15, value * (1 - value) / variance, runs)
    reach = special.stdtrit(np.maximum(seeds - 1, 1), 0.5 + level / 2)
    return value, *(np.where(seeds > 1, end, np.nan) for end in wilson(value, count, reach))


def wilson(share: np.ndarray, count: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Between what a share of `count` independent runs lies (low, high), `reach` being the quantile
    (Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = reach**2 / count
        middle = (share + unit / 2) / (1 + unit)
        half = np.sqrt(unit * (share * (1 - share) + unit / 4)) / (1 + unit)
    return np.clip(np.minimum(middle - half, share), 0, 1), np.clip(
        np.maximum(middle + half, share), 0, 1
    )


def by_seeds(share: float, seeds: int, level: float = LEVEL) -> Interval:
    """Between what a share that is 0 or 1 of every seed lies: Clopper and Pearson's interval with
    seeds as the trials, which is conservative; none of one seed."""
    if seeds < 2:
        return Interval(share, np.nan, np.nan)
    most = 1 - ((1 - level) / 2) ** (1 / seeds)
    return Interval(share, 1 - most, 1.0) if share else Interval(share, 0.0, most)
