"""What a driver of Ray grows by over many cohorts in which nothing is done, by hand.

    python tests/faults/scheduling.py [10000]

Ends with 1 where that is more than LIMIT.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import SMALL  # noqa: E402

from soberlook.benchmark.keep import Kept  # noqa: E402
from soberlook.benchmark.plan import make_plan  # noqa: E402
from soberlook.benchmark.progress import Progress  # noqa: E402
from soberlook.benchmark.ray_executor import cluster, run_on_ray  # noqa: E402
from soberlook.benchmark.resources import Resources  # noqa: E402
from soberlook.benchmark.terminal import err  # noqa: E402
from soberlook.results.store import Store  # noqa: E402

LIMIT = 200  # MB


def noop(cohort, errand, arrays):
    return Kept(1, 0.0)


def memory() -> float:
    """What this process has of the machine's memory now, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1e3


def main(count: int) -> int:
    with tempfile.TemporaryDirectory() as folder, cluster("local") as ray:
        store = Store(f"{folder}/store")
        run = {"fields": {"beta": [1]}, "updates": 1}
        plans = [
            make_plan(SMALL.narrowed(seeds=seeds, **run), store, width=1)
            for seeds in (range(count, count + 100), range(count))
        ]
        for plan in plans:  # the first, a hundred, for what is there once
            before, began = memory(), time.monotonic()
            with Progress(plan, err) as progress:
                run_on_ray(plan, store, progress, ray, takes=Resources(cpu=0.5), work=noop)
            grown, seconds = memory() - before, time.monotonic() - began
            assert progress.runs_done == len(plan.cohorts)
            print(f"{len(plan.cohorts):,} cohorts in {seconds:.0f} s: {grown:+.0f} MB", flush=True)
    return int(grown > LIMIT)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
