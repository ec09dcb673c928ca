"""Results as DataFrames.

from soberlook import results
runs = results.load("runs/quick")
runs.query("model == 'beta_vae'").groupby("beta").mig.median()
"""

import json
from pathlib import Path

import pandas as pd

from soberlook.registry import BadInput

from .store import Store

FIRST = ["study", "dataset", "model", "strength_name", "strength", "seed", "status", "reason"]


def load(where: str | Path) -> pd.DataFrame:
    """One row per run, its settings and its metrics after the last update as columns.

    A metric that was evaluated on several draws is their mean; `rows` has each. Runs that failed or
    diverged are there, with their status, and without metrics. A setting that a model does not have
    is missing in its runs. Settings of datasets are `dataset_…`; a setting with the name of another
    column is `setting_…`.
    """
    store = _open(where)
    runs = store.read("runs").to_pandas().drop_duplicates("run_id", ignore_index=True)
    settings = _expand(runs.pop("settings"), "")
    dataset_settings = _expand(runs.pop("dataset_settings"), "dataset_")
    rows = _rows(store, runs)
    last = rows.groupby(["run_id", "metric"])["step"].transform("max")
    final = rows[rows["step"] == last].groupby(["run_id", "metric"])["value"].mean()
    metrics = final.unstack("metric")
    metrics = metrics.reindex(runs["run_id"]).reset_index(drop=True).rename_axis(columns=None)
    taken = {*runs.columns, *metrics.columns}
    settings = settings.rename(columns={c: f"setting_{c}" for c in settings.columns if c in taken})
    about = runs.drop(columns=FIRST)
    frame = pd.concat([runs[FIRST], settings, dataset_settings, metrics, about], axis=1)
    order = ["study", "dataset", "model", "strength", "seed"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def rows(where: str | Path) -> pd.DataFrame:
    """The long table: run_id, step, draw, metric, value and the metric's version, of finished runs.

    The spread between draws of one run is evaluation noise.
    """
    store = _open(where)
    return _rows(store, store.read("runs", ["run_id"]).to_pandas())


def pictures(where: str | Path, run_ids) -> pd.DataFrame:
    """run_id, name and the bytes of a PNG, of these runs."""
    return _open(where).read("pictures", run_ids=run_ids).to_pandas().drop_duplicates()


def bounds(where: str | Path) -> pd.DataFrame:
    """What metrics say of codes whose worth is known: dataset, codes, updates, metric, value.

    Of an encoder that was trained for several budgets the longest counts, and of a metric that was
    computed in several versions the last.
    """
    found = _open(where).read("bounds").to_pandas().dropna(subset="value")
    found = found.sort_values(["version", "updates"], kind="stable", na_position="first")
    kept = found.drop_duplicates(["dataset", "codes", "metric"], keep="last")
    return kept.sort_index(ignore_index=True)


def _open(where) -> Store:
    store = Store(where)
    if store.about() is None:
        raise BadInput(f"{where}: expected a folder of results, found none")
    return store


def _rows(store, runs):
    """The rows of these runs; the cohort of any others was cut off before it was done."""
    found = store.read("rows", run_ids=runs["run_id"].tolist()).to_pandas()
    found["draw"] = found["draw"].fillna(0).astype(int)
    key = ["run_id", "step", "draw", "metric"]
    return found.drop_duplicates(key, keep="last", ignore_index=True)


def _expand(column, prefix):
    """A column of JSON objects as a frame, a column per key."""
    frame = pd.DataFrame([json.loads(text) for text in column], index=column.index)
    return frame.add_prefix(prefix)
