"""A method's sweep on a dataset: its strengths × seeds, and one number per seed as an interval."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from .grid import grid
from .interval import LEVEL, SAME
from .summary import scores_of

NO_RUNS, ONE_SEED, NO_SPREAD = "too few runs", "one seed", SAME
ROUNDING = 1e-12  # a spread this small beside the numbers it is of is none


class Sweep(NamedTuple):
    """All runs of a method on a dataset."""

    dataset: str
    model: str
    settings: pd.DataFrame  # a row per strength, weak to strong
    seeds: np.ndarray  # [seeds], the same for all sweeps of a frame
    values: np.ndarray  # [scores, strengths, seeds]; NaN where there is no run, or no number

    def rows(self, scores: list[str], columns: dict) -> pd.DataFrame:
        """A row per score, with keys."""
        return pd.DataFrame(
            {"dataset": self.dataset, "model": self.model, "metric": scores} | columns
        )


def sweeps(runs: pd.DataFrame, scores: list[str]) -> Iterator[Sweep]:
    """The sweeps of a frame, by dataset, then model; none where no score is asked for."""
    settings, seeds, values = grid(runs, scores)
    if not scores:
        return
    for (dataset, model), rows in settings.groupby(
        ["dataset", "model"], sort=False
    ).indices.items():
        yield Sweep(dataset, model, settings.iloc[rows], seeds, values[:, rows])


def asked(runs: pd.DataFrame, scores: list[str] | None) -> list[str]:
    """The scores asked for, or all of disentanglement that these runs have."""
    return scores_of(runs) if scores is None else list(scores)


def of_seeds(values: np.ndarray, level: float = LEVEL):
    """Means over the last axis with Student's interval: value, low, high, why.

    Seeds that are NaN do not count. One seed, and seeds that all say the same, have no interval.
    """
    mean, variance, seeds = moments(values)
    spread = has_spread(mean, variance)
    fine = (seeds > 1) & spread
    reach = special.stdtrit(np.maximum(seeds - 1, 1), 0.5 + level / 2)
    reach = np.where(fine, reach * np.sqrt(np.nan_to_num(variance) / np.maximum(seeds, 1)), np.nan)
    return mean, mean - reach, mean + reach, reasons(seeds, spread)


def moments(values: np.ndarray):
    """Mean, variance (divisor n − 1) and number over the last axis, without the NaN."""
    there = ~np.isnan(values)
    seeds = there.sum(axis=-1)
    mean = np.where(there, values, 0).sum(axis=-1) / np.maximum(seeds, 1)
    apart = np.where(there, values - mean[..., None], 0)
    variance = (apart**2).sum(axis=-1) / np.maximum(seeds - 1, 1)
    return np.where(seeds, mean, np.nan), np.where(seeds > 1, variance, np.nan), seeds


def pseudo_values(value: np.ndarray, left: np.ndarray) -> np.ndarray:
    """One number per seed [..., seeds], whose mean is a statistic of all seeds, `value`, and whose
    standard error is the jackknife's; `left` are the statistics without each seed, NaN of seeds
    that do not count.

    With them any smooth statistic is compared as means are (Tukey, "Bias and Confidence in
    Not-Quite Large Samples", 1958), but for the shift that puts their mean where the statistic is.
    """
    middle, _, seeds = moments(left)
    return value[..., None] + (seeds[..., None] - 1) * (middle[..., None] - left)


def has_spread(mean, variance):
    """Whether numbers of this mean and variance differ by more than rounding."""
    return np.sqrt(np.nan_to_num(variance)) > ROUNDING * (1 + np.abs(np.nan_to_num(mean)))


def reasons(seeds, spread):
    """Why there is no interval, "" where there is one: arrays of texts."""
    return np.select([seeds == 0, seeds == 1, ~spread], [NO_RUNS, ONE_SEED, NO_SPREAD], "")


def joined(parts: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """These frames under each other, with these columns, also where there are none."""
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)
