"""Checkpoints: where runs that train together stand, so that they go on to the same rows.

    checkpoints/<pack>   every leaf of the members' states, the rows of earlier evaluations, and a
                         header: which runs, after how many updates, and what they are trained on

One is used only where it is of the same runs, mapping, kind of device and version of JAX as are
here, for only then are the numbers those of training without an interruption. Elsewhere, and where
it is damaged, training starts again, and a warning says why.
"""

import contextlib
import json
import time
import warnings
from typing import Any, NamedTuple

import numpy as np

from soberlook.models import filled, named
from soberlook.results import arrays
from soberlook.results.store import Store, StoreError, Tables

from .cohort import Cohort
from .provenance import provenance

SCHEMA = 1  # raised when a checkpoint means something else
SHARE = 40  # of the time at most one part in so many goes into checkpoints
ROWS = "rows"  # the array that holds the rows of earlier evaluations, as the bytes of their JSON


class Standing(NamedTuple):
    """Where training stands after `step` updates, before anything of that step is evaluated."""

    step: int
    states: Any  # stacked over members, in this process' memory
    rows: list[dict]  # of earlier evaluations
    seconds: dict[str, float]  # spent so far: on training, evaluating and compiling


class Checkpoints:
    """The checkpoints of one store, written every so many seconds; never for None."""

    def __init__(self, store: Store | None, seconds: float | None):
        self.store = store if seconds is not None else None
        self.seconds = seconds
        self._rest(0)

    def write(self, pack: Cohort, training, tables: Tables, seconds: dict[str, float]):
        """Keep where the runs of a pack stand, if it is time for that."""
        if self.store is None or time.monotonic() < self.due:
            return
        started = time.monotonic()
        leaves = named(training.states)
        leaves[ROWS] = np.frombuffer(json.dumps(tables.rows).encode(), np.uint8)
        about = _about(pack, training.mapping)
        about |= {"step": training.step, "seconds": seconds}
        try:
            self.store.put(_file(pack), arrays.to_bytes(leaves, about))
        except StoreError as error:  # not worth the runs
            warnings.warn(f"no checkpoint: {error}", stacklevel=2)
        self._rest(time.monotonic() - started)

    def read(self, pack: Cohort, mapping, shapes) -> Standing | None:
        """Where the runs of a pack stood; None where there is no checkpoint that can be used.

        `shapes` are those of the members' states.
        """
        if self.store is None or (content := self.store.get(_file(pack))) is None:
            return None
        try:
            leaves, about = arrays.from_bytes(content)
            for key, value in _about(pack, mapping).items():
                if about[key] != value:
                    raise ValueError(f"its {key} is {about[key]!r}, expected {value!r}")
            rows = json.loads(leaves.pop(ROWS).tobytes())
            seconds = {key: float(value) for key, value in about["seconds"].items()}
            return Standing(int(about["step"]), filled(shapes, leaves), rows, seconds)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            warnings.warn(f"checkpoint of {pack.title} not used: {reason}", stacklevel=2)
            return None

    def remove(self, pack: Cohort):
        """The runs of a pack are kept, and need none any more."""
        if self.store is not None:
            self.store.remove(_file(pack))

    def _rest(self, cost):
        """The next one is written after the interval, or later where this one `cost` much of it."""
        if self.store is not None:
            self.due = time.monotonic() + max(self.seconds, SHARE * cost)


NONE = Checkpoints(None, None)


def remove_checkpoint_of(store: Store, name: str, finished: set[str]):
    """Remove a checkpoint of runs that are all finished; not one that cannot be read."""
    with contextlib.suppress(ValueError, TypeError):  # not ours, or removed by another meanwhile
        if finished.issuperset(arrays.about(store.get(f"checkpoints/{name}")).get("runs", ["?"])):
            store.remove(f"checkpoints/{name}")


def _file(pack):
    return f"checkpoints/{pack.id}"


def _about(pack, mapping):
    """What must be the same for the rows to be."""
    here = {key: provenance()[key] for key in ("device", "jax")}
    runs = [run.id for run in pack.runs]
    return here | {"schema": SCHEMA, "mapping": mapping, "runs": runs, "metrics": [*pack.metrics]}
