"""Results as DataFrames.

from soberlook import results
runs = results.load("runs/quick")
runs.query("model == 'beta_vae'").groupby("beta").mig.median()

Several stores are read as one: `results.load("runs/*")`, or a list of places. A run that is in
more than one of them counts once: that which is done, and of several as it was begun last.
"""

import json
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from soberlook.registry import unknown

from .query import conditions, hold, query
from .stores import Places, Stores
from .tables import RUNS

FIRST = ["study", "dataset", "model", "strength_name", "strength", "seed", "status", "reason"]
SETTINGS = ["settings", "dataset_settings"]
COLUMNS = [name for name in RUNS.names if name not in SETTINGS]  # that every run has

Where = str | Mapping | None


def load(
    places: Places, *, where: Where = None, metrics: Iterable[str] | None = None
) -> pd.DataFrame:
    """One row per run, its settings and its metrics after the last update as columns.

    `where` says which runs, as in `results.query`: "model == 'beta_vae' and mig > .1", or
    {"model": "beta_vae", "seed": range(5)}. `metrics` says which of these become columns. Of runs
    that a condition on `COLUMNS` leaves out, and of other metrics, no numbers are read.

    A metric that was evaluated on several draws is their mean; `rows` has each. Runs that failed or
    diverged are there, with their status, and without metrics. A setting that a model does not have
    is missing in its runs. Settings of datasets are `dataset_…`; a setting with the name of another
    column is `setting_…`, a metric with the name of one of `COLUMNS` is `metric_…`.

    Numbers are float64. Whole numbers are int64, true and false bool; where some are missing Int64
    and boolean. Text is str; a setting that is a list, or not always of one kind, is its JSON.
    """
    stores, metrics = Stores(places), _listed(metrics)
    asked = conditions(where)
    early = [part for part in asked if part.names <= {*COLUMNS}]
    late = [part for part in asked if not part.names <= {*COLUMNS}]
    names = sorted({name for part in late for name in part.names})
    runs = hold(stores.runs(), early).reset_index(drop=True)
    asks = [name.removeprefix("metric_") for name in names]  # some of these are metrics
    rows, known = stores.rows(runs, None if metrics is None else [*metrics, *asks])
    asks = [name for name in asks if name in known]
    for name in metrics or ():
        if known and name not in known:
            raise unknown("metric", name, known)
    scores = _final(rows, len(runs), known)
    shown = [*scores] if metrics is None else metrics
    scores = scores.reindex(columns=list(dict.fromkeys([*shown, *asks])))
    frame = _joined(runs, scores, known)
    for name in names:
        if name not in frame:
            raise unknown("column", name, {*frame.columns, *map(_column_of, known)})
    frame = hold(frame, late)
    frame = frame.drop(columns=[_column_of(name) for name in asks if name not in shown])
    order = ["study", "dataset", "model", "strength", "seed"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


def rows(
    places: Places, *, where: Where = None, metrics: Iterable[str] | None = None
) -> pd.DataFrame:
    """The long table: run_id, step, draw, metric, value and the metric's version, of finished runs.

    The spread between draws of one run is evaluation noise. `where` and `metrics` are those of
    `load`: a condition says which runs, by what `load` gives of them.
    """
    stores = Stores(places)
    runs = _chosen(stores, places, where)
    found, known = stores.rows(runs, _listed(metrics))
    run_ids = _words(found.pop("run"), runs["run_id"])
    found.insert(0, "run_id", run_ids)
    found["metric"] = _words(found["metric"], known)
    return found


def pictures(
    places: Places, run_ids: Iterable[str] | None = None, *, where: Where = None
) -> pd.DataFrame:
    """run_id, name and the bytes of a PNG, of these runs, and of those of which `where` holds."""
    stores = Stores(places)
    runs = _chosen(stores, places, where)
    if run_ids is not None:
        runs = runs[runs["run_id"].isin(list(run_ids))]
    return stores.pictures(runs)


def bounds(places: Places, *, where: Where = None) -> pd.DataFrame:
    """What metrics say of codes whose worth is known: dataset, codes, updates, metric, value.

    Of an encoder that was trained for several budgets the longest counts, and of a metric that was
    computed in several versions the last. `where` is a condition on these columns.
    """
    found = Stores(places).bounds().dropna(subset="value")
    found = found.sort_values(["version", "updates"], kind="stable", na_position="first")
    kept = found.drop_duplicates(["dataset", "codes", "metric"], keep="last")
    kept = kept.sort_index(ignore_index=True)
    return kept if where is None else query(kept, where)


def _chosen(stores, places, where):
    """The runs of which `where` holds."""
    runs = stores.runs()
    if where is None:
        return runs
    held = load(places, where=where, metrics=())["run_id"]
    return runs[runs["run_id"].isin(held)].reset_index(drop=True)


def _final(rows, count, known):
    """Run × metric: the mean over draws after the last update."""
    cell = rows["run"].to_numpy(np.int64) * len(known) + rows["metric"].to_numpy()
    step, value = rows["step"].to_numpy(), rows["value"].to_numpy()
    last = np.full(count * len(known), np.iinfo(np.int64).min)
    np.maximum.at(last, cell, step)
    final = (step == last[cell]) & ~np.isnan(value)
    cell, value = cell[final], value[final]
    draws = np.bincount(cell, minlength=len(last))
    total = np.bincount(cell, weights=value, minlength=len(last))
    means = np.divide(total, draws, out=np.full(len(last), np.nan), where=draws > 0)
    scores = pd.DataFrame(means.reshape(count, len(known)), columns=pd.Index(known, dtype=str))
    return scores[sorted(known[place] for place in np.unique(rows["metric"]))]


def _joined(runs, scores, known):
    """One frame, in which no two columns have one name."""
    taken = {*COLUMNS, *map(_column_of, known)}
    settings = _expand(runs["settings"])
    settings = settings.rename(columns=lambda name: f"setting_{name}" if name in taken else name)
    of_data = _expand(runs["dataset_settings"]).add_prefix("dataset_")
    about = runs[[name for name in COLUMNS if name not in FIRST]]
    parts = [runs[FIRST], settings, of_data, scores.rename(columns=_column_of), about]
    frame = pd.concat(parts, axis=1)
    return frame.loc[:, ~frame.columns.duplicated()]


def _column_of(metric):
    return f"metric_{metric}" if metric in COLUMNS else metric


def _expand(column):
    """A column of JSON objects as a frame, a column per key."""
    codes, texts = pd.factorize(column)
    found = [json.loads(text) for text in texts]
    names = dict.fromkeys(name for record in found for name in record)
    values = {name: _typed([record.get(name) for record in found]) for name in names}
    return pd.DataFrame(values, index=range(len(found))).take(codes).set_axis(column.index)


def _typed(values):
    """Values, some of them None, as an array of the one type they are of; else as their JSON."""
    kinds = {type(value) for value in values} - {type(None)}
    some = None in values
    if kinds <= {bool}:
        return pd.array(values, "boolean" if some else "bool")
    is_small = all(abs(value) < 2**63 for value in values if type(value) is int)
    if kinds == {int} and is_small:
        return pd.array(values, "Int64" if some else "int64")
    if kinds <= {int, float} and is_small:
        return pd.array([np.nan if value is None else float(value) for value in values], "float64")
    if kinds != {str}:
        values = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    return pd.array(values, "str")


def _words(positions, words):
    return pa.array(words, pa.string()).take(pa.array(positions)).to_pandas()


def _listed(metrics):
    return [metrics] if isinstance(metrics, str) else metrics if metrics is None else list(metrics)
