"""soberlook bench: how fast cohorts train here, beside plain PyTorch and beside what is possible.

Machines are shared and noisy, so contestants take turns, round after round, and what counts is the
ratio of their medians.
"""

import dataclasses
import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from soberlook import datasets, models

from . import memory
from .cohort import Cohort
from .compiled import compile_seconds
from .flops import trained_flops
from .mapping import choose, everywhere, padded_width
from .study import Budget, Run
from .train import advance, initialize, state_shapes

MATRIX = 2048  # rows and columns of the products that tell what the device can do


@dataclasses.dataclass(frozen=True)
class Case:
    """What is trained: a model with its settings, on a dataset, so many at once."""

    network: str
    model: str
    width: int
    dataset: str
    settings: dict
    batch_size: int = 64

    @property
    def name(self) -> str:
        return f"{self.network}_{self.model}_{self.width}"

    @property
    def flops(self) -> int:
        """Operations per image trained, of encoder and decoder."""
        shape = datasets.make(self.dataset).image_shape
        return trained_flops(self.network, self.instance().latents, shape)

    def instance(self) -> models.Model:
        """The model as the dataset's images make it."""
        model = models.make(self.model, network=self.network, **self.settings)
        return model.resolved(datasets.make(self.dataset).image_shape)


@dataclasses.dataclass
class Contestant:
    """One way to train a case: `run(updates)` does so many updates of all its models."""

    way: str
    run: Callable[[int], None]
    about: dict = dataclasses.field(default_factory=dict)
    updates: int = 1  # in a turn
    rates: list[float] = dataclasses.field(default_factory=list)

    @property
    def median(self) -> float:
        """Images × models per second."""
        return statistics.median(self.rates)


def measure(case: Case, peers: Callable, *, rounds: int, seconds: float, say: Callable) -> dict:
    """A case as a row of numbers, ours first; `peers(case)` gives the others' contestants."""
    contestants = [ours(case), *peers(case)]
    for contestant in contestants:
        contestant.run(1)  # compiles what is not yet compiled
        started = time.perf_counter()
        contestant.run(2)
        contestant.updates = max(1, round(2 * seconds / (time.perf_counter() - started)))
    floor = []
    for turn in range(rounds):
        floor.append(matrix_products())
        for contestant in contestants:
            say(f"{case.name}: round {turn + 1} of {rounds}, {contestant.way}")
            started = time.perf_counter()
            contestant.run(contestant.updates)
            images = contestant.updates * case.width * case.batch_size
            contestant.rates.append(images / (time.perf_counter() - started))
    possible = statistics.median(floor) / case.flops
    own, *others = contestants
    best = max(others, key=lambda other: other.median, default=None)
    return {
        "case": case.name,
        **{name: getattr(case, name) for name in ("network", "model", "width", "settings")},
        "images_per_second": {c.way: round(c.median, 1) for c in contestants},
        "range": {c.way: [round(min(c.rates), 1), round(max(c.rates), 1)] for c in contestants},
        "best_peer": best and best.way,
        "ratio": best and own.median / best.median,
        "share_of_floor": own.median / possible,
        "matrix_gflops": statistics.median(floor) / 1e9,
        **own.about,
    }


def ours(case: Case) -> Contestant:
    """The study's own programs: data drawn on the device, one call a round."""
    dataset = datasets.make(case.dataset)
    model = case.instance()
    budget = Budget(updates=1, batch_size=case.batch_size)
    runs = tuple(Run(dataset, model, seed, budget) for seed in range(case.width))
    cohort, data = Cohort("bench", runs, ()), everywhere(dataset.load())
    mapping = choose(state_shapes(cohort, data, "map"))
    members, seeds = cohort.members(padded_width(mapping, case.width))
    program = {"dataset": dataset, "batch_size": case.batch_size, "mapping": mapping}
    compiling = compile_seconds()
    states = initialize(members, seeds, data, **program)
    compiled = advance.lower(members, seeds, states, data, 0, 1, **program).compile()
    about = {
        "mapping": mapping,
        "compile_seconds": compile_seconds() - compiling,
        "megabytes": memory.needed(compiled) / 2**20,
    }
    done = 0

    def run(updates):
        nonlocal states, done
        stop = done + updates
        states = advance(members, seeds, states, data, done, stop, **program)
        jax.block_until_ready(states)
        done = stop

    return Contestant("soberlook", run, about)


def matrix_products() -> float:
    """Floating-point operations per second of large matrix products in single precision."""
    rng = np.random.default_rng(0)
    matrix = jnp.asarray(rng.standard_normal((MATRIX, MATRIX)), jnp.float32)
    product = jax.jit(jnp.matmul)
    jax.block_until_ready(product(matrix, matrix))
    started = time.perf_counter()
    for _ in range(times := 4):
        jax.block_until_ready(product(matrix, matrix))
    return times * 2 * MATRIX**3 / (time.perf_counter() - started)
