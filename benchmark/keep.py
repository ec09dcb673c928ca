"""What every executor does with the store: announce a plan, train a cohort and keep its outcome."""

import traceback
from collections.abc import Callable
from typing import NamedTuple

from soberlook.results.store import Store, StoreError

from .checkpoint import Checkpoints, remove_checkpoint_of
from .cohort import Cohort
from .plan import Plan
from .sign_of_life import SignOfLife, remove_signs
from .worker import failed, work

CHECKPOINTS = 300.0  # seconds between two


class Keeping(NamedTuple):
    """What is kept besides rows."""

    checkpoints: float | None = CHECKPOINTS  # seconds between two; None for none
    parameters: str = "none"  # of `parameters.POLICIES`


DEFAULT = Keeping()


class Kept(NamedTuple):
    """What became of a cohort, in a few numbers: the rest is in the store."""

    runs: int
    compile_seconds: float


def announce(plan: Plan, store: Store):
    """Make the store the study's, and write down what it is going to hold."""
    store.create(plan.study.name, plan.study.about)
    tidy(store)
    for cohort in plan.cohorts:
        store.plan(cohort.id, cohort.to_json())


def tidy(store: Store):
    """Remove what killed workers left behind: files that they were writing, and what was of cohorts
    that are finished now."""
    store.sweep()
    if not (store.names("running", ".json") or store.names("checkpoints")):
        return
    finished = store.finished()
    remove_signs(store, finished)
    for name in store.names("checkpoints"):
        remove_checkpoint_of(store, name, finished)


def train_and_keep(
    cohort: Cohort,
    store: Store,
    keeping: Keeping = DEFAULT,
    on_progress: Callable[[int, int], None] = lambda *_: None,
    arrays=None,
) -> Kept:
    """Train a cohort, and put what comes out into the store as soon as it is there.

    Where its work raises, the runs that are left become failed ones, with the traceback in the
    store. Raises `StoreError` where the store cannot be written.
    """
    checkpoints = Checkpoints(store, keeping.checkpoints)
    left, compiling = cohort, 0.0
    with SignOfLife(store, cohort) as sign:

        def heard(updates, scored):
            sign.update(updates, scored)
            on_progress(updates, scored)

        try:
            for pack, tables in work(cohort, heard, checkpoints, keeping.parameters, arrays):
                store.write(pack.id, tables)
                checkpoints.remove(pack)
                left = left.without({run.id for run in pack.runs})
                compiling += sum(run["compile_seconds"] for run in tables.runs)
        except StoreError:
            raise
        except Exception as error:
            keep_failure(left, store, error)
            checkpoints.remove(left)
    return Kept(len(cohort.runs), compiling)


def keep_failure(cohort: Cohort, store: Store, error: Exception):
    """Keep the runs of a cohort as failed, and why."""
    text = "".join(traceback.format_exception(error))
    store.put_text(f"failures/{cohort.id}.txt", text)
    store.write(cohort.id, failed(cohort, f"{type(error).__name__}: {error}"))
