"""Runs as a table of settings × seeds, which is what most questions are asked of."""

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
    """`runs` in which those that diverged, or have no number, score the metric's floor.

    The floor is what random codes score on that dataset, where `bounds` say it, and 0 elsewhere.
    Runs that failed, which says nothing of their method, are left out. What only survivors say is
    `runs` itself.
    """
    runs = runs[runs["status"] != "failed"].copy()
    for score in (s for s in scores if s in runs):
        floors = runs["dataset"].map(_floors(bounds, score)).fillna(0.0)
        runs[score] = runs[score].fillna(floors)
    return runs


def _floors(bounds, score):
    if bounds is None or bounds.empty:
        return {}
    known = bounds[(bounds["codes"] == "random") & (bounds["metric"] == score)]
    return dict(zip(known["dataset"], known["value"], strict=True))
