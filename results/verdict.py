"""What a claim's runs say of it: a number per seed, an interval, and a verdict by rule.

A statistic is a number that the runs of one seed give, larger where the claim is more true. It
*holds* where the whole interval of its mean over seeds lies beyond the margin, *does not hold*
where the whole interval lies on the other side, and cannot be told elsewhere.

Seeds are independent and runs that share one are not: what is averaged is always a difference
within a seed, which is right whether its runs agree or not.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from .multiplicity import holm
from .power import seeds_needed

HOLDS, FAILS, UNKNOWN = "holds here", "does not hold here", "cannot tell"
PART, NEGATIVE, POSITIVE = "part", "negative control", "positive control"
LEVEL = 0.95
ALIKE = 6  # seeds that must all say the same before that is believed: a sign test's p is then .016
LOST = 0.05  # of the seeds; where more have lost a run, nothing is told
CELL = ["dataset", "network"]
COLUMNS = ["role", "says", *CELL, "value", "low", "high", "margin"]
COLUMNS += ["seeds", "lost", "p", "p_against", "verdict", "seeds_needed", "why"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statistic:
    """A number per seed, from columns of the runs of that seed; `margin` is in its units.

    A positive margin asks for a difference that matters, a negative one says how much may be lost.
    """

    metric: str
    margin: float
    higher: bool = True  # whether higher numbers of the metric speak for the claim

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that it looks at."""
        raise NotImplementedError

    @property
    def metrics(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.metric,)

    @property
    def says(self) -> str:
        """What it is, in words."""
        raise NotImplementedError

    def per_seed(self, *tables: dict[str, np.ndarray]) -> np.ndarray:
        """The number of every seed [s]; a table per metric has the numbers [s] of each arm."""
        raise NotImplementedError

    @property
    def _sign(self):
        return 1 if self.higher else -1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contrast(Statistic):
    """metric of `arm` − metric of `against`; where `relative`, as a share of the latter's size."""

    arm: str
    against: str
    relative: bool = False

    @property
    def arms(self):
        return self.arm, self.against

    @property
    def says(self):
        first, second = self.arms if self.higher else self.arms[::-1]
        of = f", relative to {self.against}" if self.relative else ""
        return f"{self.metric}: {first} − {second}{of}"

    def per_seed(self, values):
        difference = self._sign * (values[self.arm] - values[self.against])
        return difference / np.abs(values[self.against]) if self.relative else difference


@dataclasses.dataclass(frozen=True, kw_only=True)
class Level(Statistic):
    """metric of `arm` − `target`; where `near`, −|metric − target|, as a share of the target where
    `relative`."""

    arm: str
    target: float = 0.0
    near: bool = False
    relative: bool = False

    @property
    def arms(self):
        return (self.arm,)

    @property
    def says(self):
        about = f"{self.metric} of {self.arm}"
        if self.near:
            of = ", relative" if self.relative else ""
            return f"−|{about} − {self.target:g}|{of}"
        if not self.target:
            return about if self.higher else f"−{about}"
        return f"{about} − {self.target:g}" if self.higher else f"{self.target:g} − {about}"

    def per_seed(self, values):
        difference = values[self.arm] - self.target
        difference = -np.abs(difference) if self.near else self._sign * difference
        return difference / abs(self.target) if self.relative else difference


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trend(Statistic):
    """Kendall's τ_a of the order of these arms and their metric: 1 where it rises at every step,
    −1 where it falls, 0 where it does not move."""

    along: tuple[str, ...]

    @property
    def arms(self):
        return self.along

    @property
    def says(self):
        how = "rises" if self.higher else "falls"
        return f"τ: {self.metric} {how} along {', '.join(self.along)}"

    def per_seed(self, values):
        table = np.stack([values[arm] for arm in self.along])
        first, second = np.triu_indices(len(table), 1)
        return self._sign * np.sign(table[second] - table[first]).mean(axis=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tracking(Statistic):
    """Spearman's correlation of the metric and `other` over these arms, within a seed; 0 where
    either does not move."""

    other: str
    among: tuple[str, ...]

    @property
    def arms(self):
        return self.among

    @property
    def metrics(self):
        return self.metric, self.other

    @property
    def says(self):
        how = "" if self.higher else "−"
        return f"{how}ρ of {self.metric} and {self.other} over {', '.join(self.among)}"

    def per_seed(self, *tables):
        ranks = []
        for values in tables:
            table = np.stack([values[arm] for arm in self.among])
            rank = stats.rankdata(table, axis=0)
            rank[:, np.isnan(table).any(axis=0)] = np.nan
            ranks.append(rank - rank.mean(axis=0))
        size = np.sqrt(np.square(ranks).sum(axis=1).prod(axis=0))
        still = size == 0
        rho = (ranks[0] * ranks[1]).sum(axis=0) / np.where(still, 1, size)
        return self._sign * np.where(still, 0, rho)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrackingWithin(Tracking):
    """Spearman's correlation of the metric and `other` over the seeds of an arm, averaged over
    these arms: whether luck moves both, where `Tracking` asks whether settings do.

    The number of a seed is its share: the mean over arms of the product of both ranks, each
    standardised over seeds, so that the mean over seeds is the correlation.
    """

    @property
    def says(self):
        how = "" if self.higher else "−"
        return f"{how}ρ of {self.metric} and {self.other} within {', '.join(self.among)}"

    def per_seed(self, *tables):
        product = 1.0
        for values in tables:
            table = np.stack([values[arm] for arm in self.among])
            rank = stats.rankdata(table, axis=1, nan_policy="omit")
            rank -= np.nanmean(rank, axis=1, keepdims=True)
            size = np.sqrt(np.nanmean(np.square(rank), axis=1, keepdims=True))
            product = product * np.where(size == 0, 0, rank / np.where(size == 0, 1, size))
        return self._sign * product.mean(axis=0)


def answers(
    runs: pd.DataFrame,
    parts: Sequence[Statistic],
    negative: Sequence[Statistic],
    positive: Sequence[Statistic],
) -> pd.DataFrame:
    """What every statistic of a claim says, on every dataset and network: a row each (`COLUMNS`).

    `runs` has a row per run with `arm`, `dataset`, `network`, `seed`, `status` and the metrics. A
    seed that lost a run, or in which a metric is not a finite number, is counted in `lost` and
    speaks against the claim: it counts as the lowest of all seeds, and in a negative control as the
    highest. Where more than one seed in twenty is lost, nothing is told. `p` is one-sided, of a
    mean not beyond the margin, and `p_against` of one not below it. `seeds_needed` is for what
    cannot be told: how many would tell, with 80 % power, if the mean stays what it is.
    """
    found = []
    roles = [(PART, one) for one in parts]
    roles += [(NEGATIVE, one) for one in negative] + [(POSITIVE, one) for one in positive]
    for cell, own in runs.groupby(CELL, sort=False):
        for role, statistic in roles:
            about = dict(zip(CELL, cell, strict=True)) | {"role": role, "says": statistic.says}
            worst = np.nanmax if role == NEGATIVE else np.nanmin
            found.append(about | {"margin": statistic.margin} | _answer(own, statistic, worst))
    return pd.DataFrame(found, columns=COLUMNS)


def beyond(numbers: np.ndarray, margin: float) -> dict:
    """Whether the mean of a number per seed [s] lies beyond the margin, as columns of `answers`:
    `value`, `low`, `high`, `p`, `p_against`, `verdict` and `why`, and `seeds_needed` where one
    cannot tell.

    Seeds that all say the same have no spread to make an interval of: what they say is believed by
    a sign test, from `ALIKE` on.
    """
    n, value = len(numbers), float(numbers.mean())
    sd = float(numbers.std(ddof=1)) if n > 1 else np.nan
    found = {"value": value, "low": np.nan, "high": np.nan, "p": np.nan, "p_against": np.nan}
    found["verdict"] = UNKNOWN
    if n < 2:
        return found | {"why": "one seed"}
    if sd <= 1e-12 * max(1.0, abs(value)):
        if n < ALIKE:
            return found | {"why": "every seed says the same, and they are few"}
        if value == margin:
            return found | {"low": value, "high": value, "why": "every seed is at the margin"}
        low, high, sign = value, value, 0.5**n
        p, against = (sign, 1.0) if value > margin else (1.0, sign)
    else:
        error = sd / np.sqrt(n)
        reach = stats.t.ppf(0.5 + LEVEL / 2, n - 1) * error
        low, high = value - reach, value + reach
        t = (value - margin) / error
        p, against = float(stats.t.sf(t, n - 1)), float(stats.t.cdf(t, n - 1))
    found |= {"low": low, "high": high, "p": p, "p_against": against, "why": ""}
    if low > margin:
        return found | {"verdict": HOLDS}
    if high < margin:
        return found | {"verdict": FAILS}
    needed = float(seeds_needed(value - margin, sd, paired=True))
    return found | {"seeds_needed": needed, "why": "the interval contains the margin"}


def conclude(found: pd.DataFrame) -> tuple[str, str, float]:
    """The verdict on a claim from its `answers`, why, and its p-value.

    On one dataset and network it holds where all its parts do, and does not hold where some part
    does not; neither is believed where a positive control is not seen, nor the first unless all
    negative controls are seen not to hold. It *holds here* where it holds on every dataset and
    network, *does not hold here* where it does not on at least one, and else one *cannot tell*.

    The p-value is the largest of all parts: a claim of several parts is as sure as the least sure
    of them (Berger, 1982). For any one of many parts to speak against a claim, Bonferroni's count
    is taken of all its parts, on all datasets and networks.
    """
    if found.empty:
        return UNKNOWN, "nothing was run", np.nan
    parts = found["role"] == PART
    p = found.loc[parts, "p"].max(skipna=False)
    late = parts & (found["verdict"] == FAILS)
    late &= ~(found["p_against"] * parts.sum() < (1 - LEVEL) / 2)
    found = found.assign(
        verdict=found["verdict"].mask(late, UNKNOWN),
        why=found["why"].mask(late, "a part fails by itself, but not as one of so many"),
    )
    verdicts = {cell: _of_cell(own) for cell, own in found.groupby(CELL, sort=False)}
    told = {name: [c for c, (v, _) in verdicts.items() if v == name] for name in (HOLDS, FAILS)}
    if len(told[HOLDS]) == len(verdicts):
        return HOLDS, "", p
    if told[FAILS]:
        where = told[FAILS]
        why = "everywhere" if len(where) == len(verdicts) else "on " + _listed(where)
        if told[HOLDS]:
            why += "; it does on " + _listed(told[HOLDS])
        return FAILS, why, p
    whys = dict.fromkeys(why for _, why in verdicts.values() if why)
    return UNKNOWN, "; ".join(whys), p


def adjusted(verdicts: pd.DataFrame, family: int = 0) -> pd.DataFrame:
    """The verdicts on several claims (`verdict`, `why`, `p`) as one family, with `p_holm`.

    One that holds by itself cannot be told where Holm's p-value is .05 or more. The family is of
    `family` claims at least; of one without a p-value, or that is not here, it is 1, so that what
    is found does not depend on which were run.
    """
    p = verdicts["p"].fillna(1.0).to_numpy()
    others = np.ones(max(0, family - len(p)))
    verdicts = verdicts.assign(p_holm=holm([*p, *others])[: len(p)])
    late = (verdicts["verdict"] == HOLDS) & ~(verdicts["p_holm"] < 1 - LEVEL)
    verdicts.loc[late, "why"] = "it holds by itself, but not as one of so many claims"
    verdicts.loc[late, "verdict"] = UNKNOWN
    return verdicts


def _answer(runs, statistic, worst):
    """The numbers of one statistic on one dataset and network; a lost seed is the `worst`."""
    silent = {"seeds": 0, "lost": 0, "verdict": UNKNOWN}
    for metric in statistic.metrics:
        if metric not in runs:
            return silent | {"why": f"{metric} was not computed"}
    done = runs[list(statistic.metrics)].where(runs["status"] == "done", np.nan)
    table = done.assign(arm=runs["arm"], seed=runs["seed"]).pivot(index="seed", columns="arm")
    lacking = [arm for arm in statistic.arms if arm not in set(runs["arm"])]
    if lacking:
        return silent | {"why": f"no run of {_listed(lacking)} is finished"}
    # A seed counts once all its runs are there, whatever became of them.
    there = runs.assign(n=1).pivot(index="seed", columns="arm", values="n")
    table = table[there[list(statistic.arms)].notna().all(axis=1)]
    tables = [
        {arm: table[metric, arm].to_numpy(float) for arm in statistic.arms}
        for metric in statistic.metrics
    ]
    numbers = statistic.per_seed(*tables)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    lost = int(np.isnan(numbers).sum())
    if lost == len(numbers):
        return silent | {"lost": lost, "why": "no seed gives a number"}
    numbers = np.where(np.isnan(numbers), worst(numbers), numbers)
    found = {"lost": lost, "seeds": len(numbers)} | beyond(numbers, statistic.margin)
    if lost > LOST * len(numbers):
        found |= {"verdict": UNKNOWN, "why": f"{lost} of {len(numbers)} seeds lost a run"}
    return found


def _of_cell(found):
    """(verdict, why) on one dataset and network."""
    of = {role: found[found["role"] == role] for role in (PART, NEGATIVE, POSITIVE)}
    where = _listed([tuple(found[CELL].iloc[0])])
    if (of[POSITIVE]["verdict"] != HOLDS).any():
        return UNKNOWN, f"the positive control is not seen on {where}"
    if (of[PART]["verdict"] == FAILS).any():
        return FAILS, ""
    if (untold := of[PART]["verdict"] != HOLDS).any():
        return UNKNOWN, _untold(of[PART][untold], where)
    if (of[NEGATIVE]["verdict"] == HOLDS).any():
        return UNKNOWN, f"the negative control holds as well on {where}"
    if (untold := of[NEGATIVE]["verdict"] != FAILS).any():
        return UNKNOWN, "of the negative control, " + _untold(of[NEGATIVE][untold], where)
    return HOLDS, ""


def _untold(rows, where):
    needed = rows["seeds_needed"].max(skipna=False)
    many = f", about {needed:,.0f} seeds would tell" if needed == needed else ""
    return f"{rows['why'].iloc[0]} on {where}{many}"


def _listed(things):
    names = [" with ".join(t) if isinstance(t, tuple) else str(t) for t in things]
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
