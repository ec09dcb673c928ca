"""How much of a score is the method, how much its strength, and how much luck?

Settings are fixed, they are all there are, and seeds are drawn. So what settings explain is the
variance of their expected scores, and what seeds explain is what the runs of one have in common:

    total = method + strength within the method + seed + seed × setting + evaluation
"""

import numpy as np
import pandas as pd

from .grid import check, grid
from .moments import Cell, difference, left_out
from .summary import scores_of
from .sweeps import NO_SPREAD

ALL = "all"  # datasets, or scores
EXPLAINED = ("method", "method and strength")
COMPONENTS = ("method", "strength", "seed", "seed × setting", "evaluation")
FEWEST = 2  # seeds of a setting, or nothing is known of its luck


def variance_explained(runs: pd.DataFrame, scores: list[str] | None = None) -> pd.DataFrame:
    """What share of a score's variance over runs the method explains, and the method and its
    strength together: Table 5 of "Challenging Common Assumptions" (Locatello et al., 2019).

    A row per dataset, metric and `of` ("method", "method and strength"); those of dataset or metric
    "all" are plain averages over the cells there are, as the paper's 37 % and 59 % are.

    `r2` is the paper's number: R² of least squares of the score on the category, from 0 to 1. It
    grows with the number of categories even if none matters: 36 settings of 10 seeds explain 10 %
    of pure luck. `value` is the share without that, what very many seeds would give; like every
    adjusted R² it may fall below 0, and `low` with it. 1 − value is the share of luck, of the seed
    and all it brings. Settings with fewer than two seeds are left out.
    """
    scores = scores_of(runs) if scores is None else scores
    cells = _cells(runs, scores)
    whys = [[_why(cell) or _why_not(of, cell) for cell in cells] for of in EXPLAINED]
    shares = [_shares(cell) for cell in cells]
    r2 = [_r_squared(cell) for cell in cells]
    found = []
    for dataset, metric in _and_averages([(cell.dataset, cell.metric) for cell in cells]):
        part = [dataset in (ALL, c.dataset) and metric in (ALL, c.metric) for c in cells]
        for k, of in enumerate(EXPLAINED):
            about = {"dataset": dataset, "metric": metric, "of": of}
            good = [i for i in np.flatnonzero(part) if not whys[k][i]]
            some = [cells[i] for i in good or np.flatnonzero(part)]
            about["r2"], numbers, why = np.nan, [np.nan] * 3, whys[k][part.index(True)]
            if good:
                share = np.mean([shares[i][:, k] for i in good], axis=0)
                numbers, why = difference(share[:, None], some, "share")[0], ""
                about["r2"] = np.mean([r2[i][k] for i in good])
            found.append(about | _row(numbers, some, why))
    columns = ["dataset", "metric", "of", "r2", "value", "low", "high", "runs", "seeds", "why"]
    return pd.DataFrame(found, columns=columns)


def _shares(cell):
    """[1 + seeds, 2, 2] of EXPLAINED, from `left_out`."""
    if _why(cell):
        return None
    parts = left_out(cell)
    return parts[:, [0, 2]] / parts[:, [6], :1]


def _and_averages(keys):
    """These (dataset, metric), then those with ALL for either, and for both."""
    datasets, metrics = (list(dict.fromkeys(key[k] for key in keys)) for k in (0, 1))
    several = len(datasets) > 1, len(metrics) > 1
    keys = [*keys, *((dataset, ALL) for dataset in datasets if several[1])]
    keys += [(ALL, metric) for metric in metrics if several[0]]
    return keys + [(ALL, ALL)] * all(several)


def variance_components(
    runs: pd.DataFrame, rows: pd.DataFrame | None = None, scores: list[str] | None = None
) -> pd.DataFrame:
    """What a score's variance over runs is made of, per dataset and metric.

    A row per `component` and `scale` ("share" of the total, "variance" in units of the score
    squared):

    - method: of the methods' expected scores, each the mean of its settings;
    - strength: of the settings' expected scores around their method's;
    - seed: what two runs of one seed have in common, whatever their settings;
    - seed × setting: the rest of a run's luck;
    - evaluation: what the score adds itself because it looks at a sample: the variance of the mean
      of a run's draws, from the spread of draws in `rows` (run_id, step, draw, metric, value). What
      a draw does to all runs alike makes no difference between them, and does not count. With one
      draw it is unknown, and part of seed × setting.

    Estimates are of moments, unbiased but for being cut at 0. Intervals: a component is a
    difference of two positive numbers, a mean square and what luck adds to it. Each has a
    jackknife's interval over seeds, on the scale of logarithms or logits, and the two are combined
    as in modified large-sample intervals (Graybill & Wang, JASA 1980; Zou & Donner, Statistics in
    Medicine 2008), which cover near 0, too. Settings with fewer than two seeds are left out.
    """
    scores = scores_of(runs) if scores is None else scores
    found = []
    for cell in _cells(runs, scores, _noise(runs, rows, scores)):
        why = _why(cell)
        parts = None if why else _components(left_out(cell))
        for scale in ("share", "variance"):
            numbers = np.full((len(COMPONENTS), 3), np.nan)
            if not why:
                unit = parts[0, 5, 0]  # so that no variance is so small that it looks like none
                total = parts[:, 5:, :1] if scale == "share" else unit
                numbers = np.maximum(difference((parts / total)[:, :5], [cell], scale), 0)
                numbers *= 1 if scale == "share" else unit
            about = {"dataset": cell.dataset, "metric": cell.metric, "scale": scale}
            for component, own in zip(COMPONENTS, numbers, strict=True):
                reason = why or _why_not(component, cell)
                own = [np.nan] * 3 if reason else own
                found.append(about | {"component": component} | _row(own, [cell], reason))
    keys = ["dataset", "metric", "component", "scale"]
    return pd.DataFrame(found, columns=[*keys, "value", "low", "high", "runs", "seeds", "why"])


def _cells(runs, scores, noise=None):
    """The cells of these runs; `noise` is metric → [runs]. All have the same seeds, in order."""
    check(runs, scores)
    unknown = np.full(len(runs), np.nan)
    noises = {f"noise of {score}": (noise or {}).get(score, unknown) for score in scores}
    settings, _, values = grid(runs.assign(**noises), [*scores, *noises])
    values = values.reshape(2, len(scores), *values.shape[1:])
    cells = []
    for dataset, own in settings.groupby("dataset", sort=False):
        for k, score in enumerate(scores):
            table = values[:, k, own.index]
            kept = np.isfinite(table[0]).sum(axis=1) >= FEWEST
            method = np.unique(own["model"][kept], return_inverse=True)[1]
            cells.append(Cell(dataset, score, table[:, kept], method))
    return cells


def _noise(runs, rows, scores):
    """metric → [runs] variance of the mean of a run's draws; 0 where a run was given its score."""
    if rows is None or not scores:
        return {}
    check(runs, ["run_id", *scores])
    rows = rows[rows["metric"].isin(scores) & rows["run_id"].isin(runs["run_id"])]
    rows = rows[rows["step"] == rows.groupby(["run_id", "metric"])["step"].transform("max")]
    dataset = rows["run_id"].map(runs.drop_duplicates("run_id").set_index("run_id")["dataset"])
    of_draw = rows["value"].groupby([dataset, rows["metric"], rows["draw"]])
    away = rows["value"] - of_draw.transform("mean")
    runs_there = of_draw.transform("size").clip(lower=2)
    away *= np.sqrt(runs_there / (runs_there - 1))  # a mean over runs lies nearer to them
    spread = away.groupby([rows["metric"], rows["run_id"]]).agg(["var", "size"])
    found = {}
    for metric, own in spread.groupby(level="metric"):
        own = (own["var"] / own["size"]).droplevel("metric")
        if own.notna().any():
            given = runs[metric].notna() & ~runs["run_id"].isin(own.index)
            found[metric] = runs["run_id"].map(own).mask(given, 0.0).to_numpy(float)
    return found


def _row(numbers, cells, why):
    there = np.concatenate([np.isfinite(cell.table[0]) for cell in cells])
    runs, seeds = int(there.sum()), int(there.any(axis=0).sum())
    value, low, high = numbers
    few = f"{seeds} seeds give no interval" if seeds < 3 else NO_SPREAD
    why = why or ("" if np.isfinite(low) else few)
    return {"value": value, "low": low, "high": high, "runs": runs, "seeds": seeds, "why": why}


def _why(cell):
    """Why nothing can be said of a cell, or nothing."""
    table = cell.table[0]
    if not len(table):
        return "no setting has two seeds"
    if len(table) < 2:
        return "one setting"
    return "the score never varies" if np.nanmin(table) == np.nanmax(table) else ""


def _why_not(of, cell):
    """Why nothing can be said of one part, or nothing."""
    if of == "method" and cell.method.max() == 0:
        return "one method"
    if of == "strength" and len(set(cell.method)) == len(cell.method):
        return "one strength"
    drawn = np.isfinite(cell.table[1]).any()
    return "" if drawn or of != "evaluation" else "one draw of each run"


def _r_squared(cell):
    """R² of least squares on the method, and on the setting, over runs."""
    if _why(cell):
        return None
    table = cell.table[0]
    count = np.isfinite(table).sum(axis=1)
    total, mean = np.nansum(table, axis=1), np.nanmean(table)
    by_method = np.bincount(cell.method, total) ** 2 / np.bincount(cell.method, count)
    explained = np.array([by_method.sum(), (total**2 / count).sum()]) - count.sum() * mean**2
    return explained / np.nansum((table - mean) ** 2)


def _components(parts):
    """`moments` of each of COMPONENTS, and the total: [1 + seeds, 6, 2]."""
    evaluation = np.nan_to_num(parts[:, 5, 0])
    interaction = np.stack([parts[:, 4, 0], evaluation], axis=-1)[:, None]
    return np.concatenate([parts[:, [0, 1, 3]], interaction, parts[:, 5:]], axis=1)
