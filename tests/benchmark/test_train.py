"""A cohort is one program, and a run's numbers are its own."""

import dataclasses
import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from soberlook.benchmark import train, worker
from soberlook.benchmark.arguments import find_study
from soberlook.benchmark.cohort import Cohort
from soberlook.benchmark.mapping import choose, map_members, padded_width
from soberlook.benchmark.study import Budget
from soberlook.models import State
from soberlook.results.store import Tables

AS_SHIPPED = True

COMPILED = "/jax/core/compile/backend_compile_duration"


@pytest.fixture(scope="module")
def compilations():
    """A list that grows by one with every program XLA compiles."""
    found = []

    def hear(event, duration, **_):
        if event == COMPILED:
            found.append(duration)

    jax.monitoring.register_event_duration_secs_listener(hear)
    return found


def make_cohort(betas=(1, 4), seeds=(0, 1), updates=40, **budget):
    study = find_study("small").narrowed(seeds=seeds, fields={"beta": list(betas)})
    study = dataclasses.replace(study, budget=Budget(updates=updates, **budget))
    return Cohort("small", tuple(study.expand()), study.metrics)


def work(cohort, *heard):
    """The tables of a cohort, however many programs it was."""
    whole = Tables()
    for _, tables in worker.work(cohort, *heard):
        for name in ("runs", "rows", "pictures"):
            getattr(whole, name).extend(getattr(tables, name))
    return whole


def all_rows(cohort):
    tables = work(cohort)
    return {(row["run_id"], row["step"], row["metric"]): row["value"] for row in tables.rows}


def test_compilations_do_not_depend_on_strengths_seeds_updates_or_chunks(compilations, monkeypatch):
    def count(cohort):
        before = len(compilations)
        work(cohort)
        return len(compilations) - before

    jax.clear_caches()
    worker._loaded.clear()
    first = count(make_cohort())
    # draw, initialize, advance, look, encode, decode, and the joint histograms of MIG
    assert 1 <= first <= 7
    assert count(make_cohort((2, 3, 5, 8), (7,), updates=93)) == 0  # same structure and width
    monkeypatch.setattr(train, "CHUNK_SECONDS", 1e-9)
    assert count(make_cohort(updates=55, evaluate_at=(0.2, 1.0))) == 0
    wider = make_cohort((1, 2, 4), (0, 1), updates=10)
    assert count(wider) == first - 1  # the dataset is drawn already


def test_rows_are_bit_equal_for_any_width_and_any_chunks(monkeypatch):
    betas, seeds = (0.25, 1, 4), (0, 1, 2)
    together = all_rows(make_cohort(betas, seeds))
    assert len({run for run, *_ in together}) == 9
    for some_betas, some_seeds in [((4,), (2,)), ((0.25, 4), (1,)), ((1,), seeds), (betas, (0, 2))]:
        apart = all_rows(make_cohort(some_betas, some_seeds))
        assert apart == {key: together[key] for key in apart}
    monkeypatch.setattr(train, "CHUNK_SECONDS", 1e-9)
    assert all_rows(make_cohort(betas, seeds)) == together


@pytest.mark.parametrize("mapping", ["vmap", "map"])
def test_rows_are_bit_equal_over_devices(mapping, monkeypatch):
    script = """
import json, sys
import jax
from soberlook.benchmark import train, worker
from soberlook.benchmark.cohort import Cohort
train.choose = lambda states: sys.argv[1]
((_, tables),) = worker.work(Cohort.from_json(sys.stdin.read()))
values = [[row["run_id"], row["step"], row["metric"], row["value"]] for row in tables.rows]
print(json.dumps([jax.local_device_count(), tables.runs[0]["width"], values]))
"""
    cohort = dataclasses.replace(make_cohort((1, 4), (0, 1, 2), updates=10), metrics=("kl",))
    result = subprocess.run(
        [sys.executable, "-c", script, mapping],
        input=cohort.to_json(),
        capture_output=True,
        text=True,
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"},
    )
    assert result.returncode == 0, result.stderr
    devices, width, values = json.loads(result.stdout)
    assert (devices, width) == (4, 8)
    monkeypatch.setattr(train, "choose", lambda states: mapping)
    assert {(run, step, name): value for run, step, name, value in values} == all_rows(cohort)


def test_a_cohort_that_memory_cannot_hold_is_trained_in_halves(monkeypatch):
    cohort = make_cohort((1, 4, 8), (0, 1), updates=10)
    whole = all_rows(cohort)
    real = train.memory.needed
    monkeypatch.setattr(train.memory, "allowed", lambda: 2**40)
    needs = []
    monkeypatch.setattr(train.memory, "needed", lambda p: needs.append(real(p)) or real(p))
    work(cohort)
    work(dataclasses.replace(cohort, runs=cohort.runs[:3]))
    six, three = needs
    assert three < six
    monkeypatch.setattr(train.memory, "allowed", lambda: three)
    heard = []
    tables = work(cohort, lambda updates, scored: heard.append((updates, scored)))
    assert [row["width"] for row in tables.runs] == [3] * 6
    assert [row["run_id"] for row in tables.runs] == [run.id for run in cohort.runs]
    found = {(row["run_id"], row["step"], row["metric"]): row["value"] for row in tables.rows}
    assert found == whole
    assert max(heard) == (60, 3) and sorted(heard) == heard
    monkeypatch.setattr(train.memory, "allowed", lambda: 1)
    with pytest.raises(MemoryError, match="bytes needed for 2 runs, 1 allowed"):
        work(cohort)


def test_a_cohort_is_halved_when_the_device_runs_out(monkeypatch):
    cohort = make_cohort((1, 4), (0, 1), updates=10)
    whole, real = all_rows(cohort), train.initialize

    def initialize(models, seeds, data, **program):
        if isinstance(seeds, np.ndarray) and len(seeds) > 2:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 byte")
        return real(models, seeds, data, **program)

    monkeypatch.setattr(train, "initialize", initialize)
    assert all_rows(cohort) == whole


def test_looking_more_often_changes_nothing():
    once = all_rows(make_cohort((4,), (0, 1), updates=30))
    often = all_rows(make_cohort((4,), (0, 1), updates=30, evaluate_at=(0.1, 0.5, 1.0)))
    assert {step for _, step, _ in often} == {3, 15, 30}
    last = sorted((metric, value) for (_, step, metric), value in often.items() if step == 30)
    assert last == sorted((metric, value) for (*_, metric), value in once.items())


def test_seeds_differ_and_equal_seeds_share_their_images():
    cohort = make_cohort((1, 4), (0, 1))
    values = all_rows(cohort)
    by_seed = {r.seed: values[r.id, 40, "reconstruction"] for r in cohort.runs if r.model.beta == 1}
    assert by_seed[0] != by_seed[1]
    data = cohort.dataset.load()
    batches = [train.step_inputs(r.model, r.seed, 3, r.dataset, data, 64)[0] for r in cohort.runs]
    beta1_seed0, beta1_seed1, beta4_seed0, _ = (np.asarray(b["images"]) for b in batches)
    assert (beta1_seed0 == beta4_seed0).all() and (beta1_seed0 != beta1_seed1).any()


def test_a_diverged_member_stops_nobody():
    healthy = make_cohort((4,), (0, 1))
    broken = dataclasses.replace(
        healthy.runs[0], model=dataclasses.replace(healthy.runs[0].model, learning_rate=1e30)
    )
    cohort = dataclasses.replace(healthy, runs=(broken, *healthy.runs))
    tables = work(cohort)
    outcomes = {row["run_id"]: (row["status"], row["reason"]) for row in tables.runs}
    assert outcomes[broken.id] == ("diverged", "parameters were not finite after update 40")
    assert all(outcomes[run.id] == ("done", "") for run in healthy.runs)
    alone = all_rows(healthy)
    found = {(row["run_id"], row["step"], row["metric"]): row["value"] for row in tables.rows}
    assert found == alone and all(np.isfinite(value) for value in found.values())
    assert broken.id not in {row["run_id"] for row in tables.pictures}


def test_mapping_is_chosen_by_what_there_is_to_map():
    dense = State(None, {"w": np.zeros((5, 3, 4))}, None)
    convolution = State(None, {"w": np.zeros((5, 2, 2, 3, 4))}, None)
    assert choose(dense) == "vmap" and choose(convolution) == "map"
    assert padded_width("map", 1) == 1 and padded_width("map", 7) == 7
    widths = [padded_width("vmap", members) for members in (1, 2, 3, 4, 5, 7, 8, 9, 13, 60)]
    assert widths == [2, 2, 3, 4, 6, 8, 8, 9, 14, 60]


@pytest.mark.parametrize("mapping", ["vmap", "map"])
@pytest.mark.parametrize("width", [2, 3, 8, 9])
def test_members_keep_their_places(mapping, width):
    members = map_members(lambda model, seed, more: (model["a"] + seed + more, seed), mapping)
    sums, seeds = members(({"a": np.arange(float(width))}, np.arange(width)), (1,))
    assert sums.tolist() == [2 * i + 1 for i in range(width)]
    assert seeds.tolist() == list(range(width))
