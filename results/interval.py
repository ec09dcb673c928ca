"""Intervals for numbers that come from runs.

Runs that share a seed share their data's order and their start, and are not independent. So seeds
are what is left out or resampled, never runs: a table has seeds on its last axis, and a statistic
is a function of such a table, of any number of seeds, that gives a number or an array.

Where there is no interval `low` and `high` are NaN, and what shows them says why: one seed, too few
of them, or that no seed says anything else than the others, which would be an interval without
width.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import expit, logit

LEVEL = 0.95
DRAWS = 1_000  # of a bootstrap
SAME = "every seed says the same"
FEW = "too few seeds for an interval"

Statistic = Callable[[np.ndarray], float | np.ndarray]

ROUNDING = 1e-12
EDGE = 1e-9  # how near to its ends a correlation or a share may come before its scale is infinite
SCALES = {
    "plain": (np.asarray, np.asarray),
    "correlation": (lambda x: np.arctanh(np.clip(x, EDGE - 1, 1 - EDGE)), np.tanh),
    "share": (lambda x: logit(np.clip(x, EDGE, 1 - EDGE)), expit),
    "positive": (lambda x: np.log(np.maximum(x, EDGE)), np.exp),
}


class Interval(NamedTuple):
    """A number, or an array of them, and between what it lies at the level asked for."""

    value: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray


def jackknife(
    statistic: Statistic,
    table: np.ndarray,
    *,
    scale: str = "plain",
    level: float = LEVEL,
    exact: bool = False,
) -> Interval:
    """Interval of a smooth statistic (a mean, a correlation, a share): each seed left out in turn.

    The spread of what is left gives the standard error (Quenouille, 1956; Tukey, 1958), Student's t
    with a degree of freedom less than there are seeds the reach, on a scale where the statistic is
    nearer to normal: "plain", "correlation" (Fisher's z), "share" (logit) or "positive" (log).
    None where nothing changes whichever seed is left out: that says how alike these seeds are, not
    that others would be; but where `exact` such a number is its own interval. Deterministic. Not
    for medians and other quantiles, for which it is inconsistent.
    """
    seeds = table.shape[-1]
    left = [statistic(np.delete(table, s, axis=-1)) for s in range(seeds if seeds > 1 else 0)]
    return of_left_out(statistic(table), left, scale=scale, level=level, exact=exact)


def of_left_out(
    value: float | np.ndarray,
    left: Sequence[float | np.ndarray],
    *,
    scale: str = "plain",
    level: float = LEVEL,
    exact: bool = False,
) -> Interval:
    """The interval of `jackknife` from a statistic's value, and those without each seed in turn,
    for statistics of which all these are known at once."""
    there, back = SCALES[scale]
    value, seeds = np.asarray(value, float), len(left)
    if seeds < 2:
        return _unknown(value)
    left = there(np.asarray(left, float))
    variance = (seeds - 1) / seeds * ((left - left.mean(axis=0)) ** 2).sum(axis=0)
    reach = stats.t.ppf(0.5 + level / 2, seeds - 1) * np.sqrt(variance)
    alike = np.ptp(left, axis=0) <= ROUNDING * np.abs(left).max(axis=0)
    reach = np.where(alike, 0.0 if exact else np.nan, reach)
    return _interval(value, back(there(value) - reach), back(there(value) + reach))


def bootstrap(
    statistic: Statistic,
    table: np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Interval:
    """Interval of any statistic: seeds drawn with replacement, as many as there are.

    Percentiles of the draws, moved outwards as far as Student's t and the divisor n − 1 move those
    of a mean: with ten seeds plain percentiles cover 90 % where they say 95 (Hesterberg, "What
    Teachers Should Know About the Bootstrap", The American Statistician 2015, section 5.3). Five
    seeds or fewer have none at 95 %, by the rule of `of_median`: draws of so few reach from the
    lowest to the highest at most, and of a median with five these cover 89 %.
    """
    value, seeds = np.asarray(statistic(table), float), table.shape[-1]
    if few(seeds, level):
        return _unknown(value)
    taken = rng.integers(seeds, size=(draws, seeds))
    found = np.stack([np.asarray(statistic(table[..., take]), float) for take in taken])
    reach = stats.t.ppf(0.5 + level / 2, seeds - 1) * np.sqrt(seeds / (seeds - 1))
    tail = stats.norm.cdf(-reach)
    low, high = np.quantile(found, [tail, 1 - tail], axis=0)
    return _interval(value, low, high)


def few(seeds: int, level: float = LEVEL) -> bool:
    """Are even the lowest and the highest of so many values no interval of their median?"""
    return 2 * 0.5**seeds > 1 - level


def of_median(values: np.ndarray, *, level: float = LEVEL) -> Interval:
    """The median of independent values [n], with an interval that assumes no distribution.

    Between two order statistics, interpolated to the level (Hettmansperger & Sheather, "Confidence
    Intervals Based on Interpolated Order Statistics", Statistics & Probability Letters 1986). Five
    values or fewer have none at 95 %: even the lowest and the highest cover less.
    """
    values = np.sort(values[~np.isnan(values)])
    n = len(values)
    value = float(np.median(values)) if n else np.nan
    inside = 1 - 2 * stats.binom.cdf(np.arange(n // 2), n, 0.5)  # coverage of [k+1st, k+1st last]
    enough = np.flatnonzero(inside >= level)
    if not len(enough):
        return _unknown(value)
    k = enough[-1]
    if k + 1 >= len(inside):
        return Interval(value, float(values[k]), float(values[n - 1 - k]))
    share = (inside[k] - level) / (inside[k] - inside[k + 1])
    mixed = (n - k - 1) * share / (k + 1 + (n - 2 * k - 2) * share)
    low = (1 - mixed) * values[k] + mixed * values[k + 1]
    high = (1 - mixed) * values[n - 1 - k] + mixed * values[n - 2 - k]
    return Interval(value, float(low), float(high))


def of_mean(values: np.ndarray, *, level: float = LEVEL) -> Interval:
    """The mean of independent values [n] and Student's interval."""
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return _unknown(float(values.mean()) if len(values) else np.nan)
    reach = stats.t.ppf(0.5 + level / 2, len(values) - 1) * stats.sem(values)
    return Interval(
        float(values.mean()), float(values.mean() - reach), float(values.mean() + reach)
    )


def _interval(value, low, high):
    if value.ndim:
        return Interval(value, np.asarray(low), np.asarray(high))
    return Interval(float(value), float(low), float(high))


def _unknown(value):
    nothing = np.full(np.shape(value), np.nan)
    return _interval(np.asarray(value, float), nothing, nothing)
