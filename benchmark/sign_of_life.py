"""Signs of life: whoever trains a cohort says so in the store, for `soberlook status` to see."""

import contextlib
import json
import os
import socket
import threading
import time

from soberlook.results.standing import Sign, signs_of_life
from soberlook.results.store import Store

from .cohort import Cohort

EVERY = 30.0  # seconds between two beats
PATIENCE = 5.0  # seconds to wait for a store that does not answer; the thread goes on trying


class SignOfLife:
    """Keeps `running/<cohort>.json` while a cohort is trained. A context manager.

    A thread of its own writes it, so that a long compilation is no silence, and a store that does
    not answer holds nobody up. What goes wrong with it is passed over: it is not worth a run.
    """

    def __init__(self, store: Store, cohort: Cohort):
        self.store, self.name = store, f"running/{cohort.id}.json"
        self.sign = Sign(
            who=f"{socket.gethostname()}, process {os.getpid()}",
            begun=time.time(),
            beat=time.time(),
            runs=tuple(run.id for run in cohort.runs),
            first=0,
            updates=0,
            of=len(cohort.runs) * cohort.budget.updates,
            scored=0,
        )
        self.heard = False
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, name=self.name, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join(PATIENCE)

    def update(self, updates: int, scored: int = 0):
        """All runs together have done so many updates, and so many are scored since.

        The first that is heard is where this began: more than none after a checkpoint. They become
        fewer where a cohort that ran out of memory begins again in halves.
        """
        first = min(self.sign.first, updates) if self.heard else updates
        self.sign = self.sign._replace(first=first, updates=updates, scored=scored)
        self.heard = True

    def _beat(self):
        while True:
            content = json.dumps(self.sign._replace(beat=time.time())._asdict())
            with contextlib.suppress(Exception):
                self.store.put(self.name, content.encode())
            if self.ended.wait(EVERY):
                break
        with contextlib.suppress(Exception):
            self.store.remove(self.name)


def remove_signs(store: Store, finished: set[str]):
    """Remove the signs of cohorts whose runs are all there, which say nothing any more.

    Whoever is alive and trains them, too, gives another. How old a sign is does not matter: a clock
    may have been moved.
    """
    for cohort, sign in signs_of_life(store).items():
        if finished.issuperset(sign.runs):
            store.remove(f"running/{cohort}.json")
