"""The work on one cohort: train, evaluate, and give the tables. Wherever that happens."""

import dataclasses
import time
from collections.abc import Callable
from functools import lru_cache, partial

import jax
import numpy as np

from soberlook import datasets, metrics, models
from soberlook.results.store import Tables

from . import memory
from .cohort import Cohort
from .compiled import compile_seconds
from .evaluate import (
    MEMORY,
    draws_of,
    illustrate,
    interrogable,
    measure,
    represent,
    size_of,
)
from .mapping import everywhere, on_first_device, share_of
from .pictures import drawable, png, sheet, traversal_png
from .provenance import provenance
from .train import Training, look, train


def work(cohort: Cohort, on_progress: Callable[[int, int], None] = lambda *_: None) -> Tables:
    """Train and evaluate all runs of a cohort.

    They are one program where the device has the memory; elsewhere, and where it runs out of it,
    halves of the cohort are, or halves of these. `on_progress` hears the updates done, of all runs
    together, and the runs scored since the last of them.
    """
    data = load(cohort.dataset)
    tables = Tables()
    waiting = [cohort]
    while waiting:
        pack = waiting.pop(0)
        before = len(tables.runs) * cohort.budget.updates

        def heard(updates, scored, before=before):
            on_progress(before + updates, scored)

        try:
            found = work_together(pack, data, heard)
        except (MemoryError, jax.errors.JaxRuntimeError) as error:
            if not memory.ran_out(error) or len(pack.runs) == 1:
                raise
            waiting = [*pack.halves(), *waiting]
        else:
            tables.extend(found)
    return tables


def work_together(pack: Cohort, data, on_progress: Callable[[int, int], None]) -> Tables:
    """Train and evaluate runs as one program."""
    started, compiling = time.perf_counter(), compile_seconds()
    begun = time.time()
    tables = Tables()
    evaluate_seconds = 0.0
    for training in train(pack, data):
        updates = training.step * len(pack.runs)
        on_progress(updates, 0)
        if training.step in pack.budget.evaluation_steps:
            evaluation_started = time.perf_counter()
            outcomes = evaluate(pack, training, data, tables, partial(on_progress, updates))
            evaluate_seconds += time.perf_counter() - evaluation_started
    train_seconds = time.perf_counter() - started - evaluate_seconds
    about = provenance() | {
        "begun": begun,
        "mapping": training.mapping,
        "width": len(training.seeds),
        "parameters": _parameters(training),
        # The time of all in equal shares; that of compiling is part of the two others.
        "train_seconds": train_seconds / len(pack.runs),
        "evaluate_seconds": evaluate_seconds / len(pack.runs),
        "compile_seconds": (compile_seconds() - compiling) / len(pack.runs),
    }
    tables.runs.extend(
        run_row(pack, run) | about | {"status": status, "reason": reason}
        for run, (status, reason) in zip(pack.runs, outcomes, strict=True)
    )
    return tables


def failed(cohort: Cohort, reason: str) -> Tables:
    """The tables of a cohort whose work raised: its runs, with the reason's first line."""
    outcome = {"status": "failed", "reason": reason.splitlines()[0], "begun": time.time()}
    return Tables(runs=[run_row(cohort, run) | provenance() | outcome for run in cohort.runs])


def evaluate(
    pack: Cohort, training: Training, data, tables: Tables, on_scored: Callable[[int], None]
) -> list[tuple[str, str]]:
    """Add all members' rows at this step, and at the last one their pictures; status and reason.

    A member whose parameters are no longer finite has diverged and gets no rows: nothing that it
    would say means anything.
    """
    dataset, step = pack.dataset, training.step
    stacked, data = (training.models, training.seeds, training.states), on_first_device(data)
    status, reasons, learnt = {}, {run: [] for run in pack.runs}, {}
    draws = draws_of(dataset, pack.draws)
    asks = any(metrics.METRICS.find(name).of == "trained" for name in pack.metrics)

    def add(run, draw, numbers):
        about = {"run_id": run.id, "step": step, "draw": draw}
        tables.rows.extend(
            about | {"metric": name, "value": value, "version": version}
            for name, value, version in numbers
        )

    def measure_learnt():
        """What is measured together: the representations that there is memory for."""
        before = len(status) - len(learnt)
        for draw in draws:
            representations = [own[draw] for own, _ in learnt.values()]
            asked = [interrogable(*where, own[draw]) for own, where in learnt.values() if where]
            settings = [run.setting for run in learnt]
            share = len(learnt) / (len(draws) * len(pack.metrics))
            for i, name in enumerate(pack.metrics):
                found = measure(name, representations, settings, draw=draw, trained=asked)
                for run, (numbers, problems) in zip(learnt, found, strict=True):
                    add(run, draw, numbers)
                    reasons[run] += [p for p in problems if p not in reasons[run]]
                on_scored(before + int(share * (draw * len(pack.metrics) + i + 1)))
        learnt.clear()

    for member, run in enumerate(pack.runs):
        place, shares = share_of(member, stacked)
        asked = *shares, place, data
        logs, finite = look(*asked, step, dataset=dataset, batch_size=pack.budget.batch_size)
        status[run] = "done" if finite else "diverged"
        if not finite:
            reasons[run].append(f"parameters were not finite after update {step}")
            continue
        version = run.model.version
        add(run, 0, [(f"train_{k}", float(v), version) for k, v in logs.items() if np.isfinite(v)])
        reasons[run] += [f"train_{k} is {v}" for k, v in logs.items() if not np.isfinite(v)]
        own = [represent(*asked, dataset, draw) for draw in draws]
        learnt[run] = own, (*asked, dataset) if asks else ()
        if step == pack.budget.updates and drawable(dataset.image_shape):
            lines, reconstructions = illustrate(*asked, dataset)
            drawn = {
                "traversal": traversal_png(lines, own[0].kl.mean(axis=0)),
                "reconstruction": png(sheet(reconstructions)),
            }
            tables.pictures.extend(
                {"run_id": run.id, "name": name, "png": drawing} for name, drawing in drawn.items()
            )
        if size_of(own) * len(learnt) >= MEMORY:
            measure_learnt()
    if learnt:
        measure_learnt()
    return [(status[run], "; ".join(reasons[run])) for run in pack.runs]


def run_row(cohort: Cohort, run) -> dict:
    """What a run is, as columns."""
    return {
        "run_id": run.id,
        "study": cohort.study,
        "dataset": run.dataset.title,
        "dataset_settings": run.dataset.settings(),
        "model": run.model.name,
        "settings": run.model.settings(),
        "strength_name": models.strength_name(type(run.model)),
        "strength": run.model.strength,
        "setting": run.setting,
        "seed": run.seed,
        "updates": run.budget.updates,
        "batch_size": run.budget.batch_size,
        "images_seen": run.budget.updates
        * run.budget.batch_size
        * run.model.copies
        * datasets.images_per_example(run.model.needs),
    }


def load(dataset):
    """A dataset's arrays on the device, once for all cohorts in a row that need them."""
    return _load(dataclasses.replace(dataset, training=datasets.AllCells()))


@lru_cache(maxsize=2)
def _load(dataset):
    return everywhere(dataset.load())


def _parameters(training: Training) -> int:
    """The number of trained parameters of one member."""
    sizes = [leaf.size for leaf in jax.tree.leaves(training.states.params)]
    return sum(sizes) // len(training.seeds)
