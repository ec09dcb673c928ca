"""How far a study is: counted from runs, plans and signs of life at a time."""

import json

import pandas as pd
import pytest

from soberlook.registry import BadInput
from soberlook.results.standing import STATES, Sign, signs_of_life, standing, standing_of
from soberlook.results.store import Store, StoreWarning, Tables

NOW = 10_000.0


def plan(*ids, model="vae", updates=10, batch_size=5):
    budget = {"updates": updates, "batch_size": batch_size}
    runs = [{"id": run_id, "model": model} for run_id in ids]
    return {"dataset": {"name": "d", "title": "d"}, "budget": budget, "runs": runs}


def run(run_id, status="done", *, begun=0.0, train=1.0, evaluate=0.0, reason="", model="vae"):
    return {
        "run_id": run_id,
        "dataset": "d",
        "model": model,
        "settings": {},
        "dataset_settings": {},
        "status": status,
        "reason": reason,
        "begun": begun,
        "updates": 10,
        "batch_size": 5,
        "train_seconds": train,
        "evaluate_seconds": evaluate,
    }


def sign(*ids, begun=NOW - 100, beat=NOW, first=0, updates=0):
    return Sign("host, process 1", begun, beat, ids, first, updates, 10 * len(ids), 0)


def failed(run_id, **about):
    return run(run_id, "failed", train=None, evaluate=None, **about)


def frame(*runs):
    columns = pd.DataFrame([run("")]).iloc[:0]
    return pd.DataFrame(runs).astype(columns.dtypes) if runs else columns


FOUR = [plan("a", "b"), plan("c", "d", model="big")]


@pytest.mark.parametrize(
    ("runs", "plans", "signs", "expected"),
    [
        ([], FOUR, [], {"pending": 4}),
        ([run("a"), run("b", "diverged"), failed("c")], FOUR, [], "one of each and d pending"),
        ([], FOUR, [sign("a", "b")], {"running": 2, "pending": 2}),
        ([], FOUR, [sign("a", "b", beat=NOW - 179)], {"running": 2, "pending": 2}),
        ([], FOUR, [sign("a", "b", beat=NOW - 181)], {"pending": 4}),
        # A clock that is ahead, and one that was moved back while it trained.
        ([], FOUR, [sign("a", "b", begun=NOW + 5e3, beat=NOW + 6e3)], {"running": 2, "pending": 2}),
        ([], FOUR, [sign("a", "b", begun=NOW + 500)], {"running": 2, "pending": 2}),
        # Done, and the sign not removed yet.
        ([run("a", begun=NOW - 90), run("b")], FOUR, [sign("a", "b")], {"done": 2, "pending": 2}),
        # Failed in this cohort, and in one before that is trained again.
        ([failed("a", begun=NOW - 1)], FOUR, [sign("a")], {"failed": 1, "pending": 3}),
        ([failed("a", begun=NOW - 999)], FOUR, [sign("a")], {"running": 1, "pending": 3}),
        ([failed("a", begun=None)], FOUR, [sign("a")], {"running": 1, "pending": 3}),
        # Planned twice, in cohorts of other widths; in none; and nothing that was never planned.
        ([run("a")], [*FOUR, plan("a"), plan("b")], [], {"done": 1, "pending": 3}),
        ([run("z")], FOUR, [], {"done": 1, "pending": 4}),
        ([], FOUR, [sign("elsewhere")], {"pending": 4}),
        ([run("a", None), run("b", "odd")], FOUR, [], {"pending": 3, "failed": 1}),
    ],
)
def test_a_run_is_in_one_state(runs, plans, signs, expected):
    if isinstance(expected, str):
        expected = {"done": 1, "diverged": 1, "failed": 1, "pending": 1}
    found = standing(frame(*runs), plans, signs, NOW)
    total = found.cells.sum()
    assert total[total > 0].to_dict() == expected
    assert list(found.cells) == list(STATES)
    rates = found.images_per_second, found.runs_per_hour, found.seconds_left
    assert all(rate is None or rate >= 0 for rate in rates)


def test_it_counts_per_dataset_and_model():
    found = standing(frame(run("a"), run("c", model="big")), FOUR, [sign("d")], NOW)
    assert found.cells.loc[("d", "vae")].to_dict() == dict.fromkeys(STATES, 0) | {
        "done": 1,
        "pending": 1,
    }
    assert found.cells.loc[("d", "big")].to_dict() == dict.fromkeys(STATES, 0) | {
        "done": 1,
        "running": 1,
    }
    assert found.at_work == 1


@pytest.mark.parametrize(
    ("runs", "signs", "images", "per_hour"),
    [
        # A run is 50 images. Two in one program that took 2 × 2 s.
        ([run("a", train=2), run("b", train=2)], [], 100 / 4, 1_800),
        ([run("a", train=1, evaluate=1), run("b", train=2)], [], 100 / 4, 1_800),
        # One after the other with a pause of a day between them; at once; and overlapping.
        ([run("a"), run("b", begun=86_400)], [], 100 / 2, 3_600),
        ([run("a", train=4), run("c", train=4, model="big")], [], 100 / 4, 1_800),
        ([run("a", train=4), run("b", begun=2, train=4)], [], 100 / 6, 1_200),
        ([run("a", train=8), run("b", begun=2, train=2)], [], 100 / 8, 900),
        # What failed has no time; what is being trained counts as far as it is.
        ([run("a", train=2), failed("b")], [], 50 / 2, 1_800),
        ([], [sign("a", "b", updates=10)], 50 / 100, 36),
        ([], [sign("a", "b", first=5, updates=10)], 25 / 100, 18),
        ([run("a", begun=NOW - 99)], [sign("b", updates=10)], 100 / 100, 72),
        ([run("a", begun=NOW - 50, train=50)], [sign("a", "b", updates=15)], 75 / 100, 54),
        ([run("a", train=float("nan")), run("b", begun=float("inf"))], [], None, None),
        ([], [sign("a", begun=NOW + 50, updates=10)], None, None),
    ],
)
def test_speed_is_that_of_the_time_in_which_something_was_trained(runs, signs, images, per_hour):
    found = standing(frame(*runs), FOUR, signs, NOW)
    assert found.images_per_second == (images and pytest.approx(images))
    assert found.runs_per_hour == (per_hour and pytest.approx(per_hour))


@pytest.mark.parametrize(
    ("runs", "signs", "seconds"),
    [
        ([], [], None),
        # b takes as long as a did; c and d, of a model that nobody knows, too.
        ([run("a", train=2)], [], 3 * 2),
        ([run("a", train=2), run("c", begun=9, train=7, model="big")], [], 2 + 7),
        # Two were trained at once: two will be.
        ([run("a", train=2), run("c", train=2, model="big")], [], (2 + 2) / 2),
        # As many as are at work now, and less what they have done: half of b.
        ([run("a", begun=NOW - 50, train=50)], [sign("b", begun=NOW - 25, updates=5)], 25 + 100),
        (
            [run("a", train=50)],
            [
                sign("b", begun=NOW - 25, updates=5),
                sign("c", "d", begun=NOW - 30, updates=10),
            ],
            (25 + 30) / 2,
        ),
        ([run(run_id) for run_id in "abcd"], [], 0),
    ],
)
def test_the_time_left(runs, signs, seconds):
    found = standing(frame(*runs), FOUR, signs, NOW)
    assert found.seconds_left == (seconds and pytest.approx(seconds))


def test_plans_without_a_budget_have_no_time():
    broken = [plan("a"), plan("b") | {"budget": None}, plan("c", updates="9", batch_size=[1])]
    broken += [plan("d", updates=10**400), plan("e", updates=-1), plan("f", updates=float("nan"))]
    found = standing(frame(run("a")), broken, [sign("b", updates=5)], NOW)
    assert found.cells["pending"].sum() == 4 and found.seconds_left == 0


def test_reasons_that_differ_in_numbers_are_one():
    reasons = ["it broke after update 20"] * 2 + ["it broke after update 10"] * 3 + ["no"] * 4
    runs = [failed(str(i), reason=reason) for i, reason in enumerate(reasons)]
    found = standing(frame(*runs, run("fine"), run("old", reason=None)), [], [], NOW)
    assert found.reasons == [(5, "it broke after update 10"), (4, "no")]


def test_a_run_that_is_there_twice_counts_once(tmp_path):
    store = Store(tmp_path)
    store.create("s", "")
    store.write("one", Tables(runs=[failed("a", reason="no"), run("b")]))
    store.write("two", Tables(runs=[run("a", begun=5.0)]))
    found = standing_of(str(tmp_path), NOW)
    assert found.cells.sum().to_dict() == dict.fromkeys(STATES, 0) | {"done": 2}
    assert found.reasons == []


def test_no_rows_are_read(tmp_path):
    store = Store(tmp_path)
    store.create("s", "")
    store.write("one", Tables(runs=[run("a")]))
    (tmp_path / "rows" / "one.parquet").write_bytes(b"")
    assert standing_of(str(tmp_path), NOW).cells["done"].sum() == 1  # and no warning


def test_a_study_of_which_nothing_was_planned(tmp_path):
    Store(tmp_path).create("s", "")
    with pytest.raises(BadInput, match="no run was planned here yet"):
        standing_of(str(tmp_path), NOW)


SOUND = json.dumps(sign("a", updates=3)._asdict())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        b"\xff\xfe",
        SOUND.replace('"a"', "7"),
        SOUND.replace('["a"]', '"a"'),
        SOUND.replace('["a"]', "[]"),
        SOUND.replace('"updates": 3', '"updates": -3'),
        SOUND.replace('"updates": 3', '"updates": 11'),
        SOUND.replace('"updates": 3', '"updates": 3.5'),
        SOUND.replace('"updates": 3', '"updates": true'),
        SOUND.replace('"of": 10', '"of": 1' + "0" * 400),
        SOUND.replace('"of": 10', '"of": 1' + "0" * 5_000),
        SOUND.replace('"beat": 10000.0', '"beat": Infinity'),
        SOUND.replace('"begun": 9900.0', '"begun": "yesterday"'),
        SOUND.replace('"begun": 9900.0', '"begun": NaN'),
        SOUND.replace('"first": 0', '"first": 4'),
        SOUND.replace('"who"', '"whom"'),
    ],
)
def test_what_is_no_sign_of_life_is_passed_over(tmp_path, content):
    store = Store(tmp_path)
    store.put("running/sound.json", SOUND.encode())
    store.put("running/odd.json", content if isinstance(content, bytes) else content.encode())
    (tmp_path / "running" / "folder.json").mkdir()
    with pytest.warns(StoreWarning, match="was passed over"):
        assert signs_of_life(store) == {"sound": sign("a", updates=3)}
    assert len(store.names("running")) == 3
