"""How are the scores of a method, and of each of its settings, spread?

Locatello et al. (ICML 2019), figures 3, 13 and 14: the distribution of every score, by method with
all strengths and seeds together, and by setting over its seeds.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from . import interval
from .grid import SETTING, grid
from .share import by_seeds
from .summary import scores_of

METHOD = ["dataset", "model"]
QUANTILES = {"lowest": 0, "q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95, "highest": 1}
FOUND = ["metric", "value", "low", "high", "mean", *QUANTILES, "runs", "seeds", "why"]
OVERLAP = [*METHOD, "metric", "value", "low", "high", "runs", "seeds", "why"]


def by_method(
    runs: pd.DataFrame,
    scores: Sequence[str] | None = None,
    *,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """The distribution of every score over all runs of a method, whatever their strength and seed.

    A row per dataset, model and `metric`: `value` is the median, between `low` and `high` (seeds
    drawn with replacement, by `rng`, else the same in each call; six at least); the `mean`;
    `lowest`, `q05`, `q25`, `q75`, `q95` and `highest`, quantiles of the runs; how many `runs` and
    `seeds` have the score; `why`.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    scores = scores_of(runs) if scores is None else list(scores)
    table = grid(runs, scores)
    found = _described(runs, METHOD, scores)
    for dataset, own in table.settings.groupby("dataset"):
        models, which = np.unique(own["model"], return_inverse=True)
        strength = own.groupby("model").cumcount().to_numpy()
        pooled = np.full((len(scores), len(models), strength.max() + 1, len(table.seeds)), np.nan)
        pooled[:, which, strength] = table.values[:, own.index]
        present = ~np.isnan(pooled).all(axis=(0, 2))  # [models, seeds]
        patterns, alike = np.unique(present, axis=0, return_inverse=True)
        for i in np.flatnonzero(patterns.any(axis=1)):  # models with the same seeds together
            some = alike.reshape(-1) == i
            medians = interval.bootstrap(_median, pooled[:, some][..., patterns[i]], rng)
            rows = pd.MultiIndex.from_product([scores, [dataset], models[some]])
            rows = rows.reorder_levels([1, 2, 0])
            found.loc[rows, "low"], found.loc[rows, "high"] = (
                medians.low.ravel(),
                medians.high.ravel(),
            )
    return _explained(found.reset_index())[[*METHOD, *FOUND]]


def by_setting(runs: pd.DataFrame, scores: Sequence[str] | None = None) -> pd.DataFrame:
    """The same of every setting over its seeds: a row per dataset, model, setting and `metric`, in
    the order of `grid`, with the columns of both. The interval of a setting's median assumes no
    distribution (`interval.of_median`)."""
    scores = scores_of(runs) if scores is None else list(scores)
    table = grid(runs, scores)
    found = _described(runs, ["dataset", "setting"], scores)
    for score, values in zip(scores, table.values, strict=True):
        medians = [interval.of_median(own) for own in values]
        rows = pd.MultiIndex.from_frame(table.settings[["dataset", "setting"]].assign(metric=score))
        found.loc[rows, ["low", "high"]] = [(m.low, m.high) for m in medians]
    found = table.settings.merge(found.reset_index(), on=["dataset", "setting"])
    return _explained(found)[[*SETTING, *FOUND]]


def overlap(runs: pd.DataFrame, scores: Sequence[str] | None = None) -> pd.DataFrame:
    """How often is a run of another method better than one of the method with the best median?

    A row per dataset and `metric`: `model` is that method, `value` the share, from 0 to 1, of pairs
    of one of its runs and one of any other method's in which the other's scores higher, an equal
    score counting half; .5 is no difference at all. Seeds are left out in turn, the method stays.
    Where `value` is 0 or 1 the other end is that of `share.by_seeds`. That the method was chosen by
    the same runs makes it look a little better than it is.
    """
    scores = scores_of(runs) if scores is None else list(scores)
    table = grid(runs, scores)
    found = []
    for dataset, own in table.settings.groupby("dataset"):
        model = own["model"].to_numpy()
        for score, values in zip(scores, table.values[:, own.index], strict=True):
            values = values[:, ~np.isnan(values).all(axis=0)]
            known = {m: values[(model == m)[:, None] & ~np.isnan(values)] for m in np.unique(model)}
            medians = {m: np.median(scored) for m, scored in known.items() if scored.size}
            about = {"dataset": dataset, "metric": score, "seeds": values.shape[1]}
            about["runs"] = int((~np.isnan(values)).sum())
            if len(medians) < 2:
                found.append(about | {"model": "", "why": "fewer than two methods"})
                continue
            best = max(medians, key=medians.get)
            share = interval.jackknife(partial(_beaten, of=model == best), values)
            there = ~np.isnan(values)
            fewest = min(there[some].any(axis=0).sum() for some in (model == best, model != best))
            if share.value in (0, 1):
                share = by_seeds(share.value, fewest)
            low, high = np.clip([share.low, share.high], 0, 1)
            few = "one seed" if values.shape[1] == 1 else "a method has one seed"
            why = few if fewest < 2 else interval.SAME if np.isnan(low) else ""
            about |= {"value": share.value, "low": low, "high": high}
            found.append(about | {"model": best, "why": why})
    return pd.DataFrame(found, columns=OVERLAP)


def _beaten(values, of):
    """The share of pairs in which a run of the other settings beats one of the settings `of`."""
    present = ~np.isnan(values)
    ranks = rankdata(values[present])
    own = np.broadcast_to(of[:, None], values.shape)[present]
    mine, others = own.sum(), (~own).sum()
    if not mine * others:
        return np.nan
    return 1 - (ranks[own].sum() - mine * (mine + 1) / 2) / (mine * others)


def _median(table):
    """[scores, models] of [scores, models, settings, seeds], of what is not NaN."""
    values = np.sort(table.reshape(*table.shape[:2], -1), axis=-1)  # NaN last
    count = values.shape[-1] - np.isnan(values).sum(axis=-1)
    middle = np.stack([(count - 1) // 2, count // 2], axis=-1)  # −1, a NaN, where there is none
    return np.take_along_axis(values, middle, axis=-1).mean(axis=-1)


def _described(runs, keys, scores):
    """A row per group and score, by that index; without intervals."""
    groups = runs.groupby(keys)[scores]
    columns = {"value": groups.median(), "mean": groups.mean(), "runs": groups.count()}
    columns |= {name: groups.quantile(q) for name, q in QUANTILES.items()}
    seeds = {s: runs[runs[s].notna()].groupby(keys)["seed"].nunique() for s in scores}
    columns["seeds"] = pd.DataFrame(seeds, index=columns["runs"].index).fillna(0)
    parts = {name: frame.rename_axis(columns="metric").stack() for name, frame in columns.items()}
    found = pd.concat(parts, axis=1).astype({"runs": int, "seeds": int})
    return found.assign(low=np.nan, high=np.nan)


def _explained(found):
    unknown = found["low"].isna() | found["high"].isna()
    few = np.where(found["seeds"] == 1, "one seed", interval.FEW)
    why = np.where(found["runs"] == 0, "no run has it", np.where(unknown, few, ""))
    return found.assign(why=why)
