"""Running a plan on Ray: a cohort is a task.

What travels to a worker is a cohort as JSON, where the store is, and the text of the user's
plugins, which the worker imports; a dataset's arrays lie once on every node, in Ray's object store.
Workers put results straight into the store. What comes back is a few numbers.
"""

import contextlib
import socket
import tempfile
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from soberlook.registry import BadInput
from soberlook.results.store import Store, StoreError

from . import resources
from .keep import DEFAULT, Keeping, Kept, announce, keep_failure, train_and_keep
from .plan import Plan
from .progress import Progress
from .resources import Resources
from .terminal import say

LOCAL = "local"
SECONDS = 10  # to wait for an address to answer
RETRIES = 3  # of a cohort whose worker or node died
MEMORY = 2**28  # bytes of a local cluster's object store; what does not fit there goes to disk


class Errand(NamedTuple):
    """What all tasks of a study are told."""

    where: str  # the store, as a worker finds it
    keeping: Keeping = DEFAULT
    plugins: tuple[tuple[str, str], ...] = ()  # (name, text) of files to import
    programs: str = ""  # the folder of compiled programs, for workers that can reach it


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
        # Without an address Ray would join a cluster that it finds on this machine.
        options |= {"address": LOCAL, "include_dashboard": False, "object_store_memory": MEMORY}
    else:
        options |= {"address": address}
        _check_reachable(address)
    # Ray puts the driver's folder on its workers' path, where a checkout's folders would hide
    # packages of the same names: start it from an empty one.
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        try:
            ray.init(**options)
        except Exception as error:  # a node that is slow to start is a bare one
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
    plan: Plan,
    store: Store,
    progress: Progress,
    ray,
    *,
    plugins: list[str] = (),
    programs: str = "",
    keeping: Keeping = DEFAULT,
    takes: Resources | None = None,
    work=None,
):
    """Do everything a plan has left, as many cohorts at a time as the cluster has room for.

    `takes` is what each takes of the cluster (`resources.usual`). A cohort whose worker or node
    dies is tried again, and goes on from its checkpoint; one that kills more than three becomes
    failed runs, and the others go on. Workers keep their compiled programs in the folder
    `programs`, where they can reach it. `work` is what a task does, `work_remotely`.
    """
    takes = takes or resources.usual(ray.nodes())

    def room() -> int:
        """How many cohorts the cluster has room for: it may grow, and machines may go."""
        return takes.room(ray.cluster_resources())

    if not room():
        raise BadInput(f"--resources: a cohort takes {takes}, more than the cluster has")
    options = takes.options | {"runtime_env": {"env_vars": takes.environment()}}
    if work is None:
        check_workers(ray, options, takes)
    announce(plan, store)
    sources = tuple((Path(file).name, Path(file).read_text()) for file in plugins)
    errand = Errand(store.seen_from_elsewhere(), keeping, sources, programs)
    task = ray.remote(**options, max_retries=RETRIES)(work or work_remotely)
    waiting, running, placed = iter(plan.cohorts), {}, {}

    def submit() -> bool:
        """Hand out the next cohort, if there is one."""
        if (cohort := next(waiting, None)) is None:
            return False
        if cohort.dataset not in placed:  # cohorts come dataset by dataset
            placed.clear()
            placed[cohort.dataset] = ray.put(jax.tree.map(np.asarray, cohort.dataset.load()))
        running[task.remote(cohort.to_json(), errand, placed[cohort.dataset])] = cohort
        return True

    try:
        while True:
            while len(running) < 2 * max(1, room()) and submit():
                pass
            if not running:
                break
            (done, *_), _ = ray.wait(list(running), num_returns=1)
            cohort = running.pop(done)
            try:
                kept = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, (StoreError, BadInput)):
                    raise error.cause from None
                kept = _fail(cohort, store, error.cause or error)
            except ray.exceptions.RayError as error:
                kept = _fail(cohort, store, error)
            progress.end(cohort, kept.compile_seconds)
    finally:
        for left in running:
            ray.cancel(left, force=True)


def _fail(cohort, store, error) -> Kept:
    """Keep what is left of a cohort as failed runs."""
    if (left := cohort.without(store.finished())) is not None:
        keep_failure(left, store, error)
    return Kept(len(cohort.runs), 0.0)


def check_workers(ray, options: dict, takes: Resources):
    """Ask one worker what it has of what it was told, say it, and raise BadInput for another
    platform, before anything is trained."""
    try:
        found = ray.get(ray.remote(**options, max_retries=0)(resources.report).remote())
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        reason = (str(cause) or type(cause).__name__).strip().splitlines()[0]
        raise BadInput(f"--ray: no worker starts JAX on {takes.platform}: {reason}") from None
    if found["platform"] != takes.platform:
        raise BadInput(f"--ray: workers must run on {takes.platform}, found {found['platform']}")
    memory = f", {found['memory']} of its memory" if found["memory"] else ""
    say(f"workers: {found['devices']} × {found['device']}{memory}, {found['threads']} threads")


def work_remotely(cohort: str, errand: Errand, arrays) -> Kept:
    """The work on one cohort, in a worker."""
    from .arguments import load_plugins
    from .cohort import Cohort
    from .compiled import kept_programs

    store = Store(errand.where)
    if store.about() is None:
        raise BadInput(
            f"{socket.gethostname()} does not see {errand.where}: --out must be a folder that all "
            "machines share, or an object store"
        )
    with tempfile.TemporaryDirectory() as folder:
        for name, text in errand.plugins:
            path = Path(folder) / Path(name).name
            path.write_text(text)
            load_plugins([str(path)])
    with kept_programs(errand.programs):
        return train_and_keep(Cohort.from_json(cohort), store, errand.keeping, arrays=arrays)
