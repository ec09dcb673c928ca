"""Where the time of a cohort goes: training and evaluating, and compiling as part of both."""

import contextlib
import time

from .compiled import compile_seconds


class Clock:
    """Seconds since it was made, and those that an earlier attempt had spent."""

    def __init__(self):
        self.started, self.compiled = time.perf_counter(), compile_seconds()
        self.on_evaluation = 0.0
        self.before = dict.fromkeys(("train", "evaluate", "compile"), 0.0)

    def add(self, seconds: dict[str, float]):
        """Count these, too."""
        self.before = {name: spent + seconds[name] for name, spent in self.before.items()}

    @contextlib.contextmanager
    def evaluating(self):
        """What happens in here is evaluation; all else is training."""
        started = time.perf_counter()
        yield
        self.on_evaluation += time.perf_counter() - started

    def seconds(self) -> dict[str, float]:
        """`train`, `evaluate` and `compile`, the last a part of the two others."""
        here = {
            "train": time.perf_counter() - self.started - self.on_evaluation,
            "evaluate": self.on_evaluation,
            "compile": compile_seconds() - self.compiled,
        }
        return {name: spent + here[name] for name, spent in self.before.items()}
