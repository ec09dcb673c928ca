"""`soberlook status`, and the signs of life that it looks at."""

import io
import json
import os
import threading
import time

import pytest
from rich.console import Console

from soberlook.benchmark import cli_status, sign_of_life
from soberlook.benchmark.cli import arguments_of
from soberlook.benchmark.plan import make_plan
from soberlook.benchmark.sign_of_life import SignOfLife, remove_signs
from soberlook.benchmark.study import STUDIES
from soberlook.benchmark.worker import failed
from soberlook.results.standing import Sign, signs_of_life, standing_of
from soberlook.results.store import Store

CELL = "mini_sprites beta_vae"


@pytest.fixture
def planned(tmp_path):
    """(store, cohort) of a study of 8 runs that nobody has begun."""
    store = Store(tmp_path / "small")
    plan = make_plan(STUDIES.find("small").narrowed(seeds=[0, 1], updates=40), store)
    (cohort,) = plan.cohorts
    store.create("small", "")
    store.plan(cohort.id, cohort.to_json())
    return store, cohort


def until(condition, seconds=10):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.005)


def the_line(shown):
    (line,) = [line for line in shown.splitlines() if line.split()[:2] == CELL.split()]
    return [int(n) for n in line.split()[2:]]


def test_a_sign_is_there_while_it_trains_and_gone_after(planned, monkeypatch):
    store, cohort = planned
    monkeypatch.setattr(sign_of_life, "EVERY", 0.01)
    with pytest.raises(KeyError, match="lost"), SignOfLife(store, cohort) as sign:
        until(lambda: signs_of_life(store))
        assert standing_of(store.where, time.time()).cells["running"].sum() == 8
        sign.update(8 * 10)
        sign.update(8 * 20, scored=3)
        until(lambda: signs_of_life(store)[cohort.id].scored == 3)
        (found,) = signs_of_life(store).values()
        assert found[4:] == (80, 160, 320, 3) and str(os.getpid()) in found.who
        assert found.runs == tuple(run.id for run in cohort.runs)
        until(lambda: signs_of_life(store)[cohort.id].beat > found.beat)
        sign.update(8 * 5)  # it ran out of memory, and began again in halves
        assert sign.sign.first == sign.sign.updates == 40
        raise KeyError("lost")
    assert signs_of_life(store) == {}
    assert standing_of(store.where, time.time()).cells["pending"].sum() == 8


def test_it_beats_no_more_often_than_it_says(planned, monkeypatch):
    store, cohort = planned
    puts = []
    monkeypatch.setattr(store, "put", lambda *written: puts.append(written))
    with SignOfLife(store, cohort) as sign:
        for updates in range(10_000):
            sign.update(min(updates, 320))
    assert len(puts) == 1 and sign.thread.is_alive() is False


def test_a_store_that_is_away_costs_nothing(planned, monkeypatch):
    store, cohort = planned
    asked = []

    def away(*_):
        asked.append(1)
        raise ConnectionError("away")

    monkeypatch.setattr(sign_of_life, "EVERY", 0.01)
    put = store.put
    monkeypatch.setattr(store, "put", away)
    monkeypatch.setattr(store, "remove", away)
    with SignOfLife(store, cohort) as sign:
        until(lambda: len(asked) > 3)
        monkeypatch.setattr(store, "put", put)
        until(lambda: signs_of_life(store))
    sign.thread.join(10)
    assert not sign.thread.is_alive()


def test_a_store_that_never_answers_holds_nobody_up(planned, monkeypatch):
    store, cohort = planned
    answer = threading.Event()
    monkeypatch.setattr(sign_of_life, "PATIENCE", 0.01)
    monkeypatch.setattr(store, "put", lambda *_: answer.wait(20))
    started = time.monotonic()
    with SignOfLife(store, cohort) as sign:
        sign.update(1)
    assert time.monotonic() - started < 10
    answer.set()
    sign.thread.join(10)
    assert not sign.thread.is_alive()


def test_signs_are_removed_where_their_runs_are_there_whatever_the_clock_says(planned):
    store, cohort = planned
    ids = tuple(run.id for run in cohort.runs)
    dead = Sign("host, process 1", 0.0, 100.0, ids, 0, 5, 320, 0)
    for name, sign in {"dead": dead, "part": dead._replace(runs=(*ids, "other"))}.items():
        store.put(f"running/{name}.json", json.dumps(sign._asdict()).encode())
    of_tomorrow = dead._replace(beat=time.time() + 86_400)
    store.put("running/of_tomorrow.json", json.dumps(of_tomorrow._asdict()).encode())
    remove_signs(store, set(ids))
    assert set(signs_of_life(store)) == {"part"}


def test_status_says_how_it_stands(soberlook, planned):
    store, cohort = planned
    code, shown, said = soberlook("status", store.where)
    assert code == 0 and said == "" and the_line(shown) == [0, 0, 0, 0, 8]
    assert "8 runs: 0 done, 0 running, 0 failed, 0 diverged, 8 pending\nnobody at work\n" in shown
    with SignOfLife(store, cohort):
        until(lambda: signs_of_life(store))
        _, shown, _ = soberlook("status", store.where)
        assert the_line(shown) == [0, 8, 0, 0, 0] and "\n1 cohort at work" in shown
    tables = failed(cohort, "out of luck")
    for row in tables.runs[:6]:
        row |= {"status": "done", "reason": "", "train_seconds": 2.0, "begun": 0.0}
    del tables.runs[7]
    store.write(cohort.id, tables)
    _, shown, _ = soberlook("status", store.where)
    assert the_line(shown) == [6, 0, 1, 0, 1] and "\n1 × out of luck\n" in shown
    # 6 runs of 40 × 64 images took 12 s, and one is left.
    speed = "nobody at work, 1,280 images/s, 1,800 runs/h, about 2 s left once somebody is\n"
    assert speed in shown


def test_status_shows_names_without_what_moves_the_cursor(soberlook, planned):
    store, cohort = planned
    tables = failed(cohort, "\x1b[2Jgone")
    for row in tables.runs:
        row["model"] = "\x1b[31mred"
    store.write(cohort.id, tables)
    _, shown, _ = soberlook("status", store.where)
    assert "\x1b" not in shown and "\ufffd[31mred" in shown and "8 × \ufffd[2Jgone" in shown


@pytest.mark.parametrize("terminal", [True, False])
def test_it_watches_until_nothing_is_missing(soberlook, planned, monkeypatch, terminal):
    store, cohort = planned
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 2:
            store.write(cohort.id, failed(cohort, "out of luck"))

    screen = Console(file=io.StringIO(), force_terminal=terminal, width=100, highlight=False)
    monkeypatch.setattr(cli_status, "out", screen)
    monkeypatch.setattr(cli_status, "pause", sleep)
    code, _, said = soberlook("status", store.where, "--watch", "7")
    shown = screen.file.getvalue()
    assert code == 0 and said == "" and slept == [7, 7]
    assert shown.count("8 pending") == 2 and shown.count("8 × out of luck") == 1 + terminal
    assert ("\x1b[2K" in shown) == terminal  # lines are drawn over


def test_a_store_that_is_away_for_a_moment_is_looked_at_again(soberlook, planned, monkeypatch):
    store, cohort = planned
    looks = []

    def sometimes(*asked):
        looks.append(asked)
        if len(looks) == 2:
            raise ConnectionError("away")
        if len(looks) == 3:
            store.write(cohort.id, failed(cohort, "out of luck"))
        return standing_of(*asked)

    monkeypatch.setattr("soberlook.results.standing.standing_of", sometimes)
    monkeypatch.setattr(cli_status, "pause", lambda _: None)
    code, shown, said = soberlook("status", store.where, "--watch")
    assert code == 0 and len(looks) == 3 and shown.count(" runs: ") == 2
    assert said == f"{store.where} does not answer: looking again\n"


def test_ctrl_c_ends_watching(soberlook, planned, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_status, "pause", interrupt)
    code, shown, said = soberlook("status", planned[0].where, "--watch")
    assert code == 0 and said == "" and the_line(shown) == [0, 0, 0, 0, 8]


def test_how_often_may_be_left_out():
    assert arguments_of(["soberlook", "status", "a", "--watch"])[-2:] == ["--watch", "5"]
    argv = ["soberlook", "status", "a", "--watch", "60"]
    assert arguments_of(argv) == argv[1:]


@pytest.mark.parametrize(
    ("about", "message"),
    [
        (None, "expected a folder of results, found none"),
        ("", "not a soberlook study"),
        ('{"study": "s", "about": "", "schema": 1}', "no run was planned here yet"),
        ('{"study": "s", "about": "", "schema": 99}', "has schema 99, this version reads up to 1"),
    ],
)
@pytest.mark.parametrize("watch", [(), ("--watch",)])
def test_a_place_without_a_study_is_one_line(soberlook, tmp_path, about, message, watch):
    if about is not None:
        (tmp_path / "study.json").write_text(about)
    code, shown, said = soberlook("status", tmp_path, *watch)
    assert code == 2 and shown == "" and message in said and said.count("\n") == 1


def test_seconds_that_are_none(soberlook, planned):
    code, shown, said = soberlook("status", planned[0].where, "--watch", "often")
    assert (code, shown) == (2, "")
    assert said == "error: --watch must be a whole number ≥ 1, found 'often'\n"
