"""Runs as a table of settings × seeds, which is what most questions are asked of."""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from soberlook.registry import unknown

from .summary import labelled

NEEDED = ["dataset", "model", "strength_name", "strength", "setting", "seed", "updates", "status"]
SETTING = ["dataset", "model", "strength_name", "strength", "setting", "label"]


class Grid(NamedTuple):
    """Columns of runs, by setting and seed."""

    settings: pd.DataFrame  # a row per setting: SETTING, from weak to strong within a model
    seeds: np.ndarray  # [s], rising
    values: np.ndarray  # [columns, settings, seeds]; NaN where there is no run, or no number


def grid(runs: pd.DataFrame, columns: list[str]) -> Grid:
    """These columns of runs, each setting a row and each seed a column.

    `runs` is any frame with the columns `NEEDED` and these; others raise `BadInput`.
    """
    check(runs, columns)
    runs = runs if "label" in runs else labelled(runs)
    order = ["dataset", "model", "strength", "label"]
    settings = runs[SETTING].drop_duplicates(["dataset", "setting"])
    settings = settings.sort_values(order, kind="stable", ignore_index=True)
    place = pd.MultiIndex.from_frame(settings[["dataset", "setting"]])
    row = place.get_indexer(pd.MultiIndex.from_frame(runs[["dataset", "setting"]]))
    seeds, column = np.unique(runs["seed"].to_numpy(), return_inverse=True)
    values = np.full((len(columns), len(settings), len(seeds)), np.nan)
    values[:, row, column] = runs[columns].to_numpy(float, na_value=np.nan).T
    return Grid(settings, seeds, values)


def check(runs: pd.DataFrame, columns=()):
    """Raise `BadInput` that names the first column which a question needs and `runs` lacks."""
    for column in (*NEEDED, *columns):
        if column not in runs:
            raise unknown("column", column, list(runs.columns))


def floored(runs: pd.DataFrame, scores: list[str], bounds: pd.DataFrame | None = None):
    """`runs` in which those that diverged score the metric's floor, as do those of whose codes the
    metric could not be computed, which their `reason` says.

    The floor is what random codes score on that dataset, where `bounds` say it, and 0 elsewhere. A
    number that is missing for no such reason stays so: the metric was never asked for; then nor
    have diverged runs of that study and dataset a floor. Runs that failed, which says nothing of
    their method, are left out. What only survivors say is `runs` itself.
    """
    runs = runs[runs["status"] != "failed"].copy()
    diverged = runs["status"] == "diverged"
    studies = [runs[key] for key in ("study", "dataset") if key in runs]
    for score in (s for s in scores if s in runs):
        known = runs[score].notna() | _named(runs, score)
        asked = known.groupby(studies, dropna=False).transform("any")
        asked |= diverged.groupby(studies, dropna=False).transform("all")  # nobody can say
        floors = runs["dataset"].map(_floors(bounds, score)).fillna(0.0)
        runs[score] = runs[score].fillna(floors.where(asked & (diverged | known)))
    return runs


def _named(runs, score):
    """Whose `reason`, "metric: what was wrong; metric: number is nan; …", is about this score."""
    if "reason" not in runs:
        return pd.Series(False, index=runs.index)
    metric = score.replace("_disentanglement", "")  # of `dci_1000`, say, several numbers come
    about = rf"(?:^|; )(?:{re.escape(metric)}: |\w+: {re.escape(score)} is )"
    return runs["reason"].fillna("").astype(str).str.contains(about)


def _floors(bounds, score):
    if bounds is None or bounds.empty:
        return {}
    known = bounds[(bounds["codes"] == "random") & (bounds["metric"] == score)]
    return dict(zip(known["dataset"], known["value"], strict=True))
