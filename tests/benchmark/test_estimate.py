"""What a dry run says of time, disk and power, and from what."""

import shutil

import numpy as np
import pytest

from soberlook import results
from soberlook.benchmark import estimate as module
from soberlook.benchmark.estimate import duration, estimate, said
from soberlook.benchmark.plan import make_plan
from soberlook.benchmark.study import STUDIES
from soberlook.results.power import smallest_difference
from soberlook.results.store import Store


@pytest.fixture
def place(small_store, tmp_path):
    """A store of 8 runs, in a folder of its own."""
    shutil.copytree(small_store, tmp_path / "runs" / "small")
    return tmp_path / "runs" / "small"


def planned(where, **changes):
    study = STUDIES["small"].narrowed(updates=40, **changes)
    store = Store(where)
    plan = make_plan(study, store)
    return plan, estimate(plan, store)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_time_is_that_of_runs_like_these(place):
    runs = results.load(place)
    before = contents(place)
    plan, found = planned(place, seeds=range(5))
    assert plan.left == 12 and contents(place) == before
    (cohort,) = found.cohorts
    assert cohort.runs == 8 and not cohort.other_metrics
    whole = (runs["train_seconds"] + runs["evaluate_seconds"]).median()
    warm = whole - runs["compile_seconds"].median()
    assert (cohort.training + cohort.scoring) / 12 == pytest.approx(warm, rel=0.1)
    assert cohort.compiling == pytest.approx(8 * runs["compile_seconds"].median())
    _, longer = planned(place, seeds=range(5), metrics=["mig"], draws=3)
    assert longer.cohorts[0].training == pytest.approx(cohort.training)
    assert longer.cohorts[0].scoring == pytest.approx(3 * cohort.scoring)
    assert longer.cohorts[0].other_metrics


def test_stores_beside_it_count_and_others_do_not(place, monkeypatch):
    _, found = planned(place.parent / "new", seeds=range(5))
    assert found.cohorts[0].runs == 8 and found.disk.runs == 8
    _, found = planned(place.parent / "new", datasets=["xysquares"], seeds=range(5))
    assert found.cohorts == [None] and found.disk.runs == 0  # of another shape
    _, found = planned(place.parent / "new", models=["dip_vae_i"], seeds=range(5))
    assert set(found.cohorts) == {None} and found.disk.runs == 8
    _, found = planned(place.parent.parent / "elsewhere" / "new", seeds=range(5))
    assert found.cohorts == [None] and found.disk.runs == 0
    monkeypatch.setattr(module, "provenance", lambda: {"device": "gpu: another"})
    _, found = planned(place.parent / "new", seeds=range(5))
    assert found.cohorts == [None]


def test_disk_is_what_files_take(place):
    size = sum(
        path.stat().st_size
        for name in ("runs", "rows", "pictures")
        for path in (place / name).iterdir()
    )
    _, found = planned(place, seeds=range(5))
    assert found.disk == (size / 8, 8)
    plan, found = planned(place.parent.parent / "elsewhere" / "new", seeds=range(5))
    assert 1_000 < found.disk.bytes < 50_000 and "a guess from small images" in "\n".join(
        said(found, 12)
    )


def test_power_is_that_of_the_seeds(place):
    _, found = planned(place, seeds=range(10))
    assert found.seeds == 10 and found.sees == pytest.approx(smallest_difference(10))
    runs = results.load(place)
    spread = np.sqrt(runs.groupby("setting")["mig"].var().mean())
    assert found.mig == {"mini_sprites": (pytest.approx(found.sees * spread), 8)}
    assert "10 seeds a setting see a difference of 1.3 standard" in "\n".join(said(found, 32))


def test_the_command_line_says_all_of_it(soberlook, place):
    run = ("run", "small", "--updates", "40", "--dry-run", "--out")
    before = contents(place.parent)
    code, shown, _ = soberlook(*run, place.parent / "new", "--seeds", "10")
    assert code == 0 and contents(place.parent) == before
    assert "40 of 40 runs to train" in shown and "time, an estimate from 8 runs like thes" in shown
    assert "a run, as the 8 runs here take" in shown and "of MIG here " in shown
    code, shown, _ = soberlook(*run, place.parent.parent / "no" / "new", "--seeds", "1")
    assert code == 0 and "unknown: no run here to go by" in shown
    assert "power: one seed a setting says nothing about luck" in shown
    code, shown, _ = soberlook(*run, place, "--seeds", "2")
    assert code == 0 and "0 of 8 runs to train" in shown and "time" not in shown


def test_stores_that_are_damaged_are_passed_over(place):
    for name in ("cohorts", "runs"):
        (place / name / "zz.json").write_text("[1]")
        (place / name / "zz.parquet").write_text("PAR1")
    with pytest.warns(UserWarning, match="was passed over"):
        _, found = planned(place, seeds=range(5))
    assert found.cohorts[0].runs == 8


def test_durations_read_well():
    assert [duration(s) for s in (0, 5, 90, 7_200, 360_000)] == [
        "0 s",
        "5 s",
        "1.5 min",
        "2 h",
        "100 h",
    ]
