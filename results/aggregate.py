"""Runs in groups, and one line for each: what `soberlook query` shows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from soberlook.registry import BadInput, unknown

from . import interval
from .interquartile_mean import interquartile_mean

HOW = ("median", "mean", "min", "max", "std", "count", "iqm", "ci")


def aggregate(
    runs: pd.DataFrame,
    by: Sequence[str],
    scores: Sequence[str],
    how: Sequence[str] = ("median",),
    *,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """One row per value of the columns `by`, in their order; one row in all where there are none.

    Columns: `by`, `runs` (how many), and for every score of `how` one, like `mig_median`. Runs
    without a score do not count for it; a group without any has NaN, a count of 0. `std` divides by
    n − 1; `iqm` is the mean of the middle half (`interquartile_mean`). `ci` is the median, as
    `mig_median`, and the 95 % interval from `mig_low` to `mig_high`: of a group with one run a seed
    between order statistics, and elsewhere from seeds drawn again, with all their runs. Fewer than
    six seeds have none.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    for name in (*by, *scores, *(["seed"] if "ci" in how else [])):
        if name not in runs:
            raise unknown("column", name, map(str, runs.columns))
    for name in how:
        if name not in HOW:
            raise unknown("aggregate", name, HOW)
    for score in scores:
        kind = runs[score].dtype
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
            raise BadInput(f"a score must be a column of numbers, found {score!r}")
    by = list(dict.fromkeys(by))
    keys = [runs[name] for name in by] or [pd.Series("all", index=runs.index, dtype=str)]
    groups = runs.groupby(keys, dropna=False, sort=True)
    table = {"runs": groups.size()}
    for score in dict.fromkeys(scores):
        values = groups[score]
        for name in dict.fromkeys(how):
            if name == "ci":
                found = [_median(part, score, rng) for _, part in groups]
                for place, end in enumerate(("median", "low", "high")):
                    column = [each[place] for each in found]
                    table[f"{score}_{end}"] = pd.Series(column, table["runs"].index, dtype=float)
            elif name == "iqm":
                table[f"{score}_iqm"] = values.agg(_iqm).astype(float)
            else:
                table[f"{score}_{name}"] = values.agg(name)
    frame = pd.DataFrame(table)
    return frame.reset_index() if by else frame.reset_index(drop=True)


def _iqm(values):
    return float(interquartile_mean(values.to_numpy(float, na_value=np.nan)))


def _median(group, score, rng):
    """The median of the runs of a group, and its interval over their seeds."""
    group = group[[score, "seed"]].dropna()
    values = group[score].to_numpy(float)
    seeds, column = np.unique(group["seed"], return_inverse=True)
    if len(seeds) == len(values):
        return interval.of_median(values)
    row = group.groupby("seed").cumcount().to_numpy()
    table = np.full((row.max() + 1, len(seeds)), np.nan)
    table[row, column] = values
    whole = not np.isnan(table).any()
    return interval.bootstrap(np.median if whole else np.nanmedian, table, rng)
