"""Cohorts: the runs of a study that are one compiled program."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import jax
import numpy as np

from .study import Budget, Run, digest

MAX_WIDTH = 64  # runs in one program


@dataclass(frozen=True, eq=False)
class Cohort:
    """Runs with equal dataset, budget and model structure; hyperparameters and seeds differ."""

    study: str
    runs: tuple[Run, ...]
    metrics: tuple[str, ...]
    draws: int = 1  # evaluations of each run

    @property
    def dataset(self):
        return self.runs[0].dataset

    @property
    def budget(self) -> Budget:
        return self.runs[0].budget

    @property
    def title(self) -> str:
        return f"{self.runs[0].model.name} on {self.dataset.title}"

    @cached_property
    def id(self) -> str:
        """Made from its runs' ids, so that equal work has equal file names."""
        return digest([run.id for run in self.runs])

    def without(self, finished: set[str]) -> "Cohort | None":
        """What is left to train; None where nothing is."""
        runs = tuple(run for run in self.runs if run.id not in finished)
        return dataclasses.replace(self, runs=runs) if runs else None

    def halves(self) -> tuple["Cohort", "Cohort"]:
        """The first and the second half of at least two runs."""
        middle = -(-len(self.runs) // 2)
        parts = self.runs[:middle], self.runs[middle:]
        return tuple(dataclasses.replace(self, runs=part) for part in parts)

    def members(self, width: int):
        """(models, seeds) stacked leaf by leaf, padded to `width` with copies of the first."""
        runs = [*self.runs, *[self.runs[0]] * (width - len(self.runs))]
        stack = lambda *leaves: np.asarray(leaves, np.float32)  # noqa: E731
        models = jax.tree.map(stack, *[run.model for run in runs])
        return models, np.asarray([run.seed for run in runs], np.uint32)

    def to_json(self) -> str:
        """The cohort as it travels and is planned: names, settings, seeds and budget."""
        return json.dumps(
            {
                "study": self.study,
                "dataset": {
                    "name": self.dataset.name,
                    "settings": self.dataset.settings(),
                    "title": self.dataset.title,
                },
                "budget": dataclasses.asdict(self.budget),
                "metrics": self.metrics,
                "draws": self.draws,
                "runs": [
                    {
                        "id": run.id,
                        "model": run.model.name,
                        "settings": run.model.settings(),
                        "seed": run.seed,
                    }
                    for run in self.runs
                ],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Cohort":
        """The cohort that `to_json` wrote; its models must be registered here."""
        from soberlook import datasets, models

        value = json.loads(text)
        dataset = datasets.make(value["dataset"]["name"], **value["dataset"]["settings"])
        budget = Budget(**value["budget"])
        runs = tuple(
            Run(dataset, models.make(run["model"], **run["settings"]), run["seed"], budget)
            for run in value["runs"]
        )
        return cls(value["study"], runs, tuple(value["metrics"]), value["draws"])


def cohorts(
    study: str,
    runs: Iterable[Run],
    metrics: tuple[str, ...],
    draws: int = 1,
    width: int = MAX_WIDTH,
) -> list[Cohort]:
    """Partition runs, in their order, by what must be equal in one program.

    The partition depends on the runs asked for alone, never on what is already finished. A group
    of more than `width` runs is split into the fewest parts of nearly equal size.
    """
    groups = {}
    for run in runs:
        structure = jax.tree.structure(run.model)
        groups.setdefault((run.dataset, run.budget, structure), []).append(run)
    result = []
    for group in groups.values():
        parts = -(-len(group) // width)
        bounds = [round(i * len(group) / parts) for i in range(parts + 1)]
        for start, stop in zip(bounds, bounds[1:], strict=False):
            result.append(Cohort(study, tuple(group[start:stop]), metrics, draws))
    return result
