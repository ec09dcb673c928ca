import numpy as np
import pandas as pd
import pytest

from soberlook import results
from soberlook.registry import BadInput
from soberlook.results.store import Store, StoreWarning, Tables


def run(run_id, **changes):
    settings = {"beta": 2.0, "latents": 10}
    about = {"run_id": run_id, "study": "s", "dataset": "d", "model": "m", "seed": 0}
    about |= {"strength_name": "beta", "strength": 2.0, "setting": "x", "status": "done"}
    return about | {"settings": settings, "dataset_settings": {}, "updates": 10} | changes


def row(run_id, metric, value, step=10):
    return {"run_id": run_id, "step": step, "metric": metric, "value": value, "version": 1}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s")
    store.create("s", "about it")
    return store


def test_the_frame_of_a_study(small_store):
    runs = results.load(small_store)
    assert len(runs) == 8 and runs["run_id"].is_unique
    assert runs.groupby("beta").mig.median().index.tolist() == [0.25, 1, 4, 8]
    assert (runs["beta"] == runs["strength"]).all() and (runs["latents"] == 10).all()
    assert (runs["images_seen"] == 40 * 64).all() and (runs["parameters"] == 102_932).all()
    assert (runs["status"] == "done").all() and runs["mig"].between(0, 1).all()
    assert {"kl", "reconstruction", "active_units", "device", "git_revision"} <= {*runs.columns}
    latents = runs[[f"kl_{j}" for j in range(10)]]
    np.testing.assert_allclose(latents.sum(axis=1), runs["kl"])
    assert runs.query("model == 'beta_vae'").groupby("beta").mig.median().notna().all()


def test_the_long_table(small_store):
    rows = results.rows(small_store)
    assert rows.columns.tolist() == ["run_id", "step", "draw", "metric", "value", "version"]
    assert rows["run_id"].nunique() == 8 and set(rows["step"]) == {40}
    assert rows["value"].notna().all()


def test_settings_and_metrics_become_columns(store):
    runs = [run("a"), run("b", model="n", settings={"gamma": 1.0, "kl": 3}, status="diverged")]
    rows = [row("a", "mig", 0.1, step=5), row("a", "mig", 0.2), row("a", "kl", 7.0)]
    runs[1]["dataset_settings"] = {"spacing": 4}
    store.write("one", Tables(runs, rows))
    frame = results.load(store.where).set_index("run_id")
    assert frame.loc["a", "mig"] == 0.2  # of the last step
    assert frame.loc["a", "kl"] == 7.0 and frame.loc["b", "setting_kl"] == 3
    assert np.isnan(frame.loc["b", "mig"]) and frame.loc["b", "status"] == "diverged"
    assert np.isnan(frame.loc["a", "gamma"]) and frame.loc["b", "dataset_spacing"] == 4
    assert len(results.rows(store.where)) == 3


def test_a_run_that_was_written_twice_is_one_row(store):
    for cohort in ("one", "two"):
        store.write(cohort, Tables([run("a")], [row("a", "mig", 0.1)]))
    assert len(results.load(store.where)) == len(results.rows(store.where)) == 1


def test_rows_of_a_cohort_that_was_cut_off_do_not_count(store):
    store.write("one", Tables([run("a")], [row("a", "mig", 0.1), row("cut off", "mig", 0.9)]))
    assert set(results.rows(store.where)["run_id"]) == {"a"}
    assert len(results.load(store.where)) == 1


def test_of_bounds_the_last_version_and_the_longest_training_count(store):
    def bound(codes, metric, value, version=1, **more):
        about = {"dataset": "d", "codes": codes, "source": "mig", "version": version}
        return about | {"metric": metric, "value": value} | more

    rows = [bound("factors", "mig", 0.9, version=2), bound("factors", "mig", 0.8)]
    rows += [bound("supervised", "mig", v, updates=u) for u, v in ((9, 0.1), (200, 0.6), (10, 0.2))]
    rows += [bound("random", None, None)]  # a metric that gave no number
    store.write_bounds("d", rows)
    found = results.frame.bounds(store.where).set_index("codes")["value"]
    assert found.to_dict() == {"factors": 0.9, "supervised": 0.6}


def test_an_empty_study_is_an_empty_frame(store):
    assert results.load(store.where).empty and results.rows(store.where).empty


def test_places_without_results_are_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match="nothing: expected a folder of results, found none"):
        results.load(tmp_path / "nothing")
    with pytest.raises(BadInput, match="cannot open 'nonsense://x'"):
        results.load("nonsense://x")


def test_object_stores_are_places_too():
    store = Store("memory://study")
    store.create("s", "")
    store.write("one", Tables([run("a")], [row("a", "mig", 0.1)]))
    store.plan("one", '{"dataset": {"name": "d"}, "runs": [{"id": "a", "model": "m"}]}')
    assert results.load("memory://study")["mig"].tolist() == [0.1]
    assert store.finished() == {"a"} and store.planned() == {"a": ("d", "m")}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1 and no more",
        pytest.param("foreign", id="foreign"),
        pytest.param("settings", id="settings"),
    ],
)
def test_a_file_that_is_not_ours_is_named_and_passed_over(store, content):
    store.write("good", Tables([run("a")], [row("a", "mig", 0.1)]))
    path = f"{store.root}/runs/zz.parquet"
    if content == "foreign":
        pd.DataFrame({"name": ["x"]}).to_parquet(path)
    elif content == "settings":
        pd.DataFrame({"run_id": ["x"], "settings": ["[1"]}).to_parquet(path)
    else:
        with open(path, "wb") as file:
            file.write(content)
    with pytest.warns(StoreWarning, match="zz.parquet was passed over: "):
        frame = results.load(store.where)
    assert frame["run_id"].tolist() == ["a"]


def test_writing_leaves_no_scraps(store, monkeypatch):
    store.write("one", Tables([run("a")], [row("a", "mig", 0.1)]))

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        store.write("two", Tables([run("b")], []))
    folder = store.root + "/rows"
    assert [p.rsplit("/", 1)[1] for p in store.fs.ls(folder, detail=False)] == ["one.parquet"]
    assert results.load(store.where)["run_id"].tolist() == ["a"]
