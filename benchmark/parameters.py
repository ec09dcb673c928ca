"""What runs have learnt, kept so that they can be asked again.

    parameters/<pack>   safetensors: the leaves of the states of those runs that were to be kept,
                        stacked, and a header that says which these are and what reads them

Optimizers' moments are left out: parameters are for asking, checkpoints for going on.
"""

import math

import jax
import numpy as np

from soberlook.datasets import draw_batch
from soberlook.models import named
from soberlook.results import arrays

from .cohort import Cohort
from .mapping import share_of
from .provenance import provenance
from .train import Training, pick

POLICIES = ("none", "best", "all")
SCHEMA = 1  # raised when a file means something else


def kept_parameters(pack: Cohort, training: Training, data, outcomes, keep: str) -> bytes:
    """The file of a trained pack; empty where nothing of it is to be kept.

    `keep` is "none", "all", or "best": of every setting the run with the lowest loss (`Outcome`),
    of those that were trained together. Runs that diverged are not kept.
    """
    members = chosen(pack, outcomes, keep)
    if not members:
        return b""
    stacked = training.models, training.seeds, training.states
    states = []
    for member in members:
        place, (*_, own) = share_of(member, stacked)
        (state,) = pick(place, own)
        states.append(named(state.replace(opt=None)))
    leaves = {name: np.stack([state[name] for state in states]) for name in states[0]}
    about = {
        "schema": SCHEMA,
        "step": training.step,
        "batch": _shapes_of_batch(pack, data),
        "runs": [_about(pack.runs[member]) for member in members],
        **{key: provenance()[key] for key in ("soberlook", "jax", "device")},
    }
    return arrays.to_bytes(leaves, about)


def chosen(pack: Cohort, outcomes, keep: str) -> list[int]:
    """The places of the members that are kept."""
    done = [i for i, one in enumerate(outcomes) if one.status == "done"]
    if keep == "none":
        return []
    if keep == "all":
        return done
    best = {}
    for member in done:
        loss = outcomes[member].loss
        setting = pack.runs[member].setting
        if not math.isnan(loss) and loss < outcomes[best.setdefault(setting, member)].loss:
            best[setting] = member
    return sorted(best.values())


def _about(run):
    return {
        "id": run.id,
        "setting": run.setting,
        "seed": run.seed,
        "model": run.model.name,
        "version": run.model.version,
        "settings": run.model.settings(),
        "dataset": run.dataset.name,
        "dataset_version": run.dataset.version,
        "dataset_settings": run.dataset.settings(),
    }


def _shapes_of_batch(pack, data):
    """What its models are fed: {view: [shape, type]}, some of them {part: [shape, type]}."""
    run, key = pack.runs[0], jax.random.key(0)
    size = pack.budget.batch_size
    batch = jax.eval_shape(
        lambda data: draw_batch(run.dataset, data, run.model.needs, key, size, key), data
    )
    return jax.tree.map(lambda leaf: [list(leaf.shape), str(leaf.dtype)], batch)
