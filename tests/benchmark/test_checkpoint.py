"""Checkpoints: what was interrupted goes on to the same rows, and nothing else is believed."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from soberlook.benchmark import checkpoint, keep, train, worker
from soberlook.benchmark.arguments import find_study
from soberlook.benchmark.cohort import Cohort
from soberlook.benchmark.keep import Keeping, train_and_keep
from soberlook.benchmark.study import Budget
from soberlook.results import arrays
from soberlook.results.store import Store

ALWAYS = Keeping(checkpoints=0)


def make_cohort(model="beta_vae", updates=60, evaluate_at=(0.5, 1.0), **fields):
    fields = {"beta": [1, 4]} if model == "beta_vae" else fields
    study = find_study("small").narrowed(models=[model], seeds=(0, 1), fields=fields)
    budget = Budget(updates=updates, batch_size=32, evaluate_at=evaluate_at)
    study = dataclasses.replace(study, budget=budget)
    return Cohort("small", tuple(study.expand()), ("kl", "mig"))


def opened(tmp_path, name="store"):
    store = Store(tmp_path / name)
    store.create("small", "")
    return store


def values(store):
    rows = store.read("rows").to_pylist()
    return {(r["run_id"], r["step"], r["draw"], r["metric"]): r["value"] for r in rows}


class Killed(BaseException):
    """Nobody catches it, as nobody does a killed process."""


def killed_after(chunks, monkeypatch, cohort, store, keeping=ALWAYS):
    """Train until so many chunks were heard of, and no further."""
    monkeypatch.setattr(train, "CHUNK_SECONDS", 1e-9)
    heard = []

    def hear(*progress):
        heard.append(progress)
        if len(heard) > chunks:
            raise Killed

    with pytest.raises(Killed):
        train_and_keep(cohort, store, keeping, hear)
    monkeypatch.undo()
    assert store.read("runs").num_rows == 0


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    store = opened(tmp_path_factory.mktemp("whole"))
    train_and_keep(make_cohort(), store)
    return values(store)


@pytest.mark.parametrize("chunks", [1, 2, 20, 30, 54])
def test_what_was_killed_goes_on_to_the_same_rows(tmp_path, monkeypatch, undisturbed, chunks):
    cohort, store = make_cohort(), opened(tmp_path)
    killed_after(chunks, monkeypatch, cohort, store)
    about = arrays.about(store.get(f"checkpoints/{cohort.id}"))
    assert 0 < about["step"] <= 60
    started = []
    real = train.advance

    def advance(models, seeds, states, data, start, *rest, **program):
        started.append(start)
        return real(models, seeds, states, data, start, *rest, **program)

    advance.lower = real.lower
    monkeypatch.setattr(train, "advance", advance)
    train_and_keep(cohort, store)
    assert min(started, default=60) == about["step"]  # nothing twice
    assert values(store) == undisturbed
    assert store.names("checkpoints") == store.names("running") == []


# One with two networks, one with a population, one with a codebook, one with a controller.
@pytest.mark.parametrize("model", ["factor_vae", "e_vae", "vq_vae", "control_vae"])
def test_all_that_a_model_carries_is_in_it(tmp_path, monkeypatch, model):
    strength = {"factor_vae": {"gamma": 10.0, "discriminator_widths": (16,)}, "e_vae": {}}
    fields = {"network": "linear", "latents": 4} | strength.get(model, {})
    cohort = make_cohort(model, updates=12, evaluate_at=(1.0,), **fields)
    cohort = dataclasses.replace(cohort, runs=cohort.runs[:2], metrics=("reconstruction",))
    whole, store = opened(tmp_path, "whole"), opened(tmp_path)
    train_and_keep(cohort, whole)
    killed_after(2, monkeypatch, cohort, store)
    train_and_keep(cohort, store)
    assert values(store) == values(whole) and len(values(whole)) > 2


def damaged(content, how):
    leaves, about = arrays.from_bytes(content)
    if how == "cut":
        return content[: len(content) // 2]
    if how == "not ours":
        return b"PK\x03\x04 and so on"
    if how == "another leaf":
        leaves[".params['nobody']"] = np.zeros(3)
    if how == "another shape":
        name = next(name for name in leaves if name.startswith(".params"))
        leaves[name] = leaves[name][..., :1]
    if how == "another version of JAX":
        about["jax"] = "0.0.1"
    if how == "another device":
        about["device"] = "tpu: TPU v5"
    if how == "another mapping":
        about["mapping"] = "map"
    if how == "other runs":
        about["runs"] = about["runs"][::-1]
    if how == "rows that are none":
        leaves["rows"] = np.frombuffer(b"[1, 2", np.uint8)
    if how == "seconds that are none":
        about["seconds"] = []
    return arrays.to_bytes(leaves, about)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("cut", "not whole"),
        ("not ours", "checkpoint of .* not used"),
        ("another leaf", "its arrays are others: .params\\['nobody'\\]"),
        ("another shape", "must be float32"),
        ("another version of JAX", "its jax is '0.0.1', expected"),
        ("another device", "its device is 'tpu: TPU v5', expected"),
        ("another mapping", "its mapping is 'map', expected 'vmap'"),
        ("other runs", "its runs is"),
        ("rows that are none", "not used"),
        ("seconds that are none", "not used"),
    ],
)
def test_what_cannot_be_believed_is_trained_again(tmp_path, monkeypatch, undisturbed, how, why):
    cohort, store = make_cohort(), opened(tmp_path)
    killed_after(30, monkeypatch, cohort, store)
    name = f"checkpoints/{cohort.id}"
    store.put(name, damaged(store.get(name), how))
    with pytest.warns(UserWarning, match=why):
        train_and_keep(cohort, store)
    assert values(store) == undisturbed


def test_a_half_that_is_finished_is_kept(tmp_path, monkeypatch):
    cohort, store = make_cohort(updates=10, evaluate_at=(1.0,)), opened(tmp_path)
    needed = train.memory.needed
    monkeypatch.setattr(train.memory, "allowed", lambda: 1 if packs == [] else 2**40)
    packs, real = [], worker.work_together

    def work_together(pack, *rest):
        if len(pack.runs) < 4:
            packs.append(pack)
        if len(packs) == 2:
            raise Killed
        return real(pack, *rest)

    monkeypatch.setattr(worker, "work_together", work_together)
    with pytest.raises(Killed):
        train_and_keep(cohort, store)
    assert needed and store.finished() == {run.id for run in cohort.runs[:2]}


def test_it_is_written_when_it_is_time_and_costs_little(tmp_path, monkeypatch):
    now, wrote = [0.0], []
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])

    class Slow:
        def put(self, name, content):
            wrote.append(now[0])
            now[0] += 30

    cohort = make_cohort()
    state = jax.tree.map(np.zeros, {"w": 3})
    training = train.Training(1, None, None, state, "vmap")
    each = checkpoint.Checkpoints(Slow(), 100)
    for _ in range(500):
        each.write(cohort, training, worker.Tables(), {})
        now[0] += 10
    assert wrote[0] == 100  # then a fortieth of the time: 30 of each 1,200 seconds
    assert np.diff(wrote).min() >= 1200 and np.diff(wrote).max() <= 1250


def test_a_store_that_takes_no_checkpoint_costs_no_run(tmp_path, monkeypatch, undisturbed):
    cohort, store = make_cohort(), opened(tmp_path)
    put = store.put

    def full(name, content):
        if name.startswith("checkpoints"):
            raise keep.StoreError("no space left on device")
        put(name, content)

    monkeypatch.setattr(store, "put", full)
    with pytest.warns(UserWarning, match="no checkpoint: no space left on device"):
        train_and_keep(cohort, store, ALWAYS)
    assert values(store) == undisturbed


def test_what_others_have_finished_since_is_removed(tmp_path, monkeypatch):
    cohort, store = make_cohort(updates=10), opened(tmp_path)
    killed_after(3, monkeypatch, cohort, store)
    left = store.get(f"checkpoints/{cohort.id}")
    keep.tidy(store)
    assert store.names("checkpoints") == [cohort.id]  # somebody has yet to go on from there
    train_and_keep(cohort, store)
    store.put(f"checkpoints/{cohort.id}", left)  # of a second driver, killed in the meantime
    store.put("checkpoints/notes", b"not ours")
    keep.tidy(store)
    assert store.names("checkpoints") == ["notes"]


def test_headers_are_read_without_the_rest(tmp_path):
    content = arrays.to_bytes({"a": np.arange(6).reshape(2, 3).T, "b": np.float32(3)}, {"x": 1})
    assert arrays.about(content[:300]) == {"x": 1}
    leaves, about = arrays.from_bytes(content)
    assert leaves["a"].tolist() == [[0, 3], [1, 4], [2, 5]] and leaves["b"].shape == ()
    for wrong in (b"", b"\xff" * 40, content[:40], json.dumps({"a": 1}).encode()):
        with pytest.raises(ValueError):
            arrays.from_bytes(wrong)
