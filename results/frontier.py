"""What a method trades: reconstruction, divergence from the prior, and disentanglement.

A setting is dominated where another is as good on every objective and better on one. What a method
reaches is the volume that its settings dominate together (Zitzler & Thiele, "Multiobjective
Optimization Using Evolutionary Algorithms", PPSN 1998). Reconstruction and KL are in nats, and
lower is better; of scores higher is. A setting is what its seeds are on average. Reconstructions of
several likelihoods are no measure of each other: on a dataset that has them nothing is answered.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from .grid import SETTING, check, grid
from .interval import LEVEL
from .likelihoods import comparable, several
from .summary import scores_of

COSTS = ("reconstruction", "kl")
KEY = ["dataset", "metric", "objectives"]
FRONTIERS = [*KEY, *SETTING[1:], *COSTS, "mean", "within", "overall"]
FRONTIERS += ["value", "low", "high", "runs", "why"]
VOLUMES = [*KEY, "model", "settings", "value", "low", "high", "seeds", "why"]
DRAWS = 400  # of a bootstrap for a standard error and a share, which need fewer than a quantile


def frontiers(
    runs: pd.DataFrame,
    scores: list[str] | None = None,
    *,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Which settings does no other dominate?

    `runs`: a row per run with `reconstruction`, `kl` and the scores; a run without one of the
    objectives does not count. A row per dataset, `objectives` ("reconstruction, kl",
    "reconstruction, mig" or "reconstruction, kl, mig"), and setting: its means `reconstruction`,
    `kl` and `mean`, of the `metric`, NaN where that is not an objective; `within`, no setting of
    its method dominates it; `overall`, none of any method does; and `value`, how sure the last is:
    the share of resamples of the seeds, from 0 to 1, in which it is so. A share of resamples has no
    interval. Seeds are drawn by `rng`, else the same in each call.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    parts = [pd.DataFrame(columns=FRONTIERS)]
    for space in _spaces(runs, scores):
        mean, resampled = _means(space.table, rng, draws)
        models = space.settings["model"].to_numpy()
        part = space.settings.assign(metric=space.score, objectives=space.name)
        shown = dict(zip(space.objectives, (mean * space.signs[:, None]), strict=True))
        for name, column in ((COSTS[0], COSTS[0]), (COSTS[1], COSTS[1]), (space.score, "mean")):
            part[column] = shown.get(name, np.nan)
        part["within"] = undominated(mean.T, models[:, None] == models)
        part["overall"] = undominated(mean.T)
        part["value"] = undominated(np.swapaxes(resampled, 1, 2)).mean(axis=0)
        part["runs"] = there = (~np.isnan(space.table[0])).sum(axis=-1)
        alone = space.table.shape[-1] < 2
        part["why"] = "one seed" if alone else "a share of resamples has no interval"
        part.loc[there == 0, "why"] = space.nothing
        part.loc[(there == 0) | alone, "value"] = np.nan
        parts.append(part.assign(low=np.nan, high=np.nan)[FRONTIERS])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def hypervolumes(
    runs: pd.DataFrame,
    scores: list[str] | None = None,
    *,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """How much of what any setting reaches do the settings of one method reach?

    A row per dataset, objectives (as in `frontiers`) and model. Every objective is put on a scale
    from 0, the worst setting of any method on that dataset, which is the reference point, to 1, the
    best; `value` is the volume the method's settings dominate: 0 to 1, higher is better. So methods
    compare on one dataset and in the same objectives; datasets and studies do not.

    The best of noisy means looks better than it is, of six equal settings by 1.3 standard errors.
    So the bias that resampled seeds show is taken off `value`, and the interval is Student's around
    it with the resamples' standard error (Efron & Tibshirani, "An Introduction to the Bootstrap",
    1993, chapters 6 and 10): percentiles cover 81 % where noise is large, these 93 to 96, and 99
    where no setting differs from another. The scale's ends are taken as they are, not resampled; so
    an interval that ends above 1 speaks of more than the best setting has shown.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    parts = [pd.DataFrame(columns=VOLUMES)]
    for space in _spaces(runs, scores):
        mean, resampled = _means(space.table, rng, draws)
        models, place = _by_model(space.settings["model"])
        seeds = space.table.shape[-1]
        about = {"metric": space.score, "objectives": space.name, "seeds": seeds}
        part = pd.DataFrame({"dataset": space.dataset, "model": models} | about)
        part["settings"] = (place >= 0).sum(axis=1)
        part[["value", "low", "high"]], part["why"] = np.nan, _no_scale(space, mean)
        if not _no_scale(space, mean):
            worst, best = (end(mean, axis=1)[:, None] for end in (np.nanmin, np.nanmax))
            worth = [(x - worst) / (best - worst) for x in (mean[None], resampled)]
            once, again = (hypervolume(_of_models(w, place)) for w in worth)
            if seeds > 1:
                part["value"] = value = np.maximum(2 * once[0] - again.mean(axis=0), 0)
                error = again.std(axis=0) * np.sqrt(seeds / (seeds - 1))
                reach = stats.t.ppf(0.5 + LEVEL / 2, seeds - 1) * error
                part["low"], part["high"] = np.maximum(value - reach, 0), value + reach
            else:
                part["value"], part["why"] = once[0], "one seed"
            without = np.isnan(_of_models(mean[None], place)).any(axis=-1).all(axis=-1)[0]
            part.loc[without, ["value", "low", "high"]] = np.nan
            part.loc[without, "why"] = space.nothing
        parts.append(part[VOLUMES])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def hypervolume(points: np.ndarray) -> np.ndarray:
    """The volume [...] of all that lies between 0 and any of the points [..., points, objectives].

    Exact, by slices along the last objective. What is below 0 counts as 0; a point with a NaN does
    not count.
    """
    points = np.where(np.isnan(points).any(axis=-1, keepdims=True), 0, np.maximum(points, 0))
    order = np.argsort(-points[..., -1], axis=-1, kind="stable")
    points = np.take_along_axis(points, order[..., None], axis=-2)
    heights = points[..., -1]
    slices = heights - np.concatenate([heights[..., 1:], np.zeros_like(heights[..., :1])], axis=-1)
    if points.shape[-1] == 2:
        return (slices * np.maximum.accumulate(points[..., 0], axis=-1)).sum(axis=-1)
    count = points.shape[-2]
    return sum(slices[..., k] * hypervolume(points[..., : k + 1, :-1]) for k in range(count))


def undominated(points: np.ndarray, rivals: np.ndarray | bool = True) -> np.ndarray:
    """Which of the points [..., points, objectives], higher better, no other dominates: [...,
    points]. Only where `rivals` [points, points] is true may the second dominate the first. A point
    with a NaN neither dominates nor is undominated.
    """
    as_good, better = True, False
    for values in np.moveaxis(points, -1, 0):
        mine, other = values[..., :, None], values[..., None, :]
        as_good = as_good & (other >= mine)
        better = better | (other > mine)
    dominated = (as_good & better & rivals).any(axis=-1)
    return ~dominated & ~np.isnan(points).any(axis=-1)


class _Space(NamedTuple):
    """The settings of one dataset in some objectives."""

    dataset: str
    settings: pd.DataFrame
    objectives: tuple[str, ...]
    signs: np.ndarray  # −1 of costs
    table: np.ndarray  # [objectives, settings, seeds], times signs; NaN where any of them is
    mixed: str  # why these reconstructions cannot be compared, or nothing

    @property
    def score(self):
        return "" if self.objectives[-1] in COSTS else self.objectives[-1]

    @property
    def name(self):
        return ", ".join(self.objectives)

    @property
    def nothing(self):
        return self.mixed or f"no run has {self.name}"


def _spaces(runs, scores):
    scores = scores_of(runs) if scores is None else scores
    columns = [*COSTS, *scores]
    check(runs, columns)
    found, mixed = grid(comparable(runs), columns), several(runs)
    values = dict(zip(columns, found.values, strict=True))
    spaces = [COSTS, *((COSTS[0], score) for score in scores), *((*COSTS, s) for s in scores)]
    for dataset, settings in found.settings.groupby("dataset", sort=False):
        for objectives in spaces:
            signs = np.where(np.isin(objectives, COSTS), -1.0, 1.0)
            table = np.stack([values[o][settings.index] for o in objectives])
            table = np.where(np.isnan(table).any(axis=0), np.nan, table * signs[:, None, None])
            seen = ~np.isnan(values[COSTS[0]][settings.index]).all(axis=0)  # seeds of this dataset
            table = table[..., seen] if seen.any() else table[..., :1]
            yield _Space(dataset, settings, objectives, signs, table, mixed.get(dataset, ""))


def _means(table, rng, draws):
    """Means over seeds [o, settings], and those of seeds drawn anew [draws, o, settings]."""
    seeds = table.shape[-1]
    drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    weights = np.concatenate([np.ones((1, seeds)), drawn])
    there = ~np.isnan(table)
    # Not as a matrix product, which would start threads for so little.
    total = np.einsum("oks,ds->dok", np.where(there, table, 0), weights)
    count = np.einsum("ks,ds->dk", there[0].astype(float), weights)[:, None]
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means[0], means[1:]


def _no_scale(space, mean):
    """Why the objectives have no worst and best, or nothing."""
    if np.isnan(mean).all():
        return space.nothing
    alike = np.nanmin(mean, axis=1) == np.nanmax(mean, axis=1)
    names = [name for name, same in zip(space.objectives, alike, strict=True) if same]
    return f"no two settings differ in {names[0]}" if names else ""


def _by_model(models):
    """The models, and the places [models, most settings] of their settings; −1 is none."""
    names, code = np.unique(models.to_numpy(str), return_inverse=True)
    places = [np.flatnonzero(code == m) for m in range(len(names))]
    most = max(map(len, places))
    return names, np.stack([np.pad(p, (0, most - len(p)), constant_values=-1) for p in places])


def _of_models(worth, place):
    """[draws, o, settings] → [draws, models, settings of each, o], NaN where it has fewer."""
    return np.where(place[..., None] >= 0, np.moveaxis(worth, 1, -1)[:, place], np.nan)
