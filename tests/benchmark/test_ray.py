"""Cohorts as tasks of a Ray cluster, one started for these tests."""

import sys

import pytest

from soberlook import models, results
from soberlook.benchmark import ray_executor
from soberlook.benchmark.cli import arguments_of
from soberlook.registry import BadInput

pytest.importorskip("ray")

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


def test_the_address_may_be_left_out():
    assert arguments_of(["soberlook", "run", "small", "--ray"])[-1] == "local"
    argv = ["soberlook", "run", "small", "--ray", "--seeds", "2"]
    assert arguments_of(argv)[2:] == ["--ray", "local", "--seeds", "2"]
    argv = ["soberlook", "run", "small", "--ray", "auto"]
    assert arguments_of(argv) == argv[1:]
