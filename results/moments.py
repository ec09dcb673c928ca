"""What settings and seeds do to a score, as mean squares, and intervals of what these say.

Settings are fixed, they are all there are, and seeds are drawn. Everything follows from the
settings' means over seeds and from the covariances of settings across seeds, whatever these are:
neither equal variances nor normal scores are assumed, and runs may be missing. Means of few seeds
differ by luck alone; how much is known from the covariances, and is the second of each pair here.
"""

from typing import NamedTuple

import numpy as np

from .interval import jackknife

ROUNDING = 1e-8  # more than what the ends of a scale are kept away by


class Cell(NamedTuple):
    """One score on one dataset."""

    dataset: str
    metric: str
    table: np.ndarray  # [2, settings, seeds]: the score, and the variance of its evaluation
    method: np.ndarray  # [settings], as numbers from 0


def moments(table, method):
    """[7, 2] in units², a mean square and what luck adds to it, of method; strength; both; seed;
    seed × setting and evaluation together; evaluation; and the total.

    What there is of each is the first less the second. `table` may be a batch: it comes first.
    """
    score, noise = table[..., 0, :, :], table[..., 1, :, :]
    there = np.isfinite(score)
    settings, count = score.shape[-2], there.sum(axis=-1)
    mean = np.where(there, score, 0).sum(axis=-1) / count
    away = np.where(there, score - mean[..., None], 0)
    common = (there * 1.0) @ _turned(there * 1.0)
    counts = count[..., None], count[..., None, :]
    both = common / (counts[0] * counts[1])
    divisor = common * (1 - 1 / counts[0] - 1 / counts[1] + both)
    known = divisor > 1e-9  # a setting that is left one seed has no variance
    covariance = away @ _turned(away) / np.where(known, divisor, 1)
    same = np.eye(settings, dtype=bool)
    for part in (same, ~same):  # where two have no seeds in common: as others are on average
        there = part & known
        average = np.where(there, covariance, 0).sum(axis=(-2, -1)) / there.sum(axis=(-2, -1))
        average = average[..., None, None]
        covariance = np.where(part & ~known, average, covariance)
    alike = method[:, None] == method
    method_mean = alike / alike.sum(axis=1)
    forms = np.stack([method_mean - 1 / settings, same - method_mean, same - 1 / settings])
    between = np.einsum("...i,kij,...j->...k", mean, forms, mean, optimize=True) / settings
    luck = np.einsum("kij,...ij->...k", forms, covariance * both) / settings
    within = covariance.mean(axis=(-2, -1), where=same)
    of_seeds = covariance.mean(axis=(-2, -1))
    rest = (within - of_seeds) * settings / (settings - 1)
    drawn = np.isfinite(noise)
    evaluation = np.where(drawn, noise, 0).sum(axis=(-2, -1)) / drawn.sum(axis=(-2, -1))
    total = between[..., 2] - luck[..., 2] + within
    plus = [*np.moveaxis(between, -1, 0), of_seeds, rest, evaluation, total]
    less = [*np.moveaxis(luck, -1, 0), rest / settings, *(0 * rest,) * 3]
    found = np.stack([np.stack(plus, axis=-1), np.stack(less, axis=-1)], axis=-1)
    return np.maximum(found, 0)  # none is below but for rounding


def _turned(table):
    return np.swapaxes(table, -1, -2)


def left_out(cell):
    """[1 + seeds, 7, 2] `moments` of a cell, whole and without each seed in turn."""
    seeds = cell.table.shape[-1]
    tables = np.repeat(cell.table[None], 1 + seeds, axis=0)
    tables[1 + np.arange(seeds), :, :, np.arange(seeds)] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):  # with two seeds, one is left
        return moments(tables, cell.method)


def difference(left_out, cells, scale):
    """[k, 3] value, low and high of differences, from [1 + seeds, k, 2] of both."""

    def statistic(seeds):
        missing = present.sum() - seeds.sum()
        return left_out[0 if len(seeds) == len(present) else 1 + missing]

    present = np.flatnonzero(np.any([np.isfinite(c.table[0]).any(axis=0) for c in cells], axis=0))
    scale, most = {"share": ("share", 1), "variance": ("positive", np.inf)}[scale]
    found = jackknife(statistic, present, scale=scale, exact=True)  # what a part lacks is 0
    (plus, less), (low, least), (high, most_less) = (np.moveaxis(x, -1, 0) for x in found)
    value = plus - less
    down, up = np.hypot(plus - low, most_less - less), np.hypot(high - plus, less - least)
    ends = np.minimum(np.clip(value - down, 0, most), value), np.clip(value + up, 0, most)
    alike = down + up < ROUNDING  # no seed says anything else than the others
    return np.stack([value, *np.where(alike, np.nan, ends)], axis=-1)
