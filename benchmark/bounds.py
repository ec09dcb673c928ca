"""Floors and ceilings: what the metrics say of codes whose worth is known, for every dataset.

    random      noise: knows nothing of the factors
    rotated     the true factors under a rotation that mixes them: knows everything, entangled
    factors     the true factors: knows everything, one factor a code
    supervised  what an encoder says that was told the factors of the images it was trained on

A perfect code does not score 1 under every metric, nor a useless one 0; a score means something
between the two. And what images do not show no method can find: the supervised encoder, with the
network, the learning rate and the budget of the study's runs, is how far one comes who is told what
to look for. That is no strict bound: a metric that does not ask for everything can score a run
above it.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from soberlook import metrics
from soberlook.models import SupervisedEncoder
from soberlook.results.store import Store

from .cohort import Cohort
from .evaluate import measure, predict
from .mapping import on_first_device, share_of
from .plan import Plan
from .progress import Progress
from .study import Budget, Run, Study, digest
from .terminal import err, say
from .train import train
from .worker import load

VERSION = 1  # raised when the codes below change that are not trained
SEED = 0  # of the noise, of the rotations, and of the supervised encoder
ROTATIONS = 1_000  # of which the one is taken that mixes most evenly
LATENTS = 10  # of random codes, as many as the study's models have
OF_CODES = ("codes", "split", "interventions")  # what metrics are of that have bounds


class Bound(NamedTuple):
    """Codes of known worth, over the whole grid of a dataset."""

    codes: str
    setting: str  # an id of everything that they depend on
    updates: int | None  # that they were trained for
    make: Callable[[], np.ndarray]  # codes [n, z]


def keep_bounds(store: Store, plan: Plan):
    """Score all bounds of the datasets of a plan, where the store has no such scores.

    The settings of a supervised encoder are those of the first run on its dataset. What one kind of
    codes scores is kept as soon as it is there. A metric that gives no number leaves a row without
    one, so that nothing is trained again for it.
    """
    scored = [metrics.METRICS[name] for name in plan.study.metrics]
    scored = [metric for metric in scored if metric.of in OF_CODES]
    rows = store.read("bounds").to_pylist()
    keys = ("dataset", "codes", "setting", "source", "version")
    known = {tuple(row[key] for key in keys) for row in rows}
    firsts = {}
    for run in plan.runs:
        if run.dataset.has_factors:
            firsts.setdefault(run.dataset, run)
    for dataset, run in firsts.items():
        missing = {
            bound: [
                metric
                for metric in scored
                if (dataset.title, *bound[:2], metric.name, metric.version) not in known
            ]
            for bound in bounds_of(run, plan.study)
        }
        missing = {bound: those for bound, those in missing.items() if those}
        if missing:
            names = ", ".join(bound.codes for bound in missing)
            say(f"floors and ceilings of {dataset.title}: {names}")
        for bound, those in missing.items():
            about = {"dataset": dataset.title, "codes": bound.codes, "setting": bound.setting}
            about["updates"] = bound.updates
            codes = representation(bound.make(), dataset)
            for metric in those:
                numbers, _ = measure(metric.name, [codes])[0]
                rows.extend(
                    about | {"source": metric.name, "metric": name, "value": value, "version": v}
                    for name, value, v in numbers or [(None, None, metric.version)]
                )
            own = [row for row in rows if row["dataset"] == dataset.title]
            store.write_bounds(file_of(dataset), own)


def file_of(dataset) -> str:
    """The name of the file that its bounds are kept in."""
    plain = dataset.title == dataset.name
    return dataset.name if plain else f"{dataset.name}-{digest(dataset.settings())}"


def bounds_of(run: Run, study: Study) -> list[Bound]:
    """The bounds of a run's dataset, from the cheapest to the one that is trained."""
    dataset, trained = run.dataset, supervised_run(run, study.budget)
    grid = digest([VERSION, dataset.name, dataset.grid])
    return [
        Bound("random", grid, None, partial(random_codes, dataset)),
        Bound("rotated", grid, None, partial(rotated_factors, dataset)),
        Bound("factors", grid, None, partial(true_factors, dataset)),
        Bound(
            trained.model.name,
            trained.setting,
            trained.budget.updates,
            partial(supervised_codes, trained, study),
        ),
    ]


def random_codes(dataset) -> np.ndarray:
    """Noise [n, 10], standard normal."""
    return np.random.default_rng(SEED).standard_normal((dataset.size, LATENTS))


def true_factors(dataset) -> np.ndarray:
    """The factors [n, f], with mean 0 and variance 1 each."""
    return np.asarray(dataset.standardized(np.arange(dataset.size)))


def rotated_factors(dataset) -> np.ndarray:
    """The same [n, f] under an orthogonal matrix, which keeps them uncorrelated and of variance 1.

    Any one random rotation may happen to leave a factor nearly alone: of thirty of five factors the
    MIG was from .07 to .36. Of many this is the one that mixes most evenly, whose largest entry is
    the smallest. A single factor cannot be mixed and stays.
    """
    factors = true_factors(dataset)
    shape = ROTATIONS, factors.shape[1], factors.shape[1]
    rotations, _ = np.linalg.qr(np.random.default_rng(SEED).standard_normal(shape))
    return factors @ rotations[np.abs(rotations).max(axis=(1, 2)).argmin()]


def supervised_run(run: Run, budget: Budget) -> Run:
    """The supervised encoder that has what it can have of this run's settings."""
    shared = {field.name for field in dataclasses.fields(SupervisedEncoder)} - {"latents"}
    settings = {key: value for key, value in run.model.settings().items() if key in shared}
    encoder = SupervisedEncoder(latents=len(run.dataset.factor_sizes), **settings)
    once = dataclasses.replace(budget, evaluate_at=(1.0,))
    return Run(run.dataset, encoder.resolved(run.dataset.image_shape), SEED, once)


def supervised_codes(run: Run, study: Study) -> np.ndarray:
    """Train a supervised encoder; what it says of every cell, [n, f]."""
    cohort, data = Cohort(study.name, (run,), ()), load(run.dataset)
    with Progress(Plan(study, [run], [cohort]), err) as progress:
        progress.begin(cohort)
        for training in train(cohort, data):
            progress.update(cohort, training.step)
    place, shares = share_of(0, (training.models, training.seeds, training.states))
    return np.asarray(predict(*shares, place, on_first_device(data), dataset=run.dataset))


def representation(codes: np.ndarray, dataset) -> metrics.Representation:
    """Codes as metrics take them: without noise, and without likelihoods to speak of."""
    codes = codes.astype(np.float32)
    nothing = np.zeros(len(codes), np.float32)
    sizes = dataset.factor_sizes, codes, dataset.nuisance_sizes
    return metrics.Representation(codes, np.zeros_like(codes), nothing, *sizes)
