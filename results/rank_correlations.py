"""Do two scores rank runs alike, among all runs and among those of one setting?

Locatello et al. (ICML 2019), figures 2, 11 and 12: Spearman's rank correlation of every two scores
over all runs of a dataset. Beside it stands here what is left of it within settings: a strength
that moves two scores makes them agree among all runs, whatever they say of two runs that differ
in their seed alone (Simpson's paradox).
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from . import interval
from .grid import grid

KINDS = ("pooled", "within")
KEYS = ["dataset", "kind", "first", "second"]
COLUMNS = [*KEYS, "value", "low", "high", "runs", "seeds", "why"]
FEWEST = {"pooled": 1, "within": 3}  # seeds with which there can be a number


def rank_correlations(
    runs: pd.DataFrame, first: Sequence[str], second: Sequence[str] | None = None
) -> pd.DataFrame:
    """Spearman's rank correlation, −1 to 1, of every column of `first` with every one of `second`
    (of `first` among themselves where there is no `second`), dataset by dataset.

    Columns: dataset, kind, first, second; value, low and high, whose interval leaves out each seed
    in turn (none where that changes nothing, as of ±1); runs and seeds that have both numbers; why.
    `kind` is

    - "pooled": over all runs of the dataset, as the paper has it;
    - "within": over runs of one setting, all settings of the dataset together, each counting for as
      many comparisons as its seeds allow. The ranks of n seeds correlate less than what they are
      drawn from: .80 on average at n = 5 where it is .89. So the estimate is the unbiased one,
      ((n + 1) ρ − 3 τ) / (n − 2) with Kendall's τ where nothing is tied (Hoeffding, "A Class of
      Statistics with Asymptotically Normal Distribution", 1948, section 9); it takes three seeds.

    A run without one of two numbers does not count for the two.
    """
    first, second = list(first), list(first if second is None else second)
    columns = [*dict.fromkeys([*first, *second])]
    table = grid(runs, columns)
    rows, others = ([columns.index(column) for column in some] for some in (first, second))
    asked = np.zeros((len(columns), len(columns)), bool)
    asked[np.ix_(rows, others)] = True
    parts = [pd.DataFrame(columns=COLUMNS)]
    for dataset, settings in table.settings.groupby("dataset").indices.items() if columns else ():
        found = _matrices(table.values[:, settings], asked | asked.T)
        keys = pd.MultiIndex.from_product([[dataset], KINDS, first, second], names=KEYS)
        numbers = {
            name: matrix[:, rows][:, :, others].reshape(-1) for name, matrix in found.items()
        }
        parts.append(keys.to_frame(index=False).assign(**numbers))
    found = pd.concat(parts[1:] or parts, ignore_index=True)
    return found.assign(why=[_why(row) for row in found.itertuples()])[COLUMNS]


def _matrices(values, asked):
    """What is known of every two columns of [columns, settings, seeds] that are `asked` for: name →
    [kinds, columns, columns]. Columns that lack the same runs are worked out together."""
    present = ~np.isnan(values).reshape(len(values), -1)
    patterns, which = np.unique(present, axis=0, return_inverse=True)
    which = which.reshape(-1)
    shape = (len(KINDS), len(values), len(values))
    found = {name: np.full(shape, np.nan) for name in ("value", "low", "high")}
    found |= {name: np.zeros(shape, int) for name in ("runs", "seeds", "alike")}
    pairs = combinations_with_replacement(range(len(patterns)), 2)
    for a, b in sorted(pairs, key=lambda pair: pair[0] == pair[1]):  # a with itself comes last
        cross = (which == a)[:, None] & (which == b)
        rows = np.flatnonzero((asked & (cross | cross.T)).any(axis=0))
        if not len(rows):
            continue
        both = (patterns[a] & patterns[b]).reshape(values.shape[1:])
        settings, seeds = both.any(axis=1), both.any(axis=0)
        shared = np.where(both, values[rows], np.nan)[:, settings][:, :, seeds]
        at = np.ix_(range(len(KINDS)), rows, rows)
        found["runs"][at], found["seeds"][at] = both.sum(), seeds.sum()
        each = [_pooled(np.delete(shared, s, axis=-1)) for s in range(shared.shape[-1])]
        pooled, within = np.stack([_pooled(shared), *each]), _within(shared)
        value, *left = np.stack([pooled, within], axis=1)
        value, low, high = interval.of_left_out(value, left, scale="correlation", exact=True)
        found["alike"][at] = alike = low == high
        found["value"][at] = value
        found["low"][at], found["high"][at] = (np.where(alike, np.nan, x) for x in (low, high))
    return found


def _pooled(values):
    """[columns, columns] of values [columns, settings, seeds], all NaN for the same runs."""
    ranks = rankdata(values[:, ~np.isnan(values[0])], axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True) if ranks.size else 0
    return _normalized(ranks @ ranks.T)


def _within(values):
    """A run stands above (1) or below (−1) another of its setting. Summed over the others this is
    its rank; and the product of its ranks by two scores, without the terms in which both compare
    it with the same other, is on average what it is among ever so many seeds.

    [1 + seeds, columns, columns] of values [columns, settings, seeds]: of all seeds, and without
    each. Without one, every other run loses one comparison, and all products are those of all
    seeds less what that one had a part in.
    """
    columns, _, seeds = values.shape
    products = np.zeros((1 + seeds, columns, columns))
    for own in values.swapaxes(0, 1):  # a setting at a time, which stays in the processor's cache
        higher = (own[:, :, None] > own[:, None, :]).astype(np.float32)  # NaN: neither
        above = higher - higher.swapaxes(1, 2)
        ranks, flat = above @ np.ones(seeds, np.float32), above.reshape(columns, -1)
        all_of_it = ranks @ ranks.T - flat @ flat.T
        one = above.transpose(2, 0, 1)  # [seeds, columns, seeds]: how runs stand to that of a seed
        mixed = one @ ranks.T
        alone = ranks.T[:, :, None] * ranks.T[:, None, :]
        without = 3 * one @ one.swapaxes(1, 2) - mixed - mixed.swapaxes(1, 2) - alone
        products[0] += all_of_it
        products[1:] += all_of_it + without
    return np.stack([_normalized(one) for one in products])


def _normalized(products):
    """Correlations from sums of products; NaN where a column does not vary."""
    size = np.sqrt(np.maximum(np.diag(products), 0))
    size = np.where(size > 0, size, np.nan)
    return np.clip(products / size / size[:, None], -1, 1)


def _why(row):
    least = FEWEST[row.kind]
    if not row.runs:
        return "no run has both"
    if np.isnan(row.value):
        return f"fewer than {least} seeds" if row.seeds < least else "one of the two never varies"
    if np.isnan(row.low):
        return "one seed" if row.seeds == 1 else interval.SAME if row.alike else interval.FEW
    return ""
