"""Do better scores mean more accurate predictions, or fewer labels for them?

Locatello et al. (ICML 2019), section 5.5: accuracies of predictors of the true factors that are
fitted to the codes of so many labelled images, against the scores (figure 5, 19), their statistical
efficiency (6, 20, 21), accuracies by thirds of a score (22, 23), and against numbers that need no
labels (24). `rank_correlations` says how the columns found here go together; this file finds them,
and compares thirds.
"""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import interval
from .grid import grid
from .summary import scores_of

FEW = 100  # labels of which the efficiency is asked
WHOLE = 10_000  # labels meant by a name without a number, and those the paper divides by
PREDICTORS = {  # families of columns, and what predicts; the number of labels is their last part
    "downstream_gbt_accuracy": "boosted trees",
    "downstream_lr_accuracy": "logistic regression",
    "linear_probe": "linear probe",
    "dci_informativeness": "DCI's trees",
}
THIRDS = ("low", "middle", "high")
BY_THIRDS = ["dataset", "metric", "accuracy", "third", "value", "low", "high", "runs", "seeds"]
BY_THIRDS += ["why"]


class Family(NamedTuple):
    """The accuracies of one kind of predictor."""

    name: str
    predictor: str
    accuracies: dict[int, str]  # number of labels → column, rising


def families(runs: pd.DataFrame) -> list[Family]:
    """The families of accuracies of which any run has one."""
    found = []
    for name, predictor in PREDICTORS.items():
        sizes = {}
        for column in runs:
            match = re.fullmatch(rf"{name}(?:_(\d+))?", column)
            if match and runs[column].notna().any():
                sizes[int(match[1] or WHOLE)] = column
        if sizes:
            found.append(Family(name, predictor, dict(sorted(sizes.items()))))
    return found


def with_efficiencies(runs: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """`runs` with the statistical efficiency of every family, and column → accuracy it divides by.

    Efficiency is the accuracy from 100 labels over that from the most labels that the family has on
    a run's dataset: `…_efficiency_100` where these are the paper's 10,000, and with 1,000
    `…_efficiency_100_of_1000`, for two denominators are never compared. Missing where the accuracy
    divided by is 0 or missing. Around 1 / (how much more labels help); codes that know nothing are
    efficient, since chance from few labels is chance from many, so read it beside the accuracy.
    """
    efficiencies = {}
    for family in (f for f in families(runs) if FEW in f.accuracies):
        few = runs[family.accuracies[FEW]]
        for dataset in runs["dataset"].unique():
            own = runs["dataset"] == dataset
            sizes = [
                n for n, c in family.accuracies.items() if n > FEW and runs[c][own].notna().any()
            ]
            if not sizes:
                continue
            column = f"{family.name.removesuffix('_accuracy')}_efficiency_{FEW}"
            column += "" if max(sizes) == WHOLE else f"_of_{max(sizes)}"
            most = family.accuracies[max(sizes)]
            ratio = few / runs[most].where(runs[most] > 0)
            runs = runs.assign(**{column: ratio.where(own, runs.get(column, np.nan))})
            efficiencies[column] = most
    return runs, efficiencies


def by_thirds(
    runs: pd.DataFrame, scores: list[str] | None = None, accuracies: list[str] | None = None
) -> pd.DataFrame:
    """How accurate are predictions from the third of the runs with the lowest score, the middle
    third, and the third with the highest?

    `accuracies` are all that `families` finds where none are named. A row per dataset, `metric`,
    accuracy and `third`: "low", "middle" and "high" are mean accuracies, in [0, 1], higher is
    better, and "high − low" is their difference. `runs` that have both count, over all methods,
    strengths and seeds; runs that score alike are shared among thirds, as drawing lots would on
    average. The paper shows the distributions; means are compared here, because a difference of
    means has an interval: each seed is left out in turn, and the thirds made anew.
    """
    scores = scores_of(runs) if scores is None else scores
    if accuracies is None:
        accuracies = [c for family in families(runs) for c in family.accuracies.values()]
    table = grid(runs, [*scores, *accuracies])
    values = dict(zip([*scores, *accuracies], table.values, strict=True))
    records = []
    for dataset, places in table.settings.groupby("dataset", sort=False).indices.items():
        for score in scores:
            every = np.stack([values[name][places] for name in (score, *accuracies)])
            for lacking, same in _patterns(every, accuracies):
                about = {"dataset": dataset, "metric": score} | lacking
                rows = [0, *(1 + accuracies.index(name) for name in same)]
                records += _compare(every[rows], same, about)
    return pd.DataFrame(records, columns=BY_THIRDS)


def _patterns(every, accuracies):
    """Accuracies that the same runs have, together: they are worked out at once."""
    there = ~np.isnan(every[0]) & ~np.isnan(every[1:])
    groups = {}
    for name, own in zip(accuracies, there, strict=True):
        groups.setdefault(own.tobytes(), (int(own.sum()), []))[1].append(name)
    return [({"runs": count}, names) for count, names in groups.values()]


def _compare(table, names, about):
    """Rows of one score and accuracies that the same runs have."""
    both = ~np.isnan(table[:2]).any(axis=0)
    table = np.where(both, table, np.nan)[:, both.any(axis=1)][..., both.any(axis=0)]
    about = about | {"seeds": table.shape[-1]}
    if about["runs"] < len(THIRDS):
        why, found = "fewer than three runs have both", None
    elif np.nanmin(table[0]) == np.nanmax(table[0]):
        why, found = f"{about['metric']} never varies", None
    else:
        found = interval.jackknife(_thirds(table), np.arange(about["seeds"]))
        why = "one seed" if about["seeds"] < 2 else ""
    records = []
    for i, name in enumerate(names):
        for j, third in enumerate((*THIRDS, "high − low")):
            numbers = [x[i, j] for x in found] if found else [np.nan] * 3
            numbers = dict(zip(("value", "low", "high"), numbers, strict=True))
            own = why or (interval.SAME if np.isnan(numbers["low"]) else "")
            records.append(about | {"accuracy": name, "third": third, "why": own} | numbers)
    return records


def _thirds(table):
    """The statistic, for seeds of [1 + accuracies, settings, seeds]: the means [accuracies, 4] of
    the thirds by the first of them, and the highest's less the lowest's.

    Runs are sorted once: of each third only what it sums to is worked out anew.
    """
    where = np.nonzero(~np.isnan(table[0]))
    order = np.argsort(table[0][where])
    owner, (scores, *accuracies) = where[1][order], table[:, *where][:, order]
    accuracies = np.array(accuracies)

    def statistic(seeds):
        kept = np.isin(np.arange(table.shape[-1]), seeds)[owner]
        ends = np.flatnonzero(np.diff(scores[kept], prepend=-np.inf, append=np.inf))
        sums = np.pad(accuracies[:, kept].cumsum(axis=1), ((0, 0), (1, 0)))[:, ends]
        borders = np.linspace(0, kept.sum(), len(THIRDS) + 1)
        at = [np.interp(borders, ends, own) for own in sums]  # runs that score alike: a line
        means = np.diff(at, axis=1) / borders[1]
        return np.concatenate([means, means[:, -1:] - means[:, :1]], axis=1)

    return statistic
