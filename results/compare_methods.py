"""Whether one method is better than another: differences over seeds, and the chance of one."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from soberlook.registry import BadInput

from .best_of_sweep import cross_fits
from .interval import LEVEL
from .multiplicity import false_discovery_rate, holm
from .sweeps import asked, has_spread, joined, moments, reasons, sweeps

CHANCES = 1_001  # the grid on which chances are looked for
FEWEST_PAIRS = 3  # seeds: of two, whether they go together is a matter of luck
OF = ("best", "all")  # settings of a method: the best of its sweep, cross-fitted, or all of them


class Difference(NamedTuple):
    """Mean of some seeds − mean of others; arrays. NaN where there are too few, or no spread."""

    value: np.ndarray
    error: np.ndarray  # its standard error
    df: np.ndarray
    paired: np.ndarray  # whether seeds were compared each with itself
    correlation: np.ndarray  # over the seeds both have, from −1 to 1
    sd: np.ndarray  # over seeds: pooled, of one method
    sd_apart: np.ndarray  # over seeds: of the differences, where paired
    seeds: np.ndarray  # how many of `a`, and of `b`
    other_seeds: np.ndarray
    why: np.ndarray

    def interval(self, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
        reach = special.stdtrit(self.df, 0.5 + level / 2) * self.error
        return self.value - reach, self.value + reach

    def p(self) -> np.ndarray:
        """Two-sided."""
        return 2 * special.stdtr(self.df, -np.abs(self.value / self.error))

    def p_above(self) -> np.ndarray:
        """One-sided: small where the difference is above nothing."""
        return special.stdtr(self.df, -self.value / self.error)


def compare_methods(
    runs: pd.DataFrame,
    scores: list[str] | None = None,
    *,
    of: str = "best",
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Every two methods on every dataset by every score: `model` − `other`.

    Compared is one number per seed and method: with `of="best"` its score at the strength that
    other seeds chose (`best_of_sweep`), with `of="all"` the mean over all strengths, of seeds that
    have them all. Scores count as they are; runs without one are left out (`grid.floored` gives
    diverged runs their floor first). Higher is better.

    - `value`, `low`, `high`: the difference of means, in the units of the score. Student's t on the
      differences where both methods have the same seeds and their scores correlate positively over
      them (`paired`, `correlation`), Welch's elsewhere.
    - `effect`: the difference in standard deviations over seeds of one method (pooled).
    - `p`; `p_holm`, over the pairs of this dataset and metric; `p_fdr`, over the whole frame of
      pairs × metrics × datasets (`multiplicity`).
    - `better`, with `better_low` and `better_high`: the probability of improvement, that a seed of
      `model` scores above one of `other`, ties counting half, from 0 to 1 (Agarwal et al., "Deep
      Reinforcement Learning at the Edge of the Statistical Precipice", NeurIPS 2021, whose
      bootstrap is here Newcombe's interval, which is one also when all seeds are better).
    - `seeds`, `other_seeds`, and `why` there is no interval.
    """
    scores = asked(runs, scores)
    names = ["dataset", "metric", "model", "other", "value", "low", "high", "effect", "p", "p_holm"]
    names += ["p_fdr", "paired", "correlation", "better", "better_low", "better_high", "seeds"]
    parts = []
    for dataset, models, own, pseudo in per_seed(runs, scores, of=of, rng=rng):
        first, second = np.triu_indices(len(models), 1)
        found = difference(pseudo[:, first], pseudo[:, second])  # [scores, pairs]
        better = improvement(own[:, first], own[:, second])
        low, high = found.interval()
        p = found.p()
        cells = {"value": found.value, "low": low, "high": high, "p": p}
        cells |= {"effect": found.value / found.sd, "p_holm": np.array([holm(row) for row in p])}
        cells |= {"paired": found.paired, "correlation": found.correlation}
        cells |= dict(zip(("better", "better_low", "better_high"), better, strict=True))
        cells |= {"seeds": found.seeds, "other_seeds": found.other_seeds, "why": found.why}
        parts.append(by_pair(dataset, scores, models, cells))
    table = joined(parts, [*(name for name in names if name != "p_fdr"), "other_seeds", "why"])
    table["p_fdr"] = false_discovery_rate(table["p"])
    return table[[*names, "other_seeds", "why"]]


def per_seed(runs, scores: list[str], *, of: str = "best", rng=None):
    """(dataset, its models, own, pseudo) of every dataset, both [scores, models, seeds]: the score
    of a seed, and the number per seed whose spread is that of the mean's jackknife.

    What `of` means says `compare_methods`; the seeds are those of all runs, NaN where a method has
    none.
    """
    if of not in OF:
        raise BadInput(f"of={of!r}: expected one of {', '.join(map(repr, OF))}")
    found = {}
    if of == "best":
        for sweep, fit in cross_fits(runs, scores, rng):
            found.setdefault(sweep.dataset, {})[sweep.model] = fit.own, fit.pseudo
    else:
        for sweep in sweeps(runs, scores):
            found.setdefault(sweep.dataset, {})[sweep.model] = (sweep.values.mean(axis=1),) * 2
    for dataset, of_model in found.items():
        own, pseudo = (np.stack(arrays, axis=1) for arrays in zip(*of_model.values(), strict=True))
        yield dataset, [*of_model], own, pseudo


def by_pair(dataset: str, scores: list[str], models: list[str], cells: dict) -> pd.DataFrame:
    """Arrays [scores, pairs] as a frame, a row per metric and pair."""
    first, second = np.triu_indices(len(models), 1)
    names, pairs = np.array(models, dtype=object), len(first)
    keys = {"dataset": dataset, "metric": np.repeat(np.array(scores, dtype=object), pairs)}
    keys |= {"model": np.tile(names[first], len(scores))}
    keys |= {"other": np.tile(names[second], len(scores))}
    return pd.DataFrame(keys | {name: cell.reshape(-1) for name, cell in cells.items()})


def difference(a: np.ndarray, b: np.ndarray) -> Difference:
    """Means over seeds of `a` − those of `b` [..., seeds], the same seeds on the last axis.

    Paired only where both have the same three seeds or more and their scores correlate positively
    over them: pairs that have nothing in common only cost degrees of freedom. That the seeds decide
    this costs two points of coverage where there is nothing in common (93 % with ten seeds).
    """
    (mean_a, var_a, n_a), (mean_b, var_b, n_b) = moments(a), moments(b)
    var_apart = moments(a - b)[1]
    same = (np.isnan(a) == np.isnan(b)).all(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (var_a + var_b - var_apart) / (2 * np.sqrt(var_a * var_b))
        paired = same & (n_a >= FEWEST_PAIRS) & (correlation > 0)
        of_a, of_b = var_a / n_a, var_b / n_b
        welch = (of_a + of_b) ** 2 / (of_a**2 / (n_a - 1) + of_b**2 / (n_b - 1))
        error = np.sqrt(np.where(paired, var_apart / n_a, of_a + of_b))
        sd = np.sqrt(((n_a - 1) * var_a + (n_b - 1) * var_b) / (n_a + n_b - 2))
    spread = has_spread(np.fmax(np.abs(mean_a), np.abs(mean_b)), error**2)
    return Difference(
        value=mean_a - mean_b,
        error=np.where(spread, error, np.nan),
        df=np.where(spread, np.where(paired, n_a - 1, welch), np.nan),
        paired=paired & spread,
        correlation=np.where(same & np.isfinite(correlation), correlation, np.nan),
        sd=np.where(spread, sd, np.nan),
        sd_apart=np.where(spread & paired, np.sqrt(var_apart), np.nan),
        seeds=n_a,
        other_seeds=n_b,
        why=reasons(np.minimum(n_a, n_b), spread),
    )


def improvement(a: np.ndarray, b: np.ndarray, level: float = LEVEL):
    """P(a > b) + ½ P(a = b) of seeds [..., seeds] drawn from each, with an interval (value, low,
    high); NaN of fewer than two seeds.

    The interval is all chances that the one found is not too far from, by the variance *they* give
    it (Newcombe, "Confidence intervals for an effect size measure based on the Mann–Whitney
    statistic. Part 2", Statistics in Medicine 2006, method 5). It takes seeds of `a` and `b` for
    independent, and so is wide where they are pairs.
    """
    above = (a[..., :, None] > b[..., None, :]).sum(axis=(-2, -1))
    level_with = (a[..., :, None] == b[..., None, :]).sum(axis=(-2, -1))
    n_a, n_b = (~np.isnan(a)).sum(axis=-1), (~np.isnan(b)).sum(axis=-1)
    enough = np.minimum(n_a, n_b) > 1
    n_a, n_b = np.where(enough, n_a, 2)[..., None], np.where(enough, n_b, 2)[..., None]
    value = (above + level_with / 2) / (n_a * n_b)[..., 0]
    chance = np.linspace(0, 1, CHANCES)
    more = (1 - chance) / (2 - chance) + chance / (1 + chance)
    variance = chance * (1 - chance) * (1 + ((n_a + n_b) / 2 - 1) * more) / (n_a * n_b)
    near = (chance - value[..., None]) ** 2 <= special.ndtri(0.5 + level / 2) ** 2 * variance
    low, high = chance[near.argmax(axis=-1)], chance[CHANCES - 1 - near[..., ::-1].argmax(axis=-1)]
    low, high = np.minimum(low, value), np.maximum(high, value)  # which the grid may just miss
    return tuple(np.where(enough, x, np.nan) for x in (value, low, high))
