"""The work on one cohort: train, evaluate, and give the tables. Wherever that happens."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from soberlook import datasets, models
from soberlook.results.folder import redacted
from soberlook.results.store import Tables

from . import memory
from .checkpoint import NONE, Checkpoints
from .clock import Clock
from .cohort import Cohort
from .evaluate import (
    MEMORY,
    asks,
    draws_of,
    illustrate,
    represent,
    rows_of,
    score,
    size_of,
)
from .mapping import everywhere, on_first_device, share_of
from .parameters import kept_parameters
from .pictures import drawable, png, sheet, traversal_png
from .provenance import provenance
from .train import Training, look, train


def work(
    cohort: Cohort,
    on_progress: Callable[[int, int], None] = lambda *_: None,
    checkpoints: Checkpoints = NONE,
    keep: str = "none",
    arrays=None,
) -> Iterator[tuple[Cohort, Tables]]:
    """Train and evaluate all runs of a cohort; give those that were one program, and their tables.

    They are all one program where the device has the memory; elsewhere, and where it runs out of
    it, halves of the cohort are, or halves of these. `on_progress` hears the updates done, of all
    runs together, and the runs scored since the last of them. `keep` says what is kept of what they
    have learnt, `arrays` are those of the dataset where they are here already.
    """
    data = load(cohort.dataset, arrays)
    done, waiting = 0, [cohort]
    while waiting:
        pack = waiting.pop(0)

        def heard(updates, scored, before=done * cohort.budget.updates):
            on_progress(before + updates, scored)

        try:
            tables = work_together(pack, data, heard, checkpoints, keep)
        except (MemoryError, jax.errors.JaxRuntimeError) as error:
            if not memory.ran_out(error) or len(pack.runs) == 1:
                raise
            waiting = [*pack.halves(), *waiting]
        else:
            done += len(pack.runs)
            yield pack, tables


def work_together(
    pack: Cohort,
    data,
    on_progress: Callable[[int, int], None],
    checkpoints: Checkpoints,
    keep: str,
) -> Tables:
    """Train and evaluate runs as one program, from where a checkpoint says that they stood."""
    begun, clock = time.time(), Clock()
    tables = Tables()

    def resume(mapping, shapes):
        standing = checkpoints.read(pack, mapping, shapes)
        if standing is not None:
            tables.rows.extend(standing.rows)
            clock.add(standing.seconds)
        return standing

    for training in train(pack, data, resume):
        updates = training.step * len(pack.runs)
        on_progress(updates, 0)
        checkpoints.write(pack, training, tables, clock.seconds())
        if training.step in pack.budget.evaluation_steps:
            with clock.evaluating():
                outcomes = evaluate(pack, training, data, tables, partial(on_progress, updates))
    tables.parameters = kept_parameters(pack, training, data, outcomes, keep)
    shares = {f"{name}_seconds": spent / len(pack.runs) for name, spent in clock.seconds().items()}
    about = provenance() | {
        "begun": begun,
        "mapping": training.mapping,
        "width": len(training.seeds),
        "parameters": _parameters(training),
        **shares,  # of each the same, whoever's it was
    }
    tables.runs.extend(
        run_row(pack, run) | about | {"status": one.status, "reason": one.reason}
        for run, one in zip(pack.runs, outcomes, strict=True)
    )
    return tables


def failed(cohort: Cohort, reason: str) -> Tables:
    """The tables of a cohort whose work raised: its runs, with the reason's first line."""
    outcome = {"status": "failed", "reason": redacted(reason.splitlines()[0]), "begun": time.time()}
    return Tables(runs=[run_row(cohort, run) | provenance() | outcome for run in cohort.runs])


class Outcome(NamedTuple):
    """What became of a run."""

    status: str  # done, diverged
    reason: str
    loss: float  # reconstruction and KL in nats per image, over the whole grid; NaN of no one's


def evaluate(
    pack: Cohort, training: Training, data, tables: Tables, on_scored: Callable[[int], None]
) -> list[Outcome]:
    """Add all members' rows at this step, and at the last one their pictures.

    A member whose parameters are no longer finite has diverged and gets no rows: nothing that it
    would say means anything.
    """
    dataset, step = pack.dataset, training.step
    stacked, data = (training.models, training.seeds, training.states), on_first_device(data)
    status, reasons, learnt = {}, {run: [] for run in pack.runs}, {}
    losses = dict.fromkeys(pack.runs, float("nan"))
    draws = draws_of(dataset, pack.draws)

    def score_learnt():
        """Score together the runs whose representations there is memory for."""
        before = len(status) - len(learnt)
        scores = score(pack.metrics, learnt, draws, lambda count: on_scored(before + count))
        for run, draw, numbers, problems in scores:
            tables.rows.extend(rows_of(run, step, draw, numbers))
            reasons[run] += [problem for problem in problems if problem not in reasons[run]]
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
        logged = [(f"train_{k}", float(v), version) for k, v in logs.items() if np.isfinite(v)]
        tables.rows.extend(rows_of(run, step, 0, logged))
        reasons[run] += [f"train_{k} is {v}" for k, v in logs.items() if not np.isfinite(v)]
        own = [represent(*asked, dataset, draw) for draw in draws]
        learnt[run] = own, (*asked, dataset) if asks(pack.metrics) else ()
        losses[run] = float(own[0].reconstruction.mean() + own[0].kl.sum(axis=1).mean())
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
            score_learnt()
    if learnt:
        score_learnt()
    return [Outcome(status[run], "; ".join(reasons[run]), losses[run]) for run in pack.runs]


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


def load(dataset, arrays=None):
    """A dataset's arrays on the device, once for all cohorts in a row that need them.

    `arrays` are what its `load` gives, if they are here already.
    """
    bare = dataclasses.replace(dataset, training=datasets.AllCells())
    if bare not in _loaded:
        while len(_loaded) >= 2:
            _loaded.pop(next(iter(_loaded)))
        _loaded[bare] = everywhere(bare.load() if arrays is None else arrays)
    return _loaded[bare]


_loaded = {}  # dataset → its arrays on the device


def _parameters(training: Training) -> int:
    """The number of trained parameters of one member."""
    sizes = [leaf.size for leaf in jax.tree.leaves(training.states.params)]
    return sum(sizes) // len(training.seeds)
