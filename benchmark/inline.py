"""Running a plan here, in this process: cohort after cohort."""

import traceback

from soberlook.results.store import Store

from .plan import Plan
from .progress import Progress
from .worker import failed, work


def run_inline(plan: Plan, store: Store, progress: Progress):
    """Do everything a plan has left.

    Whatever is finished is kept, also when this is interrupted. A cohort whose work raises
    becomes failed runs, with the traceback in the store, and the others go on.
    """
    store.create(plan.study.name, plan.study.about)
    for cohort in plan.cohorts:
        store.plan(cohort.id, cohort.to_json())
    for cohort in plan.cohorts:
        progress.begin(cohort)
        try:
            tables = work(cohort, progress.update)
        except Exception as error:
            tables = failed(cohort, error)
            store.put_text(f"failures/{cohort.id}.txt", traceback.format_exc())
        store.write(cohort.id, tables)
        progress.end(cohort)
