"""Cohorts as tasks of a Ray cluster, one started for these tests."""

import json
import sys
from collections import Counter

import pytest

from soberlook import models, results
from soberlook.benchmark import ray_executor
from soberlook.benchmark.cli import arguments_of
from soberlook.benchmark.plan import make_plan
from soberlook.benchmark.progress import Progress
from soberlook.benchmark.ray_executor import run_on_ray
from soberlook.benchmark.resources import Resources
from soberlook.benchmark.study import STUDIES
from soberlook.benchmark.terminal import err
from soberlook.registry import BadInput
from soberlook.results.store import Store

pytest.importorskip("ray")

AS_SHIPPED = True  # as workers, which are processes of their own, compile it

SMALL = ("run", "small", "--models", "beta_vae,mine", "--seeds", "1", "--updates", "20")
SMALL += ("--metrics", "mig,kl,reconstruction", "--set", "latents=4")

PLUGIN = """
from soberlook.models import VAE, hyperparameter, register

@register("mine")
class Mine(VAE):
    gamma: float = hyperparameter(1.0, sweep=(1, 2), low=0)

    def regularizer(self, t):
        if {broken}:
            raise RuntimeError("out of luck")
        kl = t.posterior.kl()
        return self.gamma * kl, {{"kl": kl}}
"""


@pytest.fixture
def plugin(tmp_path):
    def write(broken):
        file = tmp_path / "mine.py"
        file.write_text(PLUGIN.format(broken=broken))
        forget()
        return file

    def forget():
        cls = models.MODELS.pop("mine", None)
        if cls is not None:
            del sys.modules[cls.__module__]

    yield write
    forget()


# Ray and the event loop it starts leave sockets to the collector.
@pytest.mark.filterwarnings("default")
def test_rows_are_those_of_an_inline_run_and_failures_stay_alone(soberlook, tmp_path, plugin):
    def long(where):
        return results.rows(where).sort_values(["run_id", "metric"], ignore_index=True)

    file = plugin(broken=False)
    code, _, said = soberlook(*SMALL, "--plugin", file, "--out", tmp_path / "inline")
    assert code == 0, said
    code, _, said = soberlook(*SMALL, "--plugin", file, "--out", tmp_path / "ray", "--ray")
    assert code == 0, said
    assert "cohort 2 of 2: mine on mini_sprites, 2 runs · kept after" in said
    inline, ray = long(tmp_path / "inline"), long(tmp_path / "ray")
    assert len(ray) and ray.equals(inline)
    assert results.load(tmp_path / "ray").query("model == 'mine'").gamma.tolist() == [1, 2]

    file = plugin(broken=True)
    code, _, said = soberlook(*SMALL, "--plugin", file, "--out", tmp_path / "broken", "--ray")
    assert code == 1 and "2 of 6 runs failed or diverged" in said
    runs = results.load(tmp_path / "broken")
    assert runs.groupby(["model", "status"]).size().to_dict() == {
        ("beta_vae", "done"): 4,
        ("mine", "failed"): 2,
    }
    assert set(runs.query("model == 'mine'").reason) == {"RuntimeError: out of luck"}
    (traceback,) = (tmp_path / "broken" / "failures").iterdir()
    assert "in regularizer" in traceback.read_text()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no cluster answers at '127.0.0.1:1': "),
        ("ray://127.0.0.1:1", "no cluster answers at 'ray://127.0.0.1:1': "),
        ("nowhere", "--ray must be auto, local or HOST:PORT, found 'nowhere'"),
    ],
)
def test_an_unreachable_cluster_is_one_line_before_training(soberlook, tmp_path, address, message):
    code, shown, said = soberlook("run", "small", "--ray", address, "--out", tmp_path / "q")
    assert code == 2 and shown == "" and message in said and said.count("\n") == 1
    assert not (tmp_path / "q").exists()


def test_without_ray_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match="--ray needs Ray"), ray_executor.cluster("local"):
        pass


def test_a_cluster_that_does_not_start_is_one_line(soberlook, tmp_path, monkeypatch):
    import ray

    def slow(**_):
        raise Exception("The current node timed out during startup.\nAnd more.")

    monkeypatch.setattr(ray, "init", slow)
    code, _, said = soberlook("run", "small", "--ray", "--out", tmp_path / "q")
    assert code == 2 and "no cluster answers at 'local': The current node timed out" in said
    assert said.count("\n") == 1 and not (tmp_path / "q").exists()


def test_the_address_may_be_left_out():
    assert arguments_of(["soberlook", "run", "small", "--ray"])[-1] == "local"
    argv = ["soberlook", "run", "small", "--ray", "--seeds", "2"]
    assert arguments_of(argv)[2:] == ["--ray", "local", "--seeds", "2"]
    argv = ["soberlook", "run", "small", "--ray", "auto"]
    assert arguments_of(argv) == argv[1:]


@pytest.fixture(scope="module")
def fake():
    """A cluster of one machine that says it has GPUs and TPU chips."""
    import ray

    ray.init(
        num_cpus=4,
        num_gpus=2,
        resources={"TPU": 4},
        include_dashboard=False,
        object_store_memory=2**28,
        log_to_driver=False,
        configure_logging=False,
    )
    yield ray
    ray.shutdown()


def small_plan(tmp_path, betas):
    study = STUDIES["small"].narrowed(seeds=[0], updates=5, fields={"beta": list(betas)})
    store = Store(tmp_path / "s")
    return make_plan(study, store, width=1), store


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("takes", "resources", "variables"),
    [
        (Resources(cpu=2), {"CPU": 2}, {"JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "2"}),
        (
            Resources(cpu=1, gpu=0.5),
            {"CPU": 1, "GPU": 0.5},
            {"JAX_PLATFORMS": "cuda", "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.45"},
        ),
        (Resources(cpu=1, tpu=4), {"CPU": 1, "TPU": 4}, {"JAX_PLATFORMS": "tpu"}),
        (None, {"CPU": 1, "TPU": 4}, {"JAX_PLATFORMS": "tpu"}),
    ],
)
def test_cohorts_take_what_they_are_given_and_no_more_at_a_time(
    fake, tmp_path, takes, resources, variables
):
    plan, store = small_plan(tmp_path, range(1, 6))
    notes = tmp_path / "notes"
    notes.mkdir()

    def note(cohort, errand, arrays):
        import json
        import os
        import time

        import ray

        from soberlook.benchmark.keep import Kept

        began = time.time()
        time.sleep(0.2)
        seen = dict(ray.get_runtime_context().get_assigned_resources())
        name = str(time.time())
        about = {"resources": seen, "environment": dict(os.environ), "where": errand.where}
        about |= {"began": began, "ended": time.time(), "arrays": str(type(arrays))}
        (notes / name).write_text(json.dumps(about))
        return Kept(1, 0.0)

    with Progress(plan, err) as progress:
        run_on_ray(plan, store, progress, fake, takes=takes, work=note)
    assert progress.runs_done == 5
    found = [json.loads(path.read_text()) for path in notes.iterdir()]
    assert len(found) == 5 and {one["where"] for one in found} == {str(tmp_path / "s")}
    total = fake.cluster_resources()
    for one in found:
        assert {k: v for k, v in one["resources"].items() if k in total} == resources
        assert {k: one["environment"].get(k) for k in variables} == variables
        at_once = sum(o["began"] <= one["began"] < o["ended"] for o in found)
        assert all(at_once * amount <= total[kind] for kind, amount in resources.items())


@pytest.mark.filterwarnings("default")
def test_what_a_cluster_does_not_have_is_said_before_anything_is_written(fake, tmp_path):
    plan, store = small_plan(tmp_path, [1])
    with Progress(plan, err) as progress:
        for takes, message in (
            (Resources(gpu=4), "more than the cluster has"),
            (Resources(cpu=1, gpu=1), "no worker starts JAX on cuda|must run on cuda"),
        ):
            with pytest.raises(BadInput, match=message):
                run_on_ray(plan, store, progress, fake, takes=takes)
    assert not (tmp_path / "s").exists()


@pytest.mark.filterwarnings("default")
def test_a_worker_that_dies_is_replaced_and_one_that_always_does_becomes_failed_runs(
    fake, tmp_path
):
    plan, store = small_plan(tmp_path, [1, 2])
    first, second = (cohort.id for cohort in plan.cohorts)
    tries = tmp_path / "tries"
    tries.mkdir()

    def die(cohort, errand, arrays):
        import os
        import signal
        import uuid

        from soberlook.benchmark.cohort import Cohort
        from soberlook.benchmark.keep import Kept

        name = Cohort.from_json(cohort).id
        (tries / f"{name}-{uuid.uuid4().hex}").touch()
        times = len([path for path in tries.iterdir() if path.name.startswith(name)])
        if name == second or times < 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return Kept(1, 0.0)

    with Progress(plan, err) as progress:
        run_on_ray(plan, store, progress, fake, takes=Resources(), work=die)
    counts = Counter(path.name.partition("-")[0] for path in tries.iterdir())
    assert counts == {first: 2, second: 1 + ray_executor.RETRIES}
    (failed,) = store.read("runs").to_pylist()
    assert failed["status"] == "failed" and "Crashed" in failed["reason"]
    assert failed["run_id"] == plan.cohorts[1].runs[0].id


@pytest.mark.filterwarnings("default")
def test_a_store_that_workers_do_not_see_ends_it_with_one_line(fake, tmp_path, monkeypatch):
    plan, store = small_plan(tmp_path, [1])
    monkeypatch.setattr(store, "seen_from_elsewhere", lambda: str(tmp_path / "elsewhere"))
    with Progress(plan, err) as progress, pytest.raises(BadInput, match="does not see .*elsewhere"):
        run_on_ray(plan, store, progress, fake, takes=Resources())
    assert store.read("runs").num_rows == 0
