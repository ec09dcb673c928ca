"""What does the strength of a method do to a score, and what the seed?

Locatello et al. (ICML 2019), figures 4 (left) and 15 draw medians over strengths, which are
`distributions.by_setting`. Here is what those curves come to.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from . import interval
from .grid import grid
from .summary import scores_of

KEYS = ["dataset", "model", "strength_name", "metric"]
COLUMNS = [*KEYS, "value", "low", "high", "runs", "seeds", "why"]


def trends(runs: pd.DataFrame, scores: Sequence[str] | None = None) -> pd.DataFrame:
    """Spearman's rank correlation of every score with the strength, among the runs of a method.

    From −1 (falls with the strength) to 1 (rises). Seeds are left out in turn, on Fisher's scale.
    Where none of them changes anything there is no interval, as where no run is out of order.
    A score that rises and then falls has little of a trend, however much the strength matters.
    """
    return _by_method(runs, scores, _trend, "correlation")


def directions(found: pd.DataFrame) -> pd.Series:
    """For each row of `trends`: 1 where the score rises with the strength, −1 where it falls, 0
    where that is not clear, NaN where there is too little to say.

    Clear is an interval without 0 in it. Where every seed says the same there is no interval; by
    luck six seeds or more would seldom agree so (the sign test).
    """
    sure = (found["why"] == interval.SAME) & ~interval.few(found["seeds"])
    low, high = (found[end].mask(sure, found["value"]) for end in ("low", "high"))
    clear = (low > 0) * 1.0 - (high < 0) * 1.0
    return clear.where(low.notna())


def seed_spread(runs: pd.DataFrame, scores: Sequence[str] | None = None) -> pd.DataFrame:
    """How much the seed moves every score of a method, as a share of how much the strength does.

    The standard deviation between seeds of one setting (root of the mean square over settings),
    over the range of the settings' means, highest less lowest: 0 is no luck, 1 luck as large as
    all that a sweep can do. Means, not medians, so that seeds can be left out in turn (on the log
    scale). Chance alone spreads the means of a few seeds, so where the strength does little the
    share is too low.
    """
    return _by_method(runs, scores, _seed_spread, "positive")


def _by_method(runs, scores, statistic, scale):
    """A row per dataset, model and `metric`: a statistic of values [scores, settings, seeds] and of
    the ranks of the settings' strengths."""
    scores = scores_of(runs) if scores is None else list(scores)
    table = grid(runs, scores)
    parts = [pd.DataFrame(columns=COLUMNS)]
    for key, own in table.settings.groupby(KEYS[:3], dropna=False) if scores else ():
        values = table.values[:, own.index]
        values = values[..., ~np.isnan(values).all(axis=(0, 1))]
        present = ~np.isnan(values)
        strength = rankdata(own["strength"], method="dense")
        two = np.array([len(np.unique(strength[some])) > 1 for some in present.any(axis=2)])
        found = interval.jackknife(
            partial(statistic, strength=strength), values, scale=scale, exact=True
        )
        alike = found.low == found.high
        found = interval.Interval(found.value, *(np.where(alike, np.nan, x) for x in found[1:]))
        numbers = {name: np.where(two, number, np.nan) for name, number in found._asdict().items()}
        counts = {"runs": present.sum(axis=(1, 2)), "seeds": present.any(axis=1).sum(axis=1)}
        about = dict(zip(KEYS[:3], key, strict=True)) | {"metric": scores}
        about |= {"two": two, "alike": alike}
        parts.append(pd.DataFrame(about | numbers | counts))
    found = pd.concat(parts[1:] or parts, ignore_index=True)
    return found.assign(why=[_why(row) for row in found.itertuples()])[COLUMNS]


def _trend(values, strength):
    strengths = np.where(np.isnan(values), np.nan, strength[:, None])
    a, b = (_centred_ranks(each.reshape(len(values), -1)) for each in (values, strengths))
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(size > 0, size, np.nan)


def _centred_ranks(rows):
    """Ranks within each row less their mean; 0 where there is no number."""
    present = ~np.isnan(rows)
    ranks = rankdata(rows, axis=1, nan_policy="omit")
    return np.where(present, ranks - (present.sum(axis=1, keepdims=True) + 1) / 2, 0)


def _seed_spread(values, strength):
    count = (~np.isnan(values)).sum(axis=2)
    mean = np.where(count, np.nansum(values, axis=2) / np.maximum(count, 1), np.nan)
    squares = np.nansum((values - mean[..., None]) ** 2, axis=(1, 2))
    free = np.maximum(count - 1, 0).sum(axis=1)
    deviation = np.sqrt(squares / np.where(free, free, np.nan))
    highest = np.where(count, mean, -np.inf).max(axis=1, initial=-np.inf)
    reach = highest - np.where(count, mean, np.inf).min(axis=1, initial=np.inf)
    return deviation / np.where(reach > 1e-12 * np.abs(highest), reach, np.nan)  # else rounding


def _why(row):
    if not row.runs:
        return "no run has it"
    if not row.two:
        return "one strength"
    if np.isnan(row.value):
        return "one seed" if row.seeds == 1 else "the score never varies"
    if np.isnan(row.low):
        return "one seed" if row.seeds == 1 else interval.SAME if row.alike else interval.FEW
    return ""
