"""Which method leads, and which places the others could hold."""

import numpy as np
import pandas as pd

from .best_of_sweep import best_of_sweep
from .compare_methods import difference
from .interquartile_mean import iqm_by_seed
from .interval import LEVEL
from .multiplicity import holm
from .sweeps import asked, joined, moments, of_seeds, sweeps


def league(
    runs: pd.DataFrame, scores: list[str] | None = None, rng: np.random.Generator | None = None
) -> pd.DataFrame:
    """A row per dataset, metric and method, the highest score first.

    - `value`, `low`, `high`: the interquartile mean of all runs of the method (all strengths and
      seeds), by the jackknife over seeds; `mean` and `median` of the same runs.
    - `best`, `best_low`, `best_high`: the score at its best strength, cross-fitted
      (`best_of_sweep`): `best_label`, which `best_share` of the halves choose; and `naive`, what
      choosing and reporting on the same seeds would say.
    - `rank`, and `first` to `last`: the ranks by `value` that are possible, 1 is the highest. All
      of them hold together with a probability of 95 % at least, see `possible_ranks`.
    - `runs`, those with the score; `lost`, the share of all runs of the method that failed or
      diverged; `seeds`, and `why` there is no interval.

    Runs without a score are left out; `grid.floored` gives diverged ones the metric's floor first.
    Scores are in their own units, higher is better.
    """
    scores, of_dataset = asked(runs, scores), {}
    for sweep in sweeps(runs, scores):
        of_dataset.setdefault(sweep.dataset, []).append(sweep)
    lost = (runs["status"] != "done").groupby([runs["dataset"], runs["model"]]).mean()
    best = best_of_sweep(runs, scores, rng).set_index(["dataset", "model", "metric"])
    parts = []
    for dataset, own in of_dataset.items():
        by_seed = np.stack([iqm_by_seed(sweep.values) for sweep in own], axis=1)
        value, low, high, why = of_seeds(by_seed)  # [scores, models]
        rank, first, last = possible_ranks(by_seed)
        for j, sweep in enumerate(own):
            flat = sweep.values.reshape(len(scores), -1)
            mean, _, count = moments(flat)
            cells = {"value": value[:, j], "low": low[:, j], "high": high[:, j], "mean": mean}
            cells |= {"median": _medians(flat), "rank": rank[:, j], "first": first[:, j]}
            cells |= {"last": last[:, j], "runs": count, "lost": lost[dataset, sweep.model]}
            cells |= {"seeds": moments(by_seed[:, j])[2], "why": why[:, j]}
            parts.append(sweep.rows(scores, cells))
    names = ["dataset", "metric", "model", "value", "low", "high", "mean", "median", "rank"]
    names += ["first", "last", "runs", "lost", "seeds", "why"]
    table = joined(parts, names)
    chosen = best[["value", "low", "high", "label", "share", "naive"]].add_prefix("best_")
    chosen = chosen.rename(columns={"best_value": "best", "best_naive": "naive"})
    table = table.join(chosen, on=[*best.index.names])
    table["metric"] = pd.Categorical(table["metric"], scores, ordered=True)
    table = table.sort_values(["dataset", "metric", "rank"], kind="stable", ignore_index=True)
    return table.astype({"metric": object})


def possible_ranks(by_seed: np.ndarray, level: float = LEVEL):
    """Of scores by seed [..., methods, seeds]: ranks, and the lowest and the highest possible, all
    [..., methods]; NaN of methods without a score.

    The first rank possible is 1 + the number of methods that are better, the last the number of
    methods − those that are worse, where better and worse are all that can be told apart at once:
    every ordered pair is a one-sided test, adjusted after Holm. So all ranks hold together with a
    probability of `level` at least; more where methods are far apart or much alike, by
    construction (Mogstad, Romano, Shaikh & Wilhelm, "Inference for Ranks with Applications to
    Mobility across Neighbourhoods and Academic Achievement across Countries", Review of Economic
    Studies 2024, section 3, who adjust by a bootstrap, a little less strictly, where all methods
    have all seeds).
    """
    a, b = by_seed[..., :, None, :], by_seed[..., None, :, :]
    p = difference(a, b).p_above()  # [..., methods, methods]; NaN beside oneself
    shape = p.shape
    adjusted = np.array([holm(table) for table in p.reshape(-1, *shape[-2:])]).reshape(shape)
    above = np.nan_to_num(adjusted, nan=1) < 1 - level
    value = moments(by_seed)[0]
    there = ~np.isnan(value)
    with np.errstate(invalid="ignore"):
        rank = 1.0 + (value[..., None, :] > value[..., :, None]).sum(axis=-1)
    first, last = 1.0 + above.sum(axis=-2), there.sum(axis=-1)[..., None] - above.sum(axis=-1)
    return tuple(np.where(there, x, np.nan) for x in (rank, first, last))


def _medians(values):
    """Over the last axis, without NaN, which sort last."""
    values = np.sort(values, axis=-1)
    count = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    middle = [np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2]
    return sum(np.take_along_axis(values, at, -1)[..., 0] for at in middle) / 2
