"""The impossibility theorem at work: what a score says of a model and of its rotated twin.

Locatello et al., "Challenging Common Assumptions in the Unsupervised Learning of Disentangled
Representations", ICML 2019, theorem 1: beside every model stands another with the same prior, the
same likelihood of every image, the same divergence and the same ELBO, whose codes are those of the
first, rotated so that each mixes them all. `X_rotated` is the score X of that twin. The paper
proves that it exists; that it is built from trained runs and scored is added here.
"""

import numpy as np
import pandas as pd

from . import interval
from .grid import check, grid
from .share import by_seeds

TWIN = "_rotated"
SCORES = (
    "beta_vae_score",
    "factor_vae_score",
    "mig",
    "dci_disentanglement",
    "dci_disentanglement_1000",
    "modularity",
    "sap",
)
MARGIN = 0.1  # of the score before: a loss below which a score is said not to notice
KINDS = ("before", "after", "difference", "lost", "higher")
COLUMNS = ["dataset", "metric", "kind", "value", "low", "high", "runs", "seeds", "why"]


def twins_of(runs: pd.DataFrame) -> list[str]:
    """The scores that at least one run has beside that of its rotated twin."""
    pairs = [score for score in SCORES if {score, score + TWIN} <= {*runs.columns}]
    return [s for s in pairs if runs[[s, s + TWIN]].notna().all(axis=1).any()]


def impossibility(
    runs: pd.DataFrame,
    scores: list[str] | None = None,
    *,
    draws: int = interval.DRAWS,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """How much of a score is not owed to the likelihood?

    `runs`: a row per run with the scores and, of each, the column `…_rotated`; a run without either
    does not count, so runs that diverged have no twin. A row per dataset, `metric` and `kind`:

    - "before", "after": the median over all runs of the score, and of that of their twins;
    - "difference": the second median less the first;
    - "lost": its share of the first, 1 where nothing is left, below 0 where the twins score higher;
    - "higher": the share of runs whose twin scores strictly higher.

    Intervals resample seeds, by `rng`, else alike in each call, and take six of them; for "higher"
    they leave each out in turn, and where that is 0 or 1 are those of `share.by_seeds`.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    scores = twins_of(runs) if scores is None else scores
    check(runs, [column for score in scores for column in (score, score + TWIN)])
    records = []
    for dataset, some in runs.groupby("dataset", sort=False) if scores else ():
        columns = [*scores, *(score + TWIN for score in scores)]
        table = grid(some, columns).values.reshape(2, len(scores), -1, some["seed"].nunique())
        table = np.where(np.isnan(table).any(axis=0), np.nan, table)
        for score, pair in zip(scores, np.swapaxes(table, 0, 1), strict=True):
            there = ~np.isnan(pair[0])
            pair = pair[:, there.any(axis=1)][..., there.any(axis=0)]
            about = {"dataset": dataset, "metric": score, "runs": int(there.sum())}
            about["seeds"] = seeds = pair.shape[-1]
            if not about["runs"]:
                why = f"no run has {score} and {score + TWIN}"
                records += [about | {"kind": kind, "why": why} for kind in KINDS]
                continue
            medians = interval.bootstrap(_medians(pair), np.arange(seeds), rng, draws=draws)
            found = [interval.Interval(*numbers) for numbers in zip(*medians, strict=True)]
            found.append(_share(pair))
            for kind, numbers in zip(KINDS, found, strict=True):
                why = _why(kind, numbers, seeds)
                records.append(about | {"kind": kind, **numbers._asdict(), "why": why})
    return pd.DataFrame(records, columns=COLUMNS).astype(
        dict.fromkeys(("value", "low", "high"), float)
    )


def _why(kind, numbers, seeds):
    if np.isnan(numbers.value):
        return "the score is 0 before"
    if not np.isnan(numbers.low):
        return ""
    if seeds < 2:
        return "one seed"
    if kind == "higher":
        return interval.SAME
    return interval.FEW if interval.few(seeds) else "the score before is not clear of 0"


def noticed(found: pd.DataFrame, margin: float = MARGIN) -> pd.Series:
    """For each dataset and metric of `impossibility`: does the score notice that codes are mixed?

    "no" where the whole interval of the share lost lies within ± `margin`, "yes" where it lies
    above, "rises" where it lies below, and else "cannot tell".
    """
    rows = found[found["kind"] == "lost"].set_index(["dataset", "metric"])
    low, high = rows["low"], rows["high"]
    sure = [(low > -margin) & (high < margin), low > margin, high < -margin]
    said = np.select(sure, ["no", "yes", "rises"], "cannot tell")
    return pd.Series(said, index=rows.index, dtype=object)


def _medians(pair):
    """The statistic of medians, for seeds [drawn] of a pair of scores [2, settings, seeds].

    Values are sorted once, and seeds counted: so many draws of so many runs would take long.
    """
    where = np.nonzero(~np.isnan(pair[0]))
    order = np.argsort(pair[:, *where], axis=1)
    values, owner = np.take_along_axis(pair[:, *where], order, axis=1), where[1][order]

    def statistic(drawn):
        counts = np.bincount(drawn, minlength=pair.shape[-1])
        before, after = (_median(*both) for both in zip(values, counts[owner], strict=True))
        lost = (before - after) / before if before > 0 else np.nan
        return np.array([before, after, after - before, lost])

    return statistic


def _median(values, counts):
    """The median of sorted values that are there so many times."""
    total = counts.cumsum()
    middle = [np.searchsorted(total, total[-1] / 2, side) for side in ("left", "right")]
    return values[middle].mean()


def _higher(pair):
    there = ~np.isnan(pair[0])
    return (pair[1] > pair[0]).sum() / max(there.sum(), 1)


def _share(pair):
    """The share of twins that score higher, and its interval."""
    found, seeds = interval.jackknife(_higher, pair, scale="share"), pair.shape[-1]
    return found if 0 < found.value < 1 else by_seeds(found.value, seeds)
