"""Running a plan here, in this process: cohort after cohort."""

from functools import partial

from soberlook.results.store import Store

from .keep import announce, keep
from .plan import Plan
from .progress import Progress
from .worker import work


def run_inline(plan: Plan, store: Store, progress: Progress):
    """Do everything a plan has left.

    Whatever is finished is kept, also when this is interrupted. A cohort whose work raises
    becomes failed runs, with the traceback in the store, and the others go on.
    """
    announce(plan, store)
    for cohort in plan.cohorts:
        progress.begin(cohort)
        try:
            outcome = work(cohort, partial(progress.update, cohort))
        except Exception as error:
            outcome = error
        progress.end(cohort, keep(store, cohort, outcome))
