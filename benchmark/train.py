"""Training a cohort: a pure function of its models and seeds, run in chunks.

Three programs a cohort: `initialize`, `advance` and `look`. The bounds of a chunk are traced, so
neither its length nor the number of updates compiles anything. All randomness comes from a run's
seed, by purpose and by update, never from the run's place in the cohort; runs with equal seeds
see the same images in the same order.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from soberlook.datasets import draw_batch

from . import memory
from .checkpoint import Standing
from .cohort import Cohort
from .mapping import Mapping, choose, distributed, map_members, padded_width

# The purposes of randomness: each has a key of its own, so that their shares can be told apart.
INITIALIZATION, DATA, NOISE, EVALUATION, CONSTANT = range(5)

CHUNK_SECONDS = 0.5  # between two signs of life, and the time an interruption waits


class Training(NamedTuple):
    """Where a cohort stands: all members after `step` updates."""

    step: int
    models: Any
    seeds: Any
    states: Any
    mapping: Mapping


def train(
    cohort: Cohort, data, resume: Callable[[Mapping, Any], Standing | None] = lambda *_: None
) -> Iterator[Training]:
    """Train all members together; give the state of things after every chunk.

    Chunks end at the steps of evaluation, and in between as often as seconds pass. What is given
    is valid until the next is asked for: the buffers of the states are used again. `resume` is
    asked once, by mapping and shapes of the states, for where an earlier training stood, which is
    then the first thing given. Raises MemoryError where the compiled program needs more memory than
    the device has for it.
    """
    mapping = choose(state_shapes(cohort, data, "map"))
    program = {
        "dataset": cohort.dataset,
        "batch_size": cohort.budget.batch_size,
        "mapping": mapping,
    }
    models, seeds = cohort.members(padded_width(mapping, len(cohort.runs)))
    shapes = state_shapes(cohort, data, mapping)
    compiled = advance.lower(models, seeds, shapes, data, 0, 1, **program).compile()
    if (needed := memory.needed(compiled)) > (allowed := memory.allowed()):
        raise MemoryError(f"{needed:,} bytes needed for {len(seeds)} runs, {allowed:,} allowed")
    step, length = 0, 8
    if (standing := resume(mapping, shapes)) is None:
        states = initialize(models, seeds, data, **program)
    else:
        step, states = standing.step, distributed(standing.states)
        yield Training(step, models, seeds, states, mapping)
    for goal in cohort.budget.evaluation_steps:
        while step < goal:
            stop = min(step + length, goal)
            started = time.perf_counter()
            states = jax.block_until_ready(
                advance(models, seeds, states, data, step, stop, **program)
            )
            # At most tenfold: the first chunk's time is mostly compilation.
            pace = (stop - step) / max(time.perf_counter() - started, 1e-6)
            length = max(1, min(int(pace * CHUNK_SECONDS), 10 * length))
            step = stop
            yield Training(step, models, seeds, states, mapping)


def purpose_key(seed, purpose: int) -> jax.Array:
    """The key of a run for one purpose."""
    return jax.random.fold_in(jax.random.key(seed), purpose)


@partial(jax.jit, static_argnames=("dataset", "batch_size", "mapping"))
def initialize(models, seeds, data, *, dataset, batch_size, mapping):
    """All members' states before the first update."""

    def one(model, seed, data):
        batch, _ = step_inputs(model, seed, 0, dataset, data, batch_size)
        return model.init(purpose_key(seed, INITIALIZATION), batch)

    return map_members(one, mapping)((models, seeds), (data,))


@partial(jax.jit, static_argnames=("dataset", "batch_size", "mapping"), donate_argnames=("states",))
def advance(models, seeds, states, data, start, stop, *, dataset, batch_size, mapping):
    """All members' states after the updates start, …, stop − 1, silently."""

    def one(model, seed, state, data, start, stop):
        def update(step, state):
            batch, key = step_inputs(model, seed, step, dataset, data, batch_size)
            return model.update(state, batch, key)[0]

        return jax.lax.fori_loop(start, stop, update, state)

    return map_members(one, mapping)((models, seeds, states), (data, start, stop))


@partial(jax.jit, static_argnames=("dataset", "batch_size"))
def look(models, seeds, states, member, data, step, *, dataset, batch_size):
    """What one member's next update would log, and whether all its parameters are finite.

    The states stay as they are, so that looking, however often, changes no result.
    """
    model, seed, state = pick(member, models, seeds, states)
    batch, key = step_inputs(model, seed, step, dataset, data, batch_size)
    _, logs = model.update(state, batch, key)
    finite = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(state.params)]
    return logs, jnp.stack(finite).all()


def pick(member, *stacked):
    """One member of what is stacked."""
    return jax.tree.map(lambda leaf: leaf[member], stacked)


def step_inputs(model, seed, step, dataset, data, batch_size):
    """The batch of one update, and the key for its sampling."""
    key_data = jax.random.fold_in(purpose_key(seed, DATA), step)
    key_noise = jax.random.fold_in(purpose_key(seed, NOISE), step)
    constant = purpose_key(seed, CONSTANT)  # for what a run is fed at all of its updates
    return draw_batch(dataset, data, model.needs, key_data, batch_size, constant), key_noise


def state_shapes(cohort, data, mapping):
    """The shapes of all members' states, computed without computing."""
    models, seeds = cohort.members(padded_width(mapping, len(cohort.runs)))
    program = {"dataset": cohort.dataset, "batch_size": cohort.budget.batch_size}
    return jax.eval_shape(partial(initialize, **program, mapping=mapping), models, seeds, data)
