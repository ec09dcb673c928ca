"""Are codes independent where samples of them are?

Methods press the *sampled* codes to be independent, and the representation is the *mean*. Locatello
et al. (ICML 2019), figures 1, 8 to 10 and 25 to 28, compare how far both are from independence,
over the strength: medians are `distributions.by_setting` and trends `strength.trends` of the
columns of `measures_of`. Here is how often the means' is the larger.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from .grid import grid
from .interval import LEVEL, Interval
from .share import by_seeds

SAMPLED = "_sampled"
MEASURES = {  # of mean codes; of sampled ones with SAMPLED; nats, squared units of codes, nats
    "gaussian_total_correlation": "Gaussian total correlation",
    "gaussian_wasserstein_correlation": "Gaussian Wasserstein correlation",
    "mutual_information_score": "Average pairwise mutual information",
}
COLUMNS = ["dataset", "model", "measure", "value", "low", "high", "runs", "seeds", "why"]


def measures_of(runs: pd.DataFrame) -> list[str]:
    """Those of `MEASURES` that at least one of these runs has of mean and of sampled codes."""
    pairs = {m: [m, m + SAMPLED] for m in MEASURES if {m, m + SAMPLED} <= {*runs.columns}}
    return [m for m, pair in pairs.items() if runs[pair].notna().all(axis=1).any()]


def higher_for_means(runs: pd.DataFrame, measures: Sequence[str] | None = None) -> pd.DataFrame:
    """In what share of a method's runs are mean codes further from independence than sampled ones?

    A row per dataset, model and measure; `value` from 0 to 1, over the runs with both numbers.
    The interval is Clopper and Pearson's for as many runs as the seeds' differences leave of them
    (Korn & Graubard, "Confidence Intervals for Proportions with Small Expected Number of Positive
    Counts", Survey Methodology 1998); where all runs agree, a seed counts as one
    (`share.by_seeds`). It covers at least what it says.
    """
    measures = measures_of(runs) if measures is None else list(measures)
    table = grid(runs, [*measures, *(m + SAMPLED for m in measures)])
    means, samples = np.split(table.values, [len(measures)])
    higher = np.where(np.isnan(means + samples), np.nan, means > samples)
    found = []
    for (dataset, model), own in table.settings.groupby(["dataset", "model"]):
        for measure, hits in zip(measures, higher[:, own.index], strict=True):
            count = (~np.isnan(hits)).sum(axis=0)
            share = _share(np.nansum(hits, axis=0)[count > 0], count[count > 0])
            about = {"dataset": dataset, "model": model, "measure": measure}
            about |= {"runs": count.sum(), "seeds": (count > 0).sum()}
            found.append(about | share._asdict())
    found = pd.DataFrame(found, columns=COLUMNS)
    few = np.where(found["seeds"] == 1, "one seed", "")
    return found.assign(why=np.where(found["runs"] == 0, "no run has both", few))


def _share(hits, count):
    """An interval of sum(hits) / sum(count), whose seeds [s] are clusters."""
    runs, seeds = count.sum(), len(count)
    if not runs:
        return Interval(np.nan, np.nan, np.nan)
    value = hits.sum() / runs
    if seeds < 2 or value in (0, 1):
        return by_seeds(value, seeds)
    tail = (1 - LEVEL) / 2
    variance = seeds / (seeds - 1) * ((hits - value * count) ** 2).sum() / runs**2
    if variance:
        reach = stats.norm.ppf(tail) / stats.t.ppf(tail, seeds - 1)
        worth = min(runs, value * (1 - value) / variance * reach**2)
    else:
        worth = runs
    hit, missed = value * worth, (1 - value) * worth
    ends = stats.beta.ppf(tail, hit, missed + 1), stats.beta.ppf(1 - tail, hit + 1, missed)
    return Interval(value, *map(float, ends))
