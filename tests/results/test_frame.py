import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import row, run

from soberlook import results
from soberlook.registry import BadInput
from soberlook.results.store import Store, StoreError, StoreWarning, Tables


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


def test_of_a_run_that_is_there_twice_the_best_counts_and_of_equals_the_last(store):
    written = [("failed", 9.0, "one"), ("done", 2.0, "two"), ("diverged", 8.0, "three")]
    for status, begun, cohort in [*written, ("done", 1.0, "four")]:
        rows = [] if status == "failed" else [row("a", "mig", begun)]
        store.write(cohort, Tables([run("a", status=status, begun=begun)], rows))
        store.write(f"{cohort}-of-b", Tables([run("b", status=status, begun=begun)], rows))
    frame = results.load(store.where).set_index("run_id")
    assert frame.loc["a", "status"] == "done" and frame.loc["a", "mig"] == 2.0
    assert len(frame) == 2 and len(results.rows(store.where)) == 1


def test_older_and_newer_files_are_read_together(store):
    store.write("now", Tables([run("a")], [row("a", "mig", 0.1)]))
    about = {"status": ["done"], "dataset": ["d"], "dataset_settings": ["{}"]}
    old = pa.table({"run_id": ["b"], "settings": ["{}"]} | about)
    newer = pa.table({"run_id": ["c"], "settings": ['{"new": 1}'], "more": [1]} | about)
    for name, table, metric in (("old", old, "mig"), ("newer", newer, "new_metric")):
        pq.write_table(table, f"{store.root}/runs/{name}.parquet")
        rows = {"run_id": table["run_id"], "step": [10.0], "metric": [metric], "value": [1]}
        pq.write_table(pa.table(rows), f"{store.root}/rows/{name}.parquet")
    frame = results.load(store.where).set_index("run_id")
    assert frame["mig"].to_dict() == pytest.approx({"a": 0.1, "b": 1, "c": np.nan}, nan_ok=True)
    assert frame.loc["c", "new"] == 1 and frame.loc["c", "new_metric"] == 1
    assert frame["seed"].isna().to_dict() == {"a": False, "b": True, "c": True}


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
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="cannot write .*two.parquet: No space left on device"):
        store.write("two", Tables([run("b")], []))
    folder = store.root + "/rows"
    assert [p.rsplit("/", 1)[1] for p in store.fs.ls(folder, detail=False)] == ["one.parquet"]
    assert results.load(store.where)["run_id"].tolist() == ["a"]


def test_filters_say_which_runs_and_metrics(small_store):
    whole = results.load(small_store)
    for where in (
        "beta == 4",
        {"strength": 4.0},
        {"beta": [4]},
        "model == 'beta_vae' and beta == 4",
    ):
        found = results.load(small_store, where=where, metrics=["mig", "kl"])
        expected = whole[whole["beta"] == 4].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected[found.columns])
        assert {"mig", "kl", "beta", "device"} <= {*found} and "reconstruction" not in found
    best = float(whole["mig"].median())
    found = results.load(small_store, where=f"mig > {best!r} and seed in [0, 1]", metrics=["kl"])
    assert found["run_id"].tolist() == whole[whole["mig"] > best]["run_id"].tolist()
    assert "kl" in found and "mig" not in found
    assert results.load(small_store, where={"model": "none"}).empty
    assert list(results.load(small_store, metrics="mig").columns).count("mig") == 1


def test_filters_hold_for_the_other_tables(small_store):
    runs = results.load(small_store, where="beta < 1")
    rows = results.rows(small_store, where="beta < 1", metrics=["mig", "sap"])
    assert set(rows["run_id"]) == set(runs["run_id"]) and set(rows["metric"]) == {"mig"}
    drawn = results.frame.pictures(small_store, where={"seed": 1})
    assert drawn["run_id"].nunique() == 4 and drawn["png"].map(len).gt(50).all()
    assert set(results.frame.pictures(small_store, runs["run_id"])["run_id"]) == set(runs["run_id"])
    assert results.frame.pictures(small_store, []).empty


def test_numbers_of_runs_that_are_left_out_are_not_read(store, monkeypatch):
    for name, model in (("one", "m"), ("two", "n")):
        store.write(name, Tables([run(name, model=model)], [row(name, "mig", 0.1)]))
    asked, read = [], pq.ParquetFile.read_row_groups
    monkeypatch.setattr(
        pq.ParquetFile,
        "read_row_groups",
        lambda *_, columns, **more: asked.append(columns) or read(*_, columns=columns, **more),
    )
    results.load(store.where, where={"model": "n"})
    assert sum("value" in columns for columns in asked) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"metrics": ["mgi"]}, "unknown metric 'mgi': did you mean 'mig'?"),
        ({"where": "mgi > 0"}, "unknown column 'mgi': did you mean 'mig'?"),
        ({"where": "mgi > 0", "metrics": ["kl"]}, "unknown column 'mgi': did you mean 'mig'?"),
        ({"where": {"seeds": 1}}, "unknown column 'seeds': did you mean 'seed'?"),
    ],
)
def test_unknown_names_are_one_clear_line(small_store, more, message):
    with pytest.raises(BadInput) as raised:
        results.load(small_store, **more)
    assert message in str(raised.value)


def test_several_stores_are_one(tmp_path):
    for name, begun, value in (("old", 1.0, 0.1), ("new", 2.0, 0.2), ("older", None, 0.3)):
        store = Store(tmp_path / "runs" / name)
        store.create(name, "")
        own = run(f"only {name}", study=name, begun=begun)
        both = [run("both", study=name, begun=begun), own]
        rows = [row(r["run_id"], "mig", value) for r in both]
        store.write(
            "one", Tables(both, rows, [{"run_id": "both", "name": "x", "png": name.encode()}])
        )
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "notes.txt").write_text("no store")
    places = [tmp_path / "runs" / name for name in ("old", "new", "older")]
    for where in (
        f"{tmp_path}/runs/*",
        places,
        map(str, places),
        [f"{tmp_path}/runs/o*", places[1]],
    ):
        frame = results.load(where).set_index("run_id")
        assert frame["study"].to_dict() == {
            "both": "new",
            "only new": "new",
            "only old": "old",
            "only older": "older",
        }
        assert frame["mig"].to_dict() == {
            "both": 0.2,
            "only new": 0.2,
            "only old": 0.1,
            "only older": 0.3,
        }
    assert len(results.rows(f"{tmp_path}/runs/*")) == 4
    assert results.frame.pictures(f"{tmp_path}/runs/*")["png"].tolist() == [b"new"]
    assert results.frame.bounds(f"{tmp_path}/runs/*").empty
    with pytest.raises(BadInput, match="x\\*: expected folders of results, found none"):
        results.load(f"{tmp_path}/x*")
    with pytest.raises(BadInput, match="found an empty list"):
        results.load([])
    (tmp_path / "runs" / "notes" / "study.json").write_text("{}")
    with pytest.warns(StoreWarning, match="notes.* was passed over"):
        assert len(results.load(f"{tmp_path}/runs/*")) == 4


def test_a_place_whose_name_is_a_pattern_is_that_place(tmp_path):
    for name in ("a[1]", "a1"):
        store = Store(tmp_path / name)
        store.create(name, "")
        store.write("one", Tables([run(name, study=name)]))
    assert results.load(tmp_path / "a[1]")["study"].tolist() == ["a[1]"]
    store = Store("memory://some/one")
    store.create("s", "")
    store.write("one", Tables([run("a")]))
    assert results.load("memory://some/*")["run_id"].tolist() == ["a"]


def test_types_are_those_one_expects(store):
    settings = {
        "layers": 3,
        "widths": [64, 32],
        "shuffled": True,
        "rate": 1,
        "any": 1,
        "big": 2**70,
    }
    other = {"layers": None, "rate": 0.5, "written": False, "any": "x", "nothing": None}
    runs = [run("a", settings=settings, width=8), run("b", settings=other)]
    store.write("one", Tables(runs, [row("a", "mig", 0.1), row("a", "width", 0.2)]))
    frame = results.load(store.where)
    types = frame.dtypes.astype(str).to_dict()
    expected = {"seed": "int64", "updates": "int64", "width": "Int64", "mig": "float64"}
    expected |= {"layers": "Int64", "widths": "str", "shuffled": "boolean", "rate": "float64"}
    expected |= {"written": "boolean", "any": "str", "model": "str", "run_id": "str"}
    expected |= {"strength": "float64", "big": "str", "metric_width": "float64"}
    assert {name: types[name] for name in expected} == expected
    assert frame["widths"].tolist()[0] == "[64, 32]" and frame["any"].tolist() == ["1", "x"]
    assert frame["nothing"].isna().all() and frame.columns.is_unique
    assert results.query(frame, "layers == 3 and shuffled")["run_id"].tolist() == ["a"]
    assert frame.groupby("widths")["mig"].median().tolist() == [0.1]
    whole = results.load(store.where, where={"run_id": "a"})
    assert str(whole["layers"].dtype) == "int64" and str(whole["shuffled"].dtype) == "bool"
    assert results.load(store.where, where="metric_width > .1")["run_id"].tolist() == ["a"]


def test_settings_keep_their_names_whichever_metrics_are_read(store):
    runs = [run("a", settings={"kl": 3})]
    store.write("one", Tables(runs, [row("a", "kl", 0.5), row("a", "mig", 0.1)]))
    frame = results.load(store.where, metrics=["mig"])
    assert "setting_kl" in frame and "kl" not in frame
    assert len(results.load(store.where, where="setting_kl == 3 and kl < 1")) == 1


@pytest.mark.parametrize("kind", ["twice", "bytes", "nested", "deep"])
def test_hostile_files_are_passed_over(store, kind):
    store.write("good", Tables([run("a")], [row("a", "mig", 0.1)]))
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    ids = {
        "twice": pa.table([pa.array(["x"])] * 2, names=["run_id", "run_id"]),
        "bytes": pa.table({"run_id": pa.array([b"\xff\xfe"], pa.binary()), "settings": ["{}"]}),
        "nested": pa.table({"run_id": [{"run_id": "x"}]}),
        "deep": pa.table({"run_id": ["x"], "settings": [deep], "dataset_settings": ["{}"]}),
    }
    pq.write_table(ids[kind], f"{store.root}/runs/zz.parquet")
    with pytest.warns(StoreWarning, match="zz.parquet was passed over: "):
        assert results.load(store.where)["run_id"].tolist() == ["a"]


def test_a_metric_that_these_runs_do_not_have_is_missing(store):
    lost = run("b", model="n", status="diverged")
    store.write("one", Tables([run("a"), lost], [row("a", "mig", 0.1), row("a", "kl", 1.0)]))
    frame = results.load(store.where, where="model == 'n'", metrics=["mig"])
    assert frame["mig"].isna().all() and len(frame) == 1
    for metrics in (None, ["kl"], []):
        where = "model == 'n' and mig > 0"
        assert results.load(store.where, where=where, metrics=metrics).empty
        found = results.load(store.where, where="model == 'n' and not mig > 0", metrics=metrics)
        assert len(found) == 1 and "mig" not in found
