"""The bench measures what it says, and its peer trains the same thing."""

import json

import jax
import numpy as np
import pytest

from soberlook.benchmark.bench import Contestant, measure
from soberlook.benchmark.flops import forward_flops
from soberlook.benchmark.studies import throughput

AS_SHIPPED = True


def test_operations_are_counted_by_hand():
    assert forward_flops("linear", 10, (16, 16, 1)) == 2 * 256 * (20 + 10)
    dense = 256 * 128 + 128 * 128 + 128 * 20 + 10 * 128 + 128 * 128 + 128 * 256
    assert forward_flops("mlp", 10, (16, 16, 1)) == 2 * dense
    encoder = 1024 * 16 * 32 + 256 * 512 * 32 + 64 * 128 * 64 + 16 * 256 * 64
    decoder = 16 * 64 * 16 * 64 + 64 * 64 * 16 * 32 + 256 * 32 * 16 * 32 + 1024 * 32 * 16
    dense = 1024 * 256 + 256 * 20 + 10 * 256 + 256 * 1024
    assert forward_flops("conv", 10, (64, 64, 1)) == 2 * (encoder + decoder + dense)


def test_ratios_are_of_medians_over_the_best_peer(monkeypatch):
    (case,) = throughput.cases(("mlp",), ("beta_vae",), (2,))
    clock = iter(np.arange(1e6))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr("soberlook.benchmark.bench.ours", lambda case: Contestant("ours", run))
    monkeypatch.setattr("soberlook.benchmark.bench.matrix_products", lambda: 1e9)
    done = []

    def run(updates):
        done.append(updates)

    slow = Contestant("slow", lambda updates: next(clock))  # two ticks a turn where others have one
    fast = Contestant("fast", run)
    found = measure(case, lambda case: [slow, fast], rounds=3, seconds=4, say=lambda text: None)
    # An update takes half a tick, so a turn of four seconds has eight, of 2 × 64 images.
    assert done.count(8) == 6
    assert found["images_per_second"] == {"ours": 1024, "slow": 256, "fast": 1024}
    assert found["best_peer"] == "fast" and found["ratio"] == 1
    assert found["share_of_floor"] == pytest.approx(1024 * 3 * 2 * 102_144 / 1e9)


def test_bench_writes_a_table_and_json(soberlook, tmp_path, monkeypatch):
    monkeypatch.setattr("soberlook.benchmark.bench_table.plain_torch", lambda case: [])
    file = tmp_path / "speed.json"
    small = ("--networks", "mlp", "--models", "beta_vae", "--widths", "2")
    code, shown, said = soberlook("bench", *small, "--rounds", 1, "--seconds", 1, "--json", file)
    assert code == 0 and "PyTorch is not installed: nothing to compare with" in said
    assert shown.split("\n")[1].split()[:3] == ["mlp", "beta_vae", "2"]
    value = json.loads(file.read_text())
    (case,) = value["cases"]
    assert case["images_per_second"]["soberlook"] > 0 and 0 < case["share_of_floor"] < 1
    assert case["mapping"] == "vmap" and case["megabytes"] > 1
    assert not [key for key in value if key.startswith("ratio")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--networks", "cnv"), "unknown network to measure 'cnv': did you mean 'conv'?"),
        (("--models", "vae"), "unknown model to measure 'vae'"),
        (("--widths", "0"), "--widths must be a whole number ≥ 1, found '0'"),
        (("--set", "beta=-1"), "beta must be a finite number ≥ 0"),
        (("--json", "no/such/file"), "--json must be a file in a folder that is there"),
    ],
)
def test_bad_input_is_said_before_anything_is_measured(soberlook, arguments, message):
    code, shown, said = soberlook("bench", *arguments)
    assert code == 2 and message in said and shown == "" and said.count("\n") == 1


@pytest.mark.parametrize("network", ["conv", "mlp"])
@pytest.mark.parametrize("model", list(throughput.MODELS))
def test_the_peer_trains_the_same_networks(network, model):
    torch = pytest.importorskip("torch")
    from soberlook.benchmark.studies.plain_torch import TRAINERS, contestants

    (case,) = throughput.cases((network,), (model,), (2,))
    side = {"conv": 64, "mlp": 16}[network]
    batch = {view: np.zeros((1, side, side, 1)) for view in ("images", "second_images")}
    params = jax.eval_shape(case.instance().init, jax.random.key(0), batch).params
    ours = sum(leaf.size for leaf in jax.tree.leaves(params))
    peer = TRAINERS[model](case, (1, side, side), torch.contiguous_format)
    theirs = [*peer.encoder.parameters(), *peer.decoder.parameters()]
    assert sum(p.numel() for p in theirs) == ours
    images = np.random.default_rng(0).random((100, side, side, 1), np.float32)
    ((_, run),) = contestants(case, images, ways=("eager",))
    run(2)
