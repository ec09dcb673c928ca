"""What a `run` is going to do: the cohorts of a study, less what its store already has."""

from dataclasses import dataclass

from soberlook.results.store import Store

from .cohort import MAX_WIDTH, Cohort, cohorts
from .study import Run, Study


@dataclass(frozen=True)
class Plan:
    """Everything a study asks for, and what of it is left to do."""

    study: Study
    runs: list[Run]
    cohorts: list[Cohort]

    @property
    def left(self) -> int:
        """Runs to train."""
        return sum(len(cohort.runs) for cohort in self.cohorts)

    @property
    def images(self) -> int:
        """Images to train on: the unit of progress."""
        return sum(len(c.runs) * c.budget.updates * c.budget.batch_size for c in self.cohorts)


def make_plan(
    study: Study, store: Store, width: int = MAX_WIDTH, retry_failed: bool = False
) -> Plan:
    """Expand and check a study and its store; `width` runs at most a cohort. Reads only.

    Runs that failed are left to do only with `retry_failed`.
    """
    runs = study.expand()
    store.check(study.name)
    finished = store.finished(retry_failed)
    whole = cohorts(study.name, runs, study.metrics, study.draws, width)
    left = [part for cohort in whole if (part := cohort.without(finished)) is not None]
    return Plan(study, runs, left)
