"""Are settings that are good on one dataset, or by one score, good on another, or by another?"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from .interval import jackknife
from .matched import matched
from .summary import scores_of
from .sweeps import NO_SPREAD

KINDS = ("datasets", "scores")
KEYS = ["kind", "dataset", "metric", "to_dataset", "to_metric"]
COLUMNS = [*KEYS, "medians", "value", "low", "high", "settings", "seeds", "why"]
FEWEST = 3  # settings that can be ranked alike or not


def carry_over(runs: pd.DataFrame, scores: list[str] | None = None) -> pd.DataFrame:
    """How much alike two datasets rank the same settings by one score (`kind` "datasets"), and two
    scores on one dataset ("scores"): figures 4, 17 and 18 of "Challenging Common Assumptions"
    (Locatello et al., 2019). From −1 to 1; a row per pair.

    `medians` is the paper's number: Spearman's rank correlation of the settings' medians over
    seeds. It has no interval: the luck that is left in medians makes it smaller, and a bootstrap
    repeats that. In simulations with ten seeds its intervals contained the truth in 0 to 97 of 100
    studies, by how much luck there was.

    `value` is what very many seeds would say. Settings are ranked within each seed, and what
    correlates are the ranks that settings are to be expected to have. The ranks of one seed are
    compared with those of another only, in numerator and denominator, so that luck cancels
    (Spearman, "The Proof and Measurement of Association between Two Things", 1904, on what he
    called attenuation). `low` and `high` leave out each seed in turn. There is no number where two
    seeds do not agree, beyond luck, on how settings rank by either of the two.

    Settings are those that both have; ones without a run of both do not count.
    """
    scores = scores_of(runs) if scores is None else scores
    table = matched(runs, scores)
    places = range(len(table.datasets))
    pairs = [("datasets", (a, m), (b, m)) for m in range(len(scores)) for a, b in _two(places)]
    pairs += [("scores", (d, m), (d, n)) for d in places for m, n in _two(range(len(scores)))]
    found = []
    for kind, first, second in pairs:
        (a, m), (b, n) = first, second
        keys = (kind, table.datasets[a], scores[m], table.datasets[b], scores[n])
        numbers = _alike(table.values[first], table.values[second])
        found.append(dict(zip(KEYS, keys, strict=True)) | numbers)
    return pd.DataFrame(found, columns=COLUMNS)


def _two(places):
    return combinations(places, 2)


def _alike(first, second):
    """What a row says of two tables [settings, seeds]."""
    tables = np.stack([first, second])
    there = np.isfinite(tables)
    tables = tables[:, there.any(axis=2).all(axis=0)]
    tables = tables[:, :, np.isfinite(tables).any(axis=(0, 1))]
    _, settings, seeds = tables.shape
    found = {"medians": np.nan, "value": np.nan, "low": np.nan, "high": np.nan}
    found |= {"settings": settings, "seeds": seeds}
    if settings < FEWEST:
        return found | {"why": f"fewer than {FEWEST} settings of both"}
    medians = rankdata(np.nanmedian(tables, axis=2), axis=1)
    medians -= medians.mean(axis=1, keepdims=True)
    if not medians.any(axis=1).all():
        return found | {"why": "one of the two never varies"}
    product = medians @ medians.T
    found["medians"] = product[0, 1] / np.sqrt(product[0, 0] * product[1, 1])
    if seeds < 3:
        return found | {"why": "fewer than three seeds"}
    numbers = jackknife(_expected, _ranks(tables), exact=True)
    told_apart = (numbers.low[1:] > 0).all() and np.isfinite(numbers.low[0])
    if not told_apart:
        return found | {"why": "luck hides what the settings differ by"}
    value, low, high = (float(np.clip(x[0], -1, 1)) for x in numbers)
    if not numbers.low[0] < numbers.high[0]:
        return found | {"value": value, "why": NO_SPREAD}
    return found | {"value": value, "low": low, "high": high, "why": ""}


def _ranks(tables):
    """Ranks of settings within each seed, from −1/2 to 1/2; NaN where there is no run."""
    missing = "omit" if np.isnan(tables).any() else "propagate"  # which is 20 times as fast
    ranks = rankdata(tables, axis=1, nan_policy=missing)
    return ranks / np.isfinite(tables).sum(axis=1, keepdims=True).clip(1) - 0.5


def _expected(ranks):
    """Correlation of the expected ranks of two tables [2, settings, seeds], and the variances."""
    there = np.isfinite(ranks)
    centre = np.where(there, ranks, 0).sum(axis=1, keepdims=True)
    ranks = np.where(there, ranks - centre / there.sum(axis=1, keepdims=True).clip(1), 0)
    covariance = _of_other_seeds(ranks) / np.maximum(_of_other_seeds(there * 1.0), 1)
    product = covariance[0, 0] * covariance[1, 1]
    size = np.sqrt(product) if min(covariance[0, 0], covariance[1, 1]) > 0 else np.nan
    return np.array([covariance[0, 1] / size, covariance[0, 0], covariance[1, 1]])


def _of_other_seeds(ranks):
    """[2, 2] sums of products over settings and over every two seeds that are not the same."""
    of_all, flat = ranks.sum(axis=2), ranks.reshape(2, -1)
    return of_all @ of_all.T - flat @ flat.T
