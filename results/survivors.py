"""What diverged runs hide: how often methods diverge, and whether their order hangs on it."""

import numpy as np
import pandas as pd
from scipy import special

from .grid import check, floored
from .interquartile_mean import iqm_by_seed
from .interval import LEVEL
from .share import of_share, wilson
from .summary import labelled
from .sweeps import NO_RUNS, ONE_SEED, asked, joined, moments, of_seeds, sweeps


def survivors(
    runs: pd.DataFrame, scores: list[str] | None = None, bounds: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Every method's interquartile mean with diverged runs at the metric's floor, and without them.

    A row per dataset, metric and model: `value`, `low`, `high` with all runs, and its `rank` among
    the methods; `alone`, `alone_low`, `alone_high`, `alone_rank` of the runs that have a number;
    `moved` = `alone` − `value`; `runs`, of which `floored` have none and score the floor, which are
    those that diverged or of whose codes the metric could not be computed (`grid.floored`);
    `seeds`, and `why` there is no interval. Runs that *failed* count in neither: they say nothing
    of their method. `bounds` say the floors, 0 elsewhere. Intervals are the jackknife's over seeds.
    """
    scores = asked(runs, scores)
    check(runs, scores)
    runs = runs if "label" in runs else labelled(runs)
    whole = [*sweeps(floored(runs, scores, bounds), scores)]
    alone = {(s.dataset, s.model): s for s in sweeps(runs[runs["status"] != "failed"], scores)}
    parts = []
    for sweep in whole:
        left = alone[sweep.dataset, sweep.model].values
        value, low, high, why = of_seeds(iqm_by_seed(sweep.values))
        own, own_low, own_high, _ = of_seeds(iqm_by_seed(left))
        count, kept = ((~np.isnan(x)).sum(axis=(1, 2)) for x in (sweep.values, left))
        cells = {"value": value, "low": low, "high": high, "alone": own, "alone_low": own_low}
        cells |= {"alone_high": own_high, "moved": own - value, "runs": count}
        cells |= {
            "floored": count - kept,
            "seeds": (~np.isnan(sweep.values)).any(axis=1).sum(axis=1),
        }
        parts.append(sweep.rows(scores, cells | {"why": why}))
    names = ["dataset", "metric", "model", "value", "low", "high", "alone", "alone_low"]
    table = joined(parts, [*names, "alone_high", "moved", "runs", "floored", "seeds", "why"])
    for name, column in (("rank", "value"), ("alone_rank", "alone")):
        groups = table.groupby(["dataset", "metric"], sort=False)[column]
        table[name] = groups.rank(ascending=False, method="min")
    table["metric"] = pd.Categorical(table["metric"], scores, ordered=True)
    table = table.sort_values(["dataset", "metric", "rank"], kind="stable", ignore_index=True)
    return table.astype({"metric": object})


def failure_rates(runs: pd.DataFrame) -> pd.DataFrame:
    """The share of runs that diverged, by setting and by method.

    A row per dataset, model and `label`, "" being the method with all its strengths: `value` from 0
    to 1, `low` and `high` by Wilson, of a setting's runs, which have a seed each, and of a method's
    over seeds (`share.of_share`); `runs`, of which `diverged` did; `failed`, which are not among
    them, as they say nothing of their method; `seeds`, and `why` there is no interval.
    """
    check(runs)
    runs = runs if "label" in runs else labelled(runs)
    runs = runs.assign(
        diverged=(runs["status"] == "diverged").where(runs["status"] != "failed").astype(float)
    )
    failed = (runs["status"] == "failed").groupby([runs["dataset"], runs["model"], runs["label"]])
    failed, parts = failed.sum(), []
    z = special.ndtri(0.5 + LEVEL / 2)
    for sweep in sweeps(runs, ["diverged"]):
        hits, labels = sweep.values[0], sweep.settings["label"].to_numpy()
        value, _, seeds = moments(hits)
        low, high = (np.where(seeds > 1, end, np.nan) for end in wilson(value, seeds, z))
        pooled = of_share(hits)
        cells = {"label": ["", *labels]}
        for name, whole, own in zip(
            ("value", "low", "high"), pooled, (value, low, high), strict=True
        ):
            cells[name] = [float(whole), *own]
        cells["runs"] = [int(seeds.sum()), *seeds]
        cells["diverged"] = [int(np.nansum(hits)), *np.nansum(hits, axis=1).astype(int)]
        own = [int(failed[sweep.dataset, sweep.model, label]) for label in labels]
        cells["failed"] = [sum(own), *own]
        cells["seeds"] = counts = np.array([(~np.isnan(hits)).any(axis=0).sum(), *seeds])
        cells["why"] = np.select([counts == 0, counts == 1], [NO_RUNS, ONE_SEED], "")
        parts.append(pd.DataFrame({"dataset": sweep.dataset, "model": sweep.model} | cells))
    names = ["dataset", "model", "label", "value", "low", "high", "runs", "diverged", "failed"]
    return joined(parts, [*names, "seeds", "why"])
