"""How many seeds it takes to tell two methods apart, from the runs at hand."""

import numpy as np
import pandas as pd

from .compare_methods import by_pair, difference, per_seed
from .interval import LEVEL
from .power import POWER, effect_interval, power_of, seeds_needed, smallest_difference
from .sweeps import asked, joined

MAYBE_NONE = "there may be no difference at all"
TOO_SMALL = "a million seeds would not be enough"


def how_many_seeds(
    runs: pd.DataFrame,
    scores: list[str] | None = None,
    *,
    of: str = "best",
    power: float = POWER,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """The seeds a method that a comparison of two methods needs, where they differ as it seems.

    A row per dataset, metric and pair of methods, compared as `compare_methods` does: by their best
    strengths, cross-fitted (`of="best"`), or by all of them (`of="all"`).

    - `difference`, of `model` − `other`, and `sd` over seeds, of one method, or of the differences
      where seeds are `paired`; both in the units of the score, `sd` with what the choice of the
      strength adds.
    - `seeds` at hand (the harmonic mean where methods have different numbers), the `power` they
      have at this difference, and `smallest`, the difference they see with the power asked for.
    - `value`: the seeds a method for the power asked for, in a two-sided test at 5 %. `low` and
      `high` are the seeds for the largest and the smallest effect (difference / sd) that the runs
      leave possible at 95 %, by the noncentral t. `high` is missing where there may be no
      difference at all, and `value` where a million seeds are not enough; `why` says so.

    The observed difference is a guess, and so is the power at it: a plan rests on the smallest
    difference that would matter (`power.seeds_needed`).
    """
    scores, parts = asked(runs, scores), []
    for dataset, models, _, pseudo in per_seed(runs, scores, of=of, rng=rng):
        first, second = np.triu_indices(len(models), 1)
        found = difference(pseudo[:, first], pseudo[:, second])  # [scores, pairs]
        paired = found.paired
        known = ~np.isnan(found.error)
        with np.errstate(divide="ignore"):
            seeds = 2 / (1 / found.seeds + 1 / found.other_seeds)
        df = np.where(paired, found.seeds - 1, found.seeds + found.other_seeds - 2)
        sd = np.where(paired, found.sd_apart, found.sd)
        scale = np.sqrt(np.where(paired, seeds, seeds / 2))
        t = np.where(known, found.value / sd * scale, 0)
        ends = effect_interval(t, np.where(known, df, 1), np.where(known, scale, 1), level=LEVEL)
        most = np.maximum(*map(np.abs, ends))
        least = np.where(ends[0] * ends[1] > 0, np.minimum(*map(np.abs, ends)), 0)
        effect = np.where(known, found.value / sd, np.nan)
        value, low, high = (
            _either(paired, seeds_needed, np.where(known, x, np.nan), power=power)
            for x in (effect, most, least)
        )
        why = np.where(known & np.isnan(high), TOO_SMALL, found.why)
        why = np.where(known & (least == 0), MAYBE_NONE, why)
        cells = {"difference": found.value, "sd": sd, "paired": paired, "seeds": seeds}
        cells |= {"power": _either(paired, power_of, effect, seeds)}
        cells |= {"smallest": _either(paired, smallest_difference, seeds, sd, power=power)}
        cells |= {"value": value, "low": low, "high": high, "why": why}
        parts.append(by_pair(dataset, scores, models, cells))
    names = ["dataset", "metric", "model", "other", "difference", "sd", "paired", "seeds", "power"]
    return joined(parts, [*names, "smallest", "value", "low", "high", "why"])


def _either(paired, how, *values, **more):
    """`how` of these arrays, paired or not."""
    return np.where(paired, how(*values, paired=True, **more), how(*values, **more))
