"""Claims: what a paper says, as data, written down before it is run."""

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from soberlook.registry import BadInput, Registry, unknown
from soberlook.results import verdict
from soberlook.results.verdict import Statistic

from .study import Budget, Named, Run, Study

CLAIMS = Registry("claim")
FILES = {}  # claim → the file that registered it
# A look is at seeds of its own, those that settings may be chosen by: it must not spend the others.
FIRST_SEED, FIRST_QUICK_SEED, QUICK_SEEDS = 100, 1_000, 3


@dataclass(frozen=True)
class Arm:
    """One way to train: a model with its settings, and what else differs from the other arms."""

    model: str
    settings: dict = dataclasses.field(default_factory=dict)
    dataset: dict = dataclasses.field(default_factory=dict)  # settings of every dataset
    share: float = 1.0  # of the claim's updates; ½ where an example of a batch shows two images
    on: dict = dataclasses.field(default_factory=dict)  # dataset → settings of the model there


class Labelled(NamedTuple):
    """A run and its place in a claim."""

    arm: str
    dataset: str
    network: str
    run: Run


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence, what is trained for it, and which numbers decide.

    It holds where all `parts` do and no `negative` control does; a `positive` control shows that
    the numbers can see what they should, and is a statistic of something known. `networks` says how
    many seeds each has. Every arm is trained on every dataset with every network and seed.
    """

    name: str
    sentence: str  # what is claimed, in our words
    source: str  # who, where, and in which part
    about: str  # how the settings were chosen, and what deviates; the first line is its title
    arms: dict[str, Arm]
    datasets: tuple[Named, ...]
    networks: dict[str, int]
    budget: Budget
    metrics: tuple[str, ...]
    parts: tuple[Statistic, ...]
    negative: tuple[Statistic, ...]
    positive: tuple[Statistic, ...]
    fields: dict = dataclasses.field(default_factory=dict)  # settings of every arm's model

    def __post_init__(self):
        if len(self.datasets) < 2:
            raise BadInput(f"claim {self.name!r}: datasets must be two at least")
        for role in ("parts", "negative", "positive"):
            if not getattr(self, role):
                raise BadInput(f"claim {self.name!r}: {role} must be at least one, found none")
        for statistic in self.statistics:
            for arm in statistic.arms:
                if arm not in self.arms:
                    raise unknown(f"arm of claim {self.name!r}", arm, self.arms)
        known = [_name(dataset) for dataset in self.datasets]
        for label, arm in self.arms.items():
            for dataset in arm.on:
                if dataset not in known:
                    raise unknown(f"dataset of arm {label!r} of {self.name!r}", dataset, known)

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Parts, negative and positive controls."""
        return (*self.parts, *self.negative, *self.positive)

    def expand(self, quick: bool = False) -> list[Labelled]:
        """Every run with its place. `quick` is a look: three seeds of the first network, and one
        of the others, none of which the claim itself has.

        Everything is checked, as for a study.
        """
        found, first = [], FIRST_QUICK_SEED if quick else FIRST_SEED
        looks = dict.fromkeys(self.networks, 1) | {next(iter(self.networks)): QUICK_SEEDS}
        for dataset in self.datasets:
            for network, seeds in (looks if quick else self.networks).items():
                for label, arm in self.arms.items():
                    study = self._study(dataset, network, arm, range(first, first + seeds))
                    runs = study.expand()
                    if len(runs) != seeds:
                        raise BadInput(
                            f"claim {self.name!r}: arm {label!r} must say one value of its "
                            f"strength, found {len(runs) // seeds}"
                        )
                    places = (Labelled(label, _name(dataset), network, run) for run in runs)
                    found.extend(places)
        return found

    def answers(self, runs: pd.DataFrame, labelled: Sequence[Labelled]) -> pd.DataFrame:
        """What `verdict.answers` says of the finished runs; a run may serve several arms."""
        places = pd.DataFrame(
            [(*place[:3], place.run.id) for place in labelled],
            columns=["arm", "dataset", "network", "run_id"],
        )
        own = runs.drop(columns=["arm", "dataset", "network"], errors="ignore")
        table = places.merge(own, on="run_id")
        return verdict.answers(table, self.parts, self.negative, self.positive)

    def _study(self, dataset, network, arm, seeds):
        """The study of one arm on one dataset."""
        name, own = (dataset, {}) if isinstance(dataset, str) else dataset
        settings = arm.settings | arm.on.get(_name(dataset), {})
        updates = max(1, round(self.budget.updates * arm.share))
        return Study(
            name=self.name,
            about=self.about,
            datasets=((name, own | arm.dataset),),
            models=((arm.model, {"network": network} | self.fields | settings),),
            seeds=tuple(seeds),
            budget=dataclasses.replace(self.budget, updates=updates),
            metrics=self.metrics,
        )


def register(claim: Claim) -> Claim:
    """Enter a claim under its name, and keep in which file that is done: its history says when the
    claim was made."""
    FILES[claim.name] = sys._getframe(1).f_globals.get("__file__")
    return CLAIMS.add(claim.name, claim)


def _name(dataset):
    """The dataset as the claim calls it, whatever its arms change of it."""
    name, own = (dataset, {}) if isinstance(dataset, str) else dataset
    settings = ", ".join(f"{key}={value}" for key, value in own.items())
    return f"{name}({settings})" if own else name
