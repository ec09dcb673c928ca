"""What a plan will take, judged by runs that are there already. Reads only.

Runs to go by are those in the plan's store and in the stores beside it, of data of the same shape,
the same model, network and device. Where there are none, nothing is guessed of the time.
"""

import json
from collections.abc import Iterable
from glob import escape
from statistics import median
from typing import NamedTuple

import numpy as np

from soberlook import datasets
from soberlook.datasets.disk import nice
from soberlook.registry import BadInput
from soberlook.results.power import smallest_difference
from soberlook.results.store import TABLES, Store, find
from soberlook.results.stores import Stores

from .cohort import Cohort
from .pictures import drawable
from .plan import Plan
from .provenance import provenance

# Bytes of a run where there is none to measure, from 1,200 runs on images of 16×16: of the rows of
# an evaluation .6 to 1.1 kB, and of pictures 30 to 140 for every pixel and colour of an image.
NUMBERS, PIXEL = 1_000, 60


class Seconds(NamedTuple):
    """Of a cohort, or of several; `runs` is how many they are judged by."""

    training: float
    scoring: float
    compiling: float
    runs: int
    other_metrics: bool  # those runs were scored by other metrics


class Disk(NamedTuple):
    """Bytes a run, and how many runs were measured; none: it is what is typical."""

    bytes: float
    runs: int


class Estimate(NamedTuple):
    """Of what is left to do."""

    cohorts: list[Seconds | None]  # None: no run to go by
    disk: Disk
    seeds: int  # of a setting, that the study asks for
    sees: float  # standard deviations, that so many seeds see
    mig: dict[str, tuple[float, int]]  # dataset → the same in units of MIG, and runs it is from


def estimate(plan: Plan, store: Store) -> Estimate:
    """Of a plan for this store."""
    places = _places(store)
    runs = _runs(places, plan) if places else []
    alike = {}
    for run in runs:
        alike.setdefault(run["like"], []).append(run)
    device = provenance()["device"]
    timed = [
        _seconds(cohort, alike.get(_like(cohort.runs[0], device), [])) for cohort in plan.cohorts
    ]
    seeds = len(set(plan.study.seeds))
    sees = float(smallest_difference(seeds))
    return Estimate(timed, _disk(plan, places, runs), seeds, sees, _mig(plan, places, sees))


def _places(store):
    """The store, and those beside it."""
    parent = store.root.rpartition("/")[0]
    pattern = store.fs.unstrip_protocol(f"{escape(parent)}/*").removeprefix("file://")
    try:
        return [found.where for found in find(pattern)]
    except BadInput:  # none yet
        return []


def _runs(places, plan):
    """What is known of every run that was trained: dicts."""
    shapes = {run.dataset.title: run.dataset.image_shape for run in plan.runs}
    plans = {}
    for store in Stores(places).stores:
        for cohort in store.plans():
            shares = cohort.get("budget", {}).get("evaluate_at", [1])
            about = len(shares) * cohort.get("draws", 1), sorted(cohort.get("metrics", []))
            plans |= {run["id"]: about for run in cohort["runs"]}
    found = []
    for run in Stores(places).runs().to_dict("records"):
        seconds = run["train_seconds"], run["evaluate_seconds"], run["compile_seconds"]
        if not np.isfinite(seconds).all() or not seconds[0] + seconds[1] > 0:
            continue  # it failed
        if run["dataset"] not in shapes:
            shapes[run["dataset"]] = _shape(run["dataset"])
        network = json.loads(run["settings"]).get("network")
        warm = 1 - min(seconds[2] / (seconds[0] + seconds[1]), 1)
        times, metrics = plans.get(run["run_id"], (1, None))
        found.append(
            {
                "like": (shapes[run["dataset"]], run["model"], network, run["device"]),
                "image": warm * seconds[0] / (run["updates"] * run["batch_size"]),
                "evaluation": warm * seconds[1] / times,
                "compiling": seconds[2] * run["width"],
                "metrics": metrics,
            }
        )
    return found


def _like(run, device):
    """What must be equal for one run to be judged by another."""
    return run.dataset.image_shape, run.model.name, run.model.settings().get("network"), device


def _shape(title):
    """The shape of a dataset's images; None of one that is not registered here."""
    cls = datasets.DATASETS.get(title.partition("(")[0])
    return cls().image_shape if cls else None


def _seconds(cohort: Cohort, alike: list[dict]) -> Seconds | None:
    if not alike:
        return None
    budget, count = cohort.budget, len(cohort.runs)
    same = [run for run in alike if run["metrics"] == sorted(cohort.metrics)]
    evaluations = count * len(budget.evaluation_steps) * cohort.draws
    return Seconds(
        count * budget.updates * budget.batch_size * median(run["image"] for run in alike),
        evaluations * median(run["evaluation"] for run in same or alike),
        median(run["compiling"] for run in alike),
        len(alike),
        not same,
    )


def _disk(plan, places, runs):
    """Measured in the stores whose runs are of images of the same shape."""
    shapes = {run.dataset.image_shape for run in plan.runs}
    size = count = 0
    if any(run["like"][0] in shapes for run in runs):
        for place in places:
            own = Stores(place).runs()
            if len(own) and shapes & set(map(_shape, own["dataset"].unique())):
                size += sum(Store(place).size(name) for name in TABLES)
                count += len(own)
    if count:
        return Disk(size / count, count)
    typical = [_typical(cohort) for cohort in plan.cohorts for _ in cohort.runs]
    return Disk(float(np.mean(typical)) if typical else 0.0, 0)


def _typical(cohort):
    shape = cohort.dataset.image_shape
    numbers = NUMBERS * len(cohort.budget.evaluation_steps) * cohort.draws
    return numbers + PIXEL * drawable(shape) * int(np.prod(shape))


def _mig(plan, places, sees):
    """dataset → the smallest difference of MIG, from the spread between the seeds of a setting."""
    from soberlook import results

    titles = sorted({run.dataset.title for run in plan.runs})
    runs = results.load(places, where={"dataset": titles}) if places else []
    if not len(runs) or "mig" not in runs:
        return {}
    found = {}
    for title, own in runs.dropna(subset="mig").groupby("dataset"):
        spread = own.groupby("setting")["mig"].var().dropna()
        if len(spread):
            found[title] = sees * float(np.sqrt(spread.mean())), len(own)
    return found


def said(found: Estimate, left: int) -> Iterable[str]:
    """An estimate in plain lines, of so many runs to train."""
    if left:
        yield _say_time(found.cohorts)
        size, total = nice(found.disk.bytes), nice(found.disk.bytes * left)
        grounds = (
            f"as the {found.disk.runs:,} runs here take"
            if found.disk.runs
            else "a guess from small images"
        )
        yield f"disk: about {total}, {size} a run, {grounds}"
    if found.seeds < 2:
        yield "power: one seed a setting says nothing about luck"
        return
    mig = ", ".join(
        f"{value:.2g} on {name} ({runs:,} runs)" for name, (value, runs) in found.mig.items()
    )
    yield (
        f"power: {found.seeds} seeds a setting see a difference of {found.sees:.2g} standard "
        "deviations between seeds, with 80 % power in a two-sided test at 5 %"
        + (f"; of MIG here {mig}" if mig else "")
    )


def _say_time(cohorts):
    known = [cohort for cohort in cohorts if cohort]
    unknown = len(cohorts) - len(known)
    if not known:
        return "time: unknown: no run here to go by"
    kinds = ("training", "scoring", "compiling")
    parts = [f"{duration(sum(getattr(c, kind) for c in known))} {kind}" for kind in kinds]
    fewest, most = min(c.runs for c in known), max(c.runs for c in known)
    judged = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    text = f"time, an estimate from {judged} runs like these here: {', '.join(parts)}"
    if any(cohort.other_metrics for cohort in known):
        text += " (those were scored by other metrics)"
    return text + (f"; of {unknown} cohorts unknown: no run here to go by" if unknown else "")


def duration(seconds: float) -> str:
    """7200 → "2 h", 90 → "1.5 min", 5 → "5 s"."""
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds >= size:
            value = seconds / size
            return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.2g} {unit}"
    return f"{seconds:.2g} s"
