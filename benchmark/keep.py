"""What every executor does with the store: announce a plan, keep each cohort's outcome."""

import traceback

from soberlook.results.store import Store, Tables

from .cohort import Cohort
from .plan import Plan
from .worker import failed


def announce(plan: Plan, store: Store):
    """Make the store the study's, and write down what it is going to hold."""
    store.create(plan.study.name, plan.study.about)
    for cohort in plan.cohorts:
        store.plan(cohort.id, cohort.to_json())


def keep(store: Store, cohort: Cohort, outcome: Tables | Exception) -> Tables:
    """Keep the tables of a cohort, or failed runs and the traceback where its work raised."""
    if isinstance(outcome, Exception):
        text = "".join(traceback.format_exception(outcome))
        store.put_text(f"failures/{cohort.id}.txt", text)
        cause = getattr(outcome, "cause", None) or outcome  # Ray's wrapper says where, not what
        outcome = failed(cohort, f"{type(cause).__name__}: {cause}")
    store.write(cohort.id, outcome)
    return outcome
