"""Running a plan on Ray: a cohort is a task.

What travels to a worker is a cohort as JSON and the text of the user's plugins, which the worker
imports; what comes back are tables of numbers and pictures. The store is written by the driver.
"""

import contextlib
import socket
import tempfile
from pathlib import Path

from soberlook.registry import BadInput
from soberlook.results.store import Store, Tables

from .keep import announce, keep
from .plan import Plan
from .progress import Progress

LOCAL = "local"
SECONDS = 10  # to wait for an address to answer


@contextlib.contextmanager
def cluster(address: str):
    """A connection to the Ray cluster at `address`, or to one started on this machine ("local").

    Raises `BadInput` where Ray is not installed or nothing answers.
    """
    try:
        import ray
    except ImportError:
        raise BadInput("--ray needs Ray, which is not installed: pip install ray") from None
    options = {"log_to_driver": False, "configure_logging": False}
    if address == LOCAL:
        options |= {"include_dashboard": False, "object_store_memory": 2**28}
    else:
        options |= {"address": address}
        _check_reachable(address)
    # Ray puts the driver's folder on its workers' path, where a checkout's folders would hide
    # packages of the same names: start it from an empty one.
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        try:
            ray.init(**options)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise BadInput(f"--ray: no cluster answers at {address!r}: {reason}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address):
    """Raise `BadInput` where nothing listens: Ray itself would go on trying for many minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and port.isdigit()):
        if address == "auto":
            return
        raise BadInput(f"--ray must be auto, local or HOST:PORT, found {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
    except (OSError, OverflowError) as error:
        raise BadInput(f"--ray: no cluster answers at {address!r}: {error}") from None


def run_on_ray(
    plan: Plan, store: Store, progress: Progress, ray, plugins: list[str], programs: str
):
    """Do everything a plan has left, as many cohorts at a time as the cluster has room for.

    A task takes a GPU where the cluster has any and a CPU elsewhere. A cohort whose task fails, or
    whose worker dies more than twice, becomes failed runs, and the others go on. Workers keep their
    compiled programs in the folder `programs`, where they can reach it.
    """
    announce(plan, store)
    gpus = 1 if ray.cluster_resources().get("GPU") else 0
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=2)(work_remotely)
    sources = [(Path(file).name, Path(file).read_text()) for file in plugins]
    waiting, running = list(plan.cohorts), {}
    room = int(ray.cluster_resources().get("GPU" if gpus else "CPU", 1))
    while waiting or running:
        while waiting and len(running) < 2 * room:
            cohort = waiting.pop(0)
            running[task.remote(cohort.to_json(), sources, programs)] = cohort
        (done, *_), _ = ray.wait(list(running), num_returns=1)
        cohort = running.pop(done)
        try:
            outcome = ray.get(done)
        except ray.exceptions.RayError as error:
            outcome = error
        progress.end(cohort, keep(store, cohort, outcome))


def work_remotely(cohort: str, plugins: list[tuple[str, str]], programs: str) -> Tables:
    """The work on one cohort, in a worker."""
    from .arguments import load_plugins
    from .cohort import Cohort
    from .compiled import kept_programs
    from .worker import work

    with tempfile.TemporaryDirectory() as folder:
        for name, text in plugins:
            path = Path(folder) / Path(name).name
            path.write_text(text)
            load_plugins([str(path)])
    with kept_programs(programs):
        return work(Cohort.from_json(cohort))
