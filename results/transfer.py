"""Does a setting that was chosen with labels stay good with another seed, dataset or score?"""

from itertools import compress, product

import numpy as np
import pandas as pd

from .interval import jackknife
from .matched import matched
from .summary import scores_of
from .sweeps import NO_SPREAD

ALL = "all"  # datasets
KINDS = ("same", "other")


def transfer(runs: pd.DataFrame, scores: list[str] | None = None) -> pd.DataFrame:
    """How often a chosen setting does at least as well as a random one: tables 1 and 6 of
    "Challenging Common Assumptions" (Locatello et al., 2019).

    Draw a seed, a score and a dataset, and take the setting that is best by that score among the
    runs of that seed on that dataset. Draw one of all settings beside it. Both are judged by their
    runs of one other seed, by the same or another score, on the same or another dataset. The paper
    has 10,000 such trials; these are all that there are, each counted once: the expectation. Where
    several settings are best each is taken as often.

    A row per `by_score` and `by_data` ("same", "other": by which score, and on which dataset, what
    was chosen is judged; `dataset` and `to` are "all": plain averages), then a row per dataset it
    was chosen on, dataset `to` judged on, and `by_score`.

    `value`: the share of trials in which the chosen setting is better or equal, as in the paper.
    Equal are often the two, because they may be one setting: a random choice would have `chance`,
    not a half. `half` counts what is equal as half, so that its chance is a half. `low` and `high`
    are of `value`, each seed left out in turn. Of two datasets only the settings of both count. A
    score that never varies on a dataset decides nothing there, and is left out.
    """
    scores = scores_of(runs) if scores is None else scores
    table = matched(runs, scores)
    pairs = list(product(range(len(table.datasets)), repeat=2))
    trials = [_trials(table.values[a], table.values[b]) for a, b in pairs]
    seeds = len(table.seeds)
    trials = np.array(trials).reshape(len(pairs), len(KINDS), 5, seeds, seeds)
    within = np.array([a == b for a, b in pairs], bool)

    def shares(some):
        """[2 + pairs, score, of 3 kinds]: the averages of the groups, and each pair."""
        among = trials[..., some[:, None], some].sum(axis=(-2, -1))
        each = _ratio(among[..., :3], among[..., [3, 3, 4]])
        return np.stack([_mean(each[within]), _mean(each[~within]), *each])

    found = jackknife(shares, np.arange(seeds), scale="share")
    keys = [(ALL, ALL, data) for data in KINDS]
    keys += [(table.datasets[a], table.datasets[b], KINDS[a != b]) for a, b in pairs]
    rows = []
    for k, (dataset, to, data) in enumerate(keys):
        own = [pairs[k - 2]] if k > 1 else list(compress(pairs, within if k == 0 else ~within))
        for j, score in enumerate(KINDS):
            value, half, chance = found.value[k, j]
            about = {"dataset": dataset, "to": to, "by_score": score, "by_data": data}
            about |= {"value": value, "low": found.low[k, j, 0], "high": found.high[k, j, 0]}
            about |= {"half": half, "chance": chance, "seeds": seeds}
            rows.append(about | {"why": _why(about, table, len(scores), own)})
    columns = ["dataset", "to", "by_score", "by_data", "value", "low", "high", "half", "chance"]
    return pd.DataFrame(rows, columns=[*columns, "seeds", "why"])


def _trials(chosen, judged):
    """[score, 5, seeds, seeds]: sums over trials of this seed chosen by and that one judged by.

    Both are [scores, settings, seeds]. The five: a chosen setting's trials that are better or
    equal; those, but what is equal counts half; a random setting's that are better or equal; how
    many trials of a chosen one there are; and of a random one.
    """
    shared = [np.isfinite(_varied(table)).any(axis=(0, 2)) for table in (chosen, judged)]
    chosen, judged = (_varied(table)[:, shared[0] & shared[1]] for table in (chosen, judged))
    there = np.isfinite(chosen)
    best = chosen == np.where(there, chosen, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    best, random = (_ratio(x, x.sum(axis=1, keepdims=True), 0.0) for x in (best, there))
    beside = judged[:, :, None] - judged[:, None]
    less, equal, rivals = (x.sum(axis=2) for x in (beside > 0, beside == 0, np.isfinite(beside)))
    wins, half = (_ratio(x, rivals, 0.0) for x in (less + equal, less + equal / 2))
    judges = rivals > 0
    found = [(best, wins), (best, half), (random, wins), (best, judges), (random, judges)]
    sums = np.empty((len(KINDS), 5, chosen.shape[-1], chosen.shape[-1]))
    for k, (choice, share) in enumerate(found):
        by_score = np.einsum("mis,mit->st", choice, share * 1.0, optimize=True)
        sums[0, k], sums[1, k] = by_score, choice.sum(axis=0).T @ share.sum(axis=0) - by_score
    return sums * (1 - np.eye(chosen.shape[-1]))


def _varied(table):
    """[scores, settings, seeds], without the scores that never vary."""
    there = np.isfinite(table)
    least = np.where(there, table, np.inf).min(axis=(1, 2), keepdims=True, initial=np.inf)
    most = np.where(there, table, -np.inf).max(axis=(1, 2), keepdims=True, initial=-np.inf)
    return np.where(least < most, table, np.nan)


def _ratio(some, of, where_none=np.nan):
    some, of = np.asarray(some, float), np.asarray(of, float)
    full = np.full(np.broadcast_shapes(some.shape, of.shape), where_none)
    return np.divide(some, of, out=full, where=of > 0)


def _mean(each):
    return _ratio(np.where(np.isfinite(each), each, 0).sum(axis=0), np.isfinite(each).sum(axis=0))


def _why(row, table, scores, pairs):
    """Why there is no number or no interval, or nothing."""
    if np.isfinite(row["low"]):
        return ""
    if len(table.seeds) < 2:
        return "fewer than two seeds"
    if row["by_score"] == "other" and scores < 2:
        return "one score"
    if row["by_data"] == "other" and len(table.datasets) < 2:
        return "one dataset"
    if np.isfinite(row["value"]):
        few = len(table.seeds) < 3
        return f"{len(table.seeds)} seeds give no interval" if few else NO_SPREAD
    there = np.isfinite(table.values).any(axis=(1, 3))
    if max((there[a] & there[b]).sum() for a, b in pairs) < 2:
        return "fewer than two settings to choose from"
    return "the scores never vary"
