"""How many of a method's runs reach a score, for every score one may ask for."""

import numpy as np
import pandas as pd

from .share import of_share
from .sweeps import NO_RUNS, ONE_SEED, asked, joined, sweeps

THRESHOLDS = 41


def profiles(
    runs: pd.DataFrame, scores: list[str] | None = None, thresholds: np.ndarray | None = None
) -> pd.DataFrame:
    """The share of runs of a method, all strengths and seeds, whose score is above a threshold.

    A row per dataset, metric, model and `threshold`: `value` from 0 to 1, falling, with `low` and
    `high` for this threshold alone, over seeds (`share.of_share`). A method whose curve is never
    below another's is better whatever one asks for; curves that cross say that it depends (Agarwal
    et al., NeurIPS 2021, section 4.3, after Dolan & Moré, "Benchmarking Optimization Software with
    Performance Profiles", 2002). Thresholds are 41 steps from the dataset's lowest score to its
    highest, the same for all methods, where none are given.

    Runs without a score are left out; `grid.floored` gives diverged ones the metric's floor first.
    """
    scores, of_dataset = asked(runs, scores), {}
    for sweep in sweeps(runs, scores):
        of_dataset.setdefault(sweep.dataset, []).append(sweep)
    parts = []
    for own in of_dataset.values():
        everything = np.concatenate([sweep.values for sweep in own], axis=1)
        steps = _steps(everything, thresholds)  # [scores, thresholds]
        for sweep in own:
            values = sweep.values[:, None]
            hits = np.where(np.isnan(values), np.nan, values > steps[..., None, None])
            value, low, high = of_share(hits)
            counts = (~np.isnan(sweep.values)).sum(axis=(1, 2))
            seeds = (~np.isnan(sweep.values)).any(axis=1).sum(axis=1)
            why = np.select([seeds == 0, seeds == 1], [NO_RUNS, ONE_SEED], "")
            cells = {"threshold": steps, "value": value, "low": low, "high": high}
            cells |= {"runs": counts[:, None], "seeds": seeds[:, None], "why": why[:, None]}
            cells = {name: np.broadcast_to(x, steps.shape).ravel() for name, x in cells.items()}
            parts.append(sweep.rows(np.repeat(scores, steps.shape[1]), cells))
    names = ["dataset", "metric", "model", "threshold", "value", "low", "high", "runs", "seeds"]
    return joined(parts, [*names, "why"])


def _steps(values, thresholds):
    """[scores, thresholds]: those given, or from each score's lowest value to its highest."""
    if thresholds is not None:
        return np.tile(np.asarray(thresholds, float), (len(values), 1))
    flat = values.reshape(len(values), -1)
    low, high = np.fmin.reduce(flat, axis=1), np.fmax.reduce(flat, axis=1)
    return low[:, None] + (high - low)[:, None] * np.linspace(0, 1, THRESHOLDS)
