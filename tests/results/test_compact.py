"""Merging files while others read and write: nobody sees less, and it may be cut off anywhere."""

import os

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import row, run

from soberlook import results
from soberlook.registry import BadInput
from soberlook.results import compact as compacting
from soberlook.results.compact import compact
from soberlook.results.store import Store, StoreWarning, Tables

COHORTS = ("aaa", "bbb", "ccc")


def tables_of(cohort, **changes):
    """Two runs, of which one is in all cohorts, with numbers that only this cohort has."""
    number, ids = COHORTS.index(cohort), (f"only {cohort}", "everywhere")
    runs = [run(run_id, seed=number, begun=float(number)) | changes for run_id in ids]
    rows = [row(r, m, number + i / 10) for r in ids for i, m in enumerate(("mig", cohort))]
    pictures = [{"run_id": r, "name": "x", "png": cohort.encode()} for r in ids]
    return Tables(runs, rows, pictures)


@pytest.fixture
def store(tmp_path):
    return filled(tmp_path / "s")


def filled(where):
    store = Store(where)
    store.create("s", "")
    for cohort in COHORTS:
        store.write(cohort, tables_of(cohort))
    return store


def seen(where):
    """All that a reader sees."""
    rows = results.rows(where).sort_values(["run_id", "metric"], ignore_index=True)
    pictures = results.frame.pictures(where).sort_values("run_id", ignore_index=True)
    return results.load(where), rows, pictures


def same(a, b):
    for one, other in zip(a, b, strict=True):
        pd.testing.assert_frame_equal(one, other)


def files(store):
    return {(table, name) for table in ("rows", "pictures", "runs") for name in store.names(table)}


def each_step(monkeypatch, act):
    """Call `act` before every file that is put or removed, and after the last."""
    for name in ("put", "remove"):
        whole = getattr(Store, name)

        def step(self, *arguments, whole=whole):
            act()
            whole(self, *arguments)

        monkeypatch.setattr(Store, name, step)


def test_readers_see_the_same_before_and_after_and_all_the_while(store, monkeypatch):
    before, steps = seen(store.where), []
    assert before[0].set_index("run_id").loc["everywhere", "mig"] == 2.0
    assert before[0].set_index("run_id").loc["everywhere", ["aaa", "bbb"]].isna().all()

    def look():
        steps.append(len(files(store)))
        same(seen(store.where), before)
        assert store.finished() == {*before[0]["run_id"]}

    with monkeypatch.context() as patch:
        each_step(patch, look)
        assert compact(store) == (9, 3)
    look()
    assert steps == [9, 10, 11, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3]
    assert compact(store) == (3, 3)


def test_in_an_object_store_too(s3):
    store = filled(f"{s3.bucket()}/s")
    before = seen(store.where)
    assert compact(store) == (9, 3)
    same(seen(store.where), before)


class CutOffError(Exception):
    pass


def test_cut_off_anywhere_and_repeated_it_ends_right(tmp_path, monkeypatch):
    whole = filled(tmp_path / "whole")
    expected = seen(whole.where)
    compact(whole)
    for last in range(12):
        store, steps = filled(tmp_path / str(last)), []

        def cut(steps=steps, last=last):
            if len(steps) == last:
                raise CutOffError
            steps.append(1)

        with monkeypatch.context() as patch, pytest.raises(CutOffError):
            each_step(patch, cut)
            compact(store)
        same(seen(store.where), expected)
        compact(store)
        same(seen(store.where), expected)
        assert len(files(store)) == 3
        sizes = [sum(len(t) for t in store.tables(name)) for name in ("runs", "rows", "pictures")]
        assert sizes == [6, 12, 6]


def test_a_reader_half_way_through_reads_on(store):
    expected = {(r, c, m) for c in COHORTS for r in (f"only {c}", "everywhere") for m in ("mig", c)}
    reading = store.tables("rows")
    found = [next(reading)]
    compact(store)
    found += reading
    keys = pa.concat_tables(found).select(["run_id", "cohort", "metric"]).to_pylist()
    assert {tuple(key.values()) for key in keys} == expected
    stores = results.stores.Stores(store.where)  # between one table and the next
    store.write("aaa", tables_of("aaa"))
    runs = stores.runs()
    compact(store)
    rows, names = stores.rows(runs)
    own = rows[runs["run_id"].to_numpy()[rows["run"]] == "everywhere"]
    assert {names[metric] for metric in own["metric"]} == {"mig", "ccc"} and len(rows) == 8


def test_a_listing_that_misses_files_is_made_up_for(store, monkeypatch):
    listed, missed = Store._files, []

    def slow(self, folder, suffix):
        """A listing whose entries go while it is made."""
        if folder == "rows" and not missed:
            missed.append(1)
            compact(Store(self.where))
            return [f"{self.root}/rows/aaa.parquet"]
        return listed(self, folder, suffix)

    before = results.load(store.where)
    monkeypatch.setattr(Store, "_files", slow)
    pd.testing.assert_frame_equal(results.load(store.where), before)


def test_a_link_that_leads_nowhere_is_passed_over(store):
    os.symlink("nowhere", f"{store.root}/rows/zz.parquet")
    with pytest.warns(StoreWarning, match="zz.parquet was passed over: "):
        assert len(results.load(store.where)) == 4


def test_what_is_not_ours_stays(store):
    kept = {}
    for name, content in (("zz", b"PAR1"), ("yy", b"")):
        for table in ("rows", "runs", "pictures"):
            kept[f"{table}/{name}.parquet"] = content
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table({"run_id": ["x"]}), buffer)
    kept["runs/xx.parquet"] = buffer.getvalue().to_pybytes()
    kept |= {"rows/notes.txt": b"mine", "runs/merged-0123456789abcdef.parquet": b"none"}
    for name, content in kept.items():
        store.put(name, content)
    with pytest.warns(StoreWarning, match="was passed over"):
        compact(store)
    assert {name: store.get(name) for name in kept} == kept
    assert len(store.names("rows", ".parquet")) == 3


def test_what_a_running_study_writes_stays(store):
    store.put("rows/new.parquet", store.get("rows/aaa.parquet"))  # its runs come last
    store.put("running/bbb.json", b"{}")  # it is trained again
    store.write_rows("ccc-17", [row("only ccc", "sap", 0.5)])
    before = seen(store.where)
    compact(store)
    same(seen(store.where), before)
    left = {name for table, name in files(store) if not name.startswith("merged-")}
    assert left == {"new.parquet", "bbb.parquet", "ccc-17.parquet"}
    store.remove("running/bbb.json")
    compact(store)
    same(seen(store.where), before)
    left = {name for table, name in files(store) if not name.startswith("merged-")}
    assert left == {"new.parquet", "ccc-17.parquet"}


def test_a_cohort_that_is_trained_again_meanwhile_is_not_lost(store, monkeypatch):
    failed = tables_of("aaa", status="failed")
    store.write("aaa", Tables(failed.runs))
    again = []

    def retry():
        if len(again) == 0 and len(files(store)) == 12:  # merged, and nothing is removed yet
            again.append(1)
            store.write("aaa", tables_of("aaa"))

    with monkeypatch.context() as patch:
        each_step(patch, retry)
        compact(store)
    assert again and ("runs", "aaa.parquet") in files(store)
    for _ in range(2):
        frame = results.load(store.where).set_index("run_id")
        assert frame.loc["only aaa", "status"] == "done" and frame.loc["only aaa", "mig"] == 0
        compact(store)
    assert len(files(store)) == 3


def test_a_cohort_that_somebody_starts_on_meanwhile_stays(store, monkeypatch):
    looked = compacting._busy

    def begun(store):
        if len(files(store)) == 12:  # merged, and nothing is removed yet
            store.put("running/aaa.json", b"{}")
        return looked(store)

    monkeypatch.setattr(compacting, "_busy", begun)
    compact(store)
    assert {name for _, name in files(store) if not name.startswith("merged-")} == {"aaa.parquet"}


def test_columns_of_a_later_version_stay(store):
    table = pq.read_table(f"{store.root}/runs/aaa.parquet")
    more = table.append_column("carbon", pa.array([1.5, 2.5]))
    pq.write_table(more, f"{store.root}/runs/aaa.parquet")
    compact(store)
    compact(store)
    (name,) = store.names("runs")
    found = pq.read_table(f"{store.root}/runs/{name}")
    assert found["carbon"].to_pylist() == [1.5, 2.5, None, None, None, None]
    assert found["cohort"].to_pylist() == [c for c in COHORTS for _ in range(2)]


def test_files_are_merged_up_to_a_size_and_then_stay(store, monkeypatch):
    before = seen(store.where)
    sizes = [store.state(f"rows/{c}.parquet")["size"] for c in COHORTS]
    monkeypatch.setattr(compacting, "SIZE", sum(sizes[:2]) + 1)
    compact(store)
    assert len(store.names("rows")) == 2  # two in one, and one
    same(seen(store.where), before)
    whole = files(store)
    monkeypatch.setattr(compacting, "SIZE", 10)
    compact(store)
    assert files(store) == whole


def test_a_place_without_results_is_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match="expected a folder of results, found none"):
        compact(Store(tmp_path / "s"))
    assert not (tmp_path / "s").exists()
