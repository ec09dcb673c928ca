"""Running a plan here, in this process: cohort after cohort."""

from functools import partial

from soberlook.results.store import Store

from .keep import DEFAULT, Keeping, announce, train_and_keep
from .plan import Plan
from .progress import Progress


def run_inline(plan: Plan, store: Store, progress: Progress, keeping: Keeping = DEFAULT):
    """Do everything a plan has left.

    Whatever is finished is kept, also when this is interrupted. A cohort whose work raises
    becomes failed runs, with the traceback in the store, and the others go on.
    """
    announce(plan, store)
    for cohort in plan.cohorts:
        progress.begin(cohort)
        kept = train_and_keep(cohort, store, keeping, partial(progress.update, cohort))
        progress.end(cohort, kept.compile_seconds)
