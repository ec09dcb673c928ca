"""What is it worth to choose runs, or settings, by a number that needs no labels?"""

import numpy as np
import pandas as pd

from .grid import check, grid
from .interval import jackknife
from .likelihoods import IN_LIKELIHOODS, comparable, several
from .summary import scores_of
from .sweeps import NO_SPREAD
from .unsupervised import with_elbo

ALL = "all"  # methods
HOWS = ("run", "setting")
LABELS = "labels"
ROUNDING = 1e-12
NUMBERS = {  # what can be chosen by: whether more of it is better (1) or less (−1)
    "reconstruction": -1,
    "kl": -1,
    "elbo": 1,
    "gaussian_total_correlation_sampled": -1,
    "udr_lasso": 1,
    "udr_spearman": 1,
}
KEYS = ["dataset", "model", "metric", "by", "how"]
SAID = ["chosen", "random", "best", "worst", "regret", "regret_low", "regret_high", "seeds", "why"]


def numbers_of(runs: pd.DataFrame) -> list[str]:
    """The numbers of `NUMBERS` that at least one of these runs has."""
    return [name for name in NUMBERS if name in runs and runs[name].notna().any()]


def selection(runs: pd.DataFrame, scores: list[str] | None = None) -> pd.DataFrame:
    """The score of what is chosen by each number, between a random choice and the best possible.

    A row per dataset, `model` ("all", or the method whose strengths are chosen from), metric, `by`
    (the number, of `NUMBERS`, which also says whether more or less of it is better; less KL and
    less total correlation is more regularised) and `how`:

    - "run": of the runs of one seed, the one with the best number is taken;
    - "setting": the setting with the best median of the number over all other seeds is taken, and
      judged by its run of this one, so that no run is judged that was looked at. `by` "labels"
      chooses so by the score itself, for comparison. It has no interval: that the seeds that choose
      and the one that judges are of one score makes ten seeds' cover 75 to 90 of 100 studies.

    All are means over seeds, in units of the score: `chosen`, `random` (the mean of the runs that
    there are to choose from), `best` and `worst` (of them), `regret` = best − chosen with its
    interval. `value`, `low` and `high` are the share of the way from random to best that the choice
    goes, (chosen − random) / (best − random), at most 1; below 0 a random choice is better. Runs
    that have no such number are not chosen from; where several are best each is taken as often.
    Intervals leave out each seed in turn, on the scale of the regret's logarithm. They are of fresh
    seeds and the choices that were made here: choices of settings are not made anew. UDR compares a
    run with other seeds of its setting, and is not computed anew either. Where a choice is nearly
    always the best, its regret is 0 in most seeds, and intervals from ten cover too little. Where
    the runs of a dataset have `likelihoods.several`, reconstruction and ELBO choose nothing.
    """
    scores = scores_of(runs) if scores is None else scores
    check(runs, scores)
    runs = with_elbo(runs)
    numbers, mixed = numbers_of(runs), several(runs)
    settings, _, values = grid(comparable(runs), [*scores, *numbers])
    signs = np.array([NUMBERS[name] for name in numbers]).reshape(-1, 1, 1)
    found = []
    for dataset, own in settings.groupby("dataset", sort=False):
        score, number = np.split(values[:, own.index], [len(scores)])
        has = np.isfinite(score).any(axis=(1, 2))
        there = np.isfinite(score[has]).all(axis=0)
        by = np.where(there, np.concatenate([signs * number, score]), np.nan)
        models = own["model"].to_numpy()
        for model in (ALL, *dict.fromkeys(models)):
            at = np.full(len(models), True) if model == ALL else models == model
            some = there[at].any(axis=0)
            own_score, own_by = score[:, at][..., some], by[:, at][..., some]
            for how in HOWS:
                choice = own_by if how == "run" else _medians_of_others(own_by)
                by_seed = _by_seed(own_score, own_by, choice)
                by_seed[:, :, ~has] = np.nan
                about = {"dataset": dataset, "model": model, "how": how}
                found += _rows(about, scores, numbers, by_seed)
    table = pd.DataFrame(found, columns=[*KEYS, "value", "low", "high", *SAID])
    unlike = table["dataset"].isin([*mixed]) & table["by"].isin(IN_LIKELIHOODS)
    table["why"] = table["why"].mask(unlike, table["dataset"].map(mixed))
    return table


def _medians_of_others(values):
    """[..., seeds] medians of [..., seeds] without the seed in that place; NaN does not count."""
    there, seeds = np.isfinite(values), values.shape[-1]
    ordered, place = np.sort(values, axis=-1), values.argsort(axis=-1).argsort(axis=-1)
    left = there.sum(axis=-1, keepdims=True) - there
    found = np.zeros(values.shape)
    for middle in ((left - 1) // 2, left // 2):
        middle = middle + (there & (middle >= place))
        found += np.take_along_axis(ordered, np.clip(middle, 0, seeds - 1), axis=-1) / 2
    return np.where(left > 0, found, np.nan)


def _by_seed(score, by, choice):
    """[4, by, scores, seeds]: the chosen, a random, the best and the worst of a seed's runs.

    Of scores [scores, settings, seeds], the numbers that a run must have, and those of which the
    highest is chosen [by, settings, seeds].
    """
    there = np.isfinite(by)
    runs, some = there[:, None], there.any(axis=1)[:, None]
    able = there & np.isfinite(choice)
    choice = np.where(able, choice, -np.inf)
    taken = able & (choice == choice.max(axis=1, keepdims=True, initial=-np.inf))
    best = np.where(runs, score, -np.inf).max(axis=2, initial=-np.inf)
    worst = np.where(runs, score, np.inf).min(axis=2, initial=np.inf)
    found = np.stack([_mean_of(taken, score), _mean_of(there, score), best, worst])
    return np.where(some & np.isfinite(found[0]), found, np.nan)


def _mean_of(taken, score):
    """[by, scores, seeds] means of the taken runs [by, settings, seeds]."""
    sums = np.einsum("kis,mis->kms", taken * 1.0, np.nan_to_num(score), optimize=True)
    return _ratio(sums, taken.sum(axis=1)[:, None])


def _ratio(some, of):
    full = np.full(np.broadcast_shapes(np.shape(some), np.shape(of)), np.nan)
    return np.divide(some, of, out=full, where=of > 0)


def _missed(by_seed):
    """[2, by, scores] of [4, by, scores, seeds]: regret, and what share of the way that is."""
    chosen, random, best, _ = _over_seeds(by_seed)
    regret = best - chosen
    return np.stack([regret, regret / np.where(best > random, best - random, np.nan)])


def _over_seeds(by_seed):
    return _ratio(np.nansum(by_seed, axis=-1), np.isfinite(by_seed).sum(axis=-1))


def _rows(about, scores, numbers, by_seed):
    seeds = by_seed.shape[-1]
    means = _over_seeds(by_seed)
    value, low, high = jackknife(_missed, by_seed, scale="positive")
    regret = by_seed[2] - by_seed[0]
    spread = (abs(regret - value[0][..., None]) > ROUNDING).any(axis=-1)  # NaN: no seed
    spread &= np.isfinite(low).all(axis=0)
    for m, metric in enumerate(scores):
        for k, by in enumerate([*numbers, LABELS]):
            at = k + m * (by == LABELS), m
            if by == LABELS and about["how"] == "run":
                continue  # which is the best
            row = about | {"metric": metric, "by": by, "seeds": seeds}
            row |= dict(zip(SAID[:4], means[:, *at], strict=True)) | {"regret": value[0, *at]}
            row["value"] = 1 - value[1, *at]
            row["why"] = _why(row, spread[at])
            if not row["why"]:
                most = row["best"] - row["worst"]
                least = 1 - most / (row["best"] - row["random"])
                row |= {"low": max(1 - high[1, *at], least), "high": 1 - low[1, *at]}
                row |= {"regret_low": low[0, *at], "regret_high": min(high[0, *at], most)}
            yield row


def _why(row, spread):
    """Why there is no number or no interval, or nothing."""
    if np.isnan(row["best"]):
        return "no run has both" if row["seeds"] != 1 else "one seed"
    if np.isnan(row["value"]):
        return "no run is better than another"
    if row["seeds"] < 3:
        return "fewer than three seeds"
    if row["by"] == LABELS:
        return "for comparison, without an interval"
    return "" if spread else NO_SPREAD
