"""What a method reaches at its best strength, where luck has no part in the choice.

The best of six strengths on ten seeds is partly the strength that was lucky on them, and its mean
there says too much. So the strength is chosen on one half of the seeds and reported on the other
(cross-fitting), over many halves.
"""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from .sweeps import NO_RUNS, Sweep, asked, joined, moments, of_seeds, pseudo_values, sweeps

MOST = 400  # halves that are taken: all there are with ten seeds or fewer (252)


class CrossFit(NamedTuple):
    """What half of the seeds say of the strength that the other half chose, over many halves."""

    value: np.ndarray  # [...], the mean of the halves
    pseudo: np.ndarray  # [..., seeds] with that mean, and the spread of its jackknife
    own: np.ndarray  # [..., seeds], the mean score of a seed where it did not choose
    chosen: np.ndarray  # [..., strengths], the share of halves that chose each


def best_of_sweep(
    runs: pd.DataFrame, scores: list[str] | None = None, rng: np.random.Generator | None = None
) -> pd.DataFrame:
    """What to expect of a fresh seed at the strength that is best by mean on half of the seeds.

    A row per dataset, model and metric; higher scores are better. `value` is in the units of the
    score; `low` and `high` come from the jackknife over seeds, choice and all: the seeds' scores
    alone would miss what the choice adds (their interval covers 86 % where strengths are close).
    `naive` is the highest mean of a strength on all seeds, and `optimism` what that says too much
    at most, `naive` − `value`: choosing by half of the seeds costs a little, too. `label` is the
    strength chosen most often, in `share` of the halves; `settings` how many there were to choose
    from. `rng` draws halves of more than ten seeds (None: seed 0).

    Estimated is the choice by *half* of the seeds, a little worse than that by all of them where
    strengths are close.
    """
    scores, parts = asked(runs, scores), []
    for sweep, fit in cross_fits(runs, scores, rng):
        value, low, high, why = of_seeds(fit.pseudo)
        seeds, settings = moments(fit.own)[2], sweep.settings["label"].to_numpy()
        naive = np.fmax.reduce(moments(sweep.values)[0], axis=-1)
        known = ~np.isnan(fit.value)
        why = np.where(~known & ~np.isnan(naive), "one seed cannot choose and report", why)
        columns = {"value": fit.value, "low": low, "high": high, "naive": naive}
        columns |= {"optimism": naive - fit.value}
        columns |= {"label": np.where(known, settings[fit.chosen.argmax(axis=-1)], "")}
        columns |= {"share": np.where(known, fit.chosen.max(axis=-1), np.nan)}
        columns |= {"settings": len(settings), "seeds": seeds, "why": why}
        parts.append(sweep.rows(scores, columns))
    names = ["dataset", "model", "metric", "value", "low", "high", "naive", "optimism", "label"]
    return joined(parts, [*names, "share", "settings", "seeds", "why"])


def chosen_strengths(
    runs: pd.DataFrame, scores: list[str] | None = None, rng: np.random.Generator | None = None
) -> pd.DataFrame:
    """How often half of the seeds choose each strength: `value`, a share, per dataset, model,
    metric, `strength` and `label`.

    Halves overlap, so a share has no interval (`why`): it says how firm the choice is, 1 / settings
    of it being none.
    """
    scores, parts = asked(runs, scores), []
    for sweep, fit in cross_fits(runs, scores, rng):
        about = {name: np.tile(sweep.settings[name], len(scores)) for name in ("strength", "label")}
        known = np.repeat(~np.isnan(fit.value), len(sweep.settings))
        about |= {"value": np.where(known, fit.chosen.ravel(), np.nan), "low": np.nan}
        about |= {"high": np.nan, "why": np.where(known, "halves of the seeds overlap", NO_RUNS)}
        about |= {"seeds": np.repeat(moments(fit.own)[2], len(sweep.settings))}
        parts.append(sweep.rows(np.repeat(scores, len(sweep.settings)), about))
    names = ["dataset", "model", "metric", "strength", "label", "value", "low", "high"]
    return joined(parts, [*names, "seeds", "why"])


def cross_fits(
    runs: pd.DataFrame, scores: list[str], rng: np.random.Generator | None = None
) -> Iterator[tuple[Sweep, CrossFit]]:
    """Every sweep and its cross-fit, whose arrays are [scores, …], over the seeds of all runs."""
    rng, drawn = np.random.default_rng(0) if rng is None else rng, {}
    for sweep in sweeps(runs, scores):
        there = ~np.isnan(sweep.values).all(axis=(0, 1))
        count = int(there.sum())
        if count not in drawn:  # the same halves for all sweeps
            drawn[count] = halves(count, rng)
        fit = cross_fit(sweep.values[..., there], drawn[count])
        pseudo, own = np.full((2, len(scores), len(there)), np.nan)
        pseudo[:, there], own[:, there] = fit.pseudo, fit.own
        yield sweep, fit._replace(pseudo=pseudo, own=own)


def halves(seeds: int, rng: np.random.Generator) -> np.ndarray:
    """Which seeds choose [halves, seeds]: all halves, or `MOST` of them, each with its complement.

    Of an odd number of seeds, one half has one more.
    """
    size = seeds // 2
    if math.comb(seeds, size) <= MOST:
        picked = np.array([*itertools.combinations(range(seeds), size)], int)
        # Of an even number the second half of the list are the complements of the first.
        picked = picked[: len(picked) // 2] if 2 * size == seeds else picked
    else:
        picked = rng.permuted(np.tile(np.arange(seeds), (MOST // 2, 1)), axis=1)[:, :size]
    first = np.zeros((len(picked), seeds), bool)
    np.put_along_axis(first, picked.reshape(len(picked), size), True, axis=1)
    return np.concatenate([first, ~first])


def cross_fit(values: np.ndarray, halves: np.ndarray) -> CrossFit:
    """Choose by mean on `halves` [halves, seeds] and report on the rest of the seeds.

    `values` are [..., strengths, seeds], NaN where there is no run. Of equal strengths the first is
    taken; a sweep of one strength has nothing to choose. The jackknife leaves a seed out of both
    sides of every half.
    """
    if values.shape[-2] == 1:
        only = values[..., 0, :]
        return CrossFit(moments(only)[0], only, only, np.ones(values.shape[:-1]))
    runs = np.swapaxes(values, -1, -2)  # [..., seeds, strengths]
    there = ~np.isnan(runs)
    each = np.stack([np.where(there, runs, 0), there.astype(float)])  # sums and counts
    chooses, reports = halves.astype(float), 1.0 - halves
    inside, outside = chooses @ each, reports @ each  # [2, ..., halves, strengths]
    value, at = _reported(inside, outside)
    chosen = at.sum(axis=-2) / np.maximum(at.sum(axis=(-2, -1)), 1)[..., None]
    weights = reports.T @ at * each[1]  # how often a seed was reported at a strength
    counted = weights.sum(axis=-1)
    own = (weights * each[0]).sum(axis=-1) / np.maximum(counted, 1)
    own = np.where(counted > 0, own, np.nan)
    left = np.empty(own.shape)
    for s in range(own.shape[-1]):
        one = each[..., s : s + 1, :]
        here = inside - chooses[:, s : s + 1] * one, outside - reports[:, s : s + 1] * one
        left[..., s] = _reported(*here)[0]
    left = np.where(there.any(axis=-1), left, np.nan)
    two = there.any(axis=-1).sum(axis=-1, keepdims=True) < 3  # of which none can be left out
    return CrossFit(value, np.where(two, own, pseudo_values(value, left)), own, chosen)


def _reported(inside, outside):
    """The mean over halves of the outside mean at the strength whose inside mean is highest, and
    where that is [..., halves, strengths]; halves that cannot choose, or report, do not count."""
    sums, counts = inside
    means = np.where(counts > 0, sums / np.maximum(counts, 1), -np.inf)
    at = means.argmax(axis=-1)[..., None]
    sums, counts = (np.take_along_axis(part, at, -1)[..., 0] for part in outside)
    fine = (counts > 0) & np.isfinite(np.take_along_axis(means, at, -1)[..., 0])
    halves = fine.sum(axis=-1)
    value = np.where(fine, sums / np.maximum(counts, 1), 0).sum(axis=-1) / np.maximum(halves, 1)
    at = (at == np.arange(means.shape[-1])) & fine[..., None]
    return np.where(halves, value, np.nan), at
