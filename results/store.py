"""The store: a folder, local or in an object store, that holds the results of one study.

    study.json                 the study's name and the schema of the files
    cohorts/<cohort>.json      what a cohort is to train, written before it starts
    rows/<cohort>.parquet      (run, step, draw, metric, value)
    pictures/<cohort>.parquet  (run, name, PNG)
    runs/<cohort>.parquet      a row per run; written last: where it is, the cohort is done
    bounds/<dataset>.parquet   what metrics say of codes whose worth is known
    checkpoints/<cohort>       where a cohort stands that is not done: safetensors
    parameters/<cohort>        what its runs have learnt, of those that were to be kept: safetensors
    running/<cohort>.json      a sign of life of whoever trains it; gone when it is done
    failures/<cohort>.txt      the traceback of a cohort that raised; bounds.txt: of the bounds

`compact` merges the files of many cohorts into `merged-….parquet`, whose rows say their cohort.
Nothing read from a store is ever executed; a file that is not what it should be is named and left
alone.
"""

import glob
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from soberlook.registry import BadInput

from .folder import Folder, StoreError, reason_of
from .tables import (
    SCHEMA,
    TABLES,
    UNREADABLE,
    Keep,
    Tables,
    in_words,
    parse,
    schema_of,
    to_bytes,
    to_table,
)

__all__ = ["SCHEMA", "TABLES", "Store", "StoreError", "StoreWarning", "Tables", "find"]

TRIES = 3  # to read a file that is listed and cannot be found


class StoreWarning(UserWarning):
    """A file in a store was passed over."""


class Store(Folder):
    """The results of one study, at one place; opening it touches nothing."""

    def about(self) -> dict | None:
        """{study, about, schema} of the study kept here; None where there is none yet.

        A folder that is something else, or of a newer schema, raises `BadInput`; so does a place
        that cannot be reached.
        """
        content = self.reach(self._study)
        if content is None:
            return None
        try:
            about = json.loads(content)
            kinds = {"study": str, "about": str, "schema": int}
            about = {key: kind(about[key]) for key, kind in kinds.items()}
        except (ValueError, TypeError, KeyError):
            raise BadInput(f"{self.where}/study.json: not a soberlook study") from None
        if about["schema"] > SCHEMA:
            raise BadInput(
                f"{self.where} has schema {about['schema']}, this version reads up to {SCHEMA}: "
                "update soberlook, or choose another --out"
            )
        return about

    def check(self, study: str):
        """Raise `BadInput` unless this place is empty or holds this study."""
        found = self.about()
        if found is not None and found["study"] != study:
            raise BadInput(
                f"{self.where} holds study {found['study']!r}, expected {study!r}: "
                "choose another --out"
            )

    def create(self, study: str, about: str):
        """Make this place hold `study`; `about` is what its report says of it."""
        self.check(study)
        text = json.dumps({"study": study, "about": about, "schema": SCHEMA})
        self.put("study.json", text.encode())

    def plan(self, cohort: str, text: str):
        """Keep what a cohort is to train."""
        self.put(f"cohorts/{cohort}.json", text.encode())

    def plans(self) -> Iterator[dict]:
        """What every cohort that was ever planned here was to train; its dataset has a title."""
        for cohort in self.names("cohorts", ".json"):
            if (plan := self._plan(cohort)) is not None:
                yield plan

    def planned(self) -> dict[str, tuple[str, str]]:
        """Run id → (dataset, model), of every run that was ever planned here."""
        return {
            run["id"]: (cohort["dataset"]["title"], run["model"])
            for cohort in self.plans()
            for run in cohort["runs"]
        }

    def write(self, cohort: str, tables: Tables):
        """Keep a cohort's results; what was here under its name is replaced by the same.

        A file of that name which is not ours stays: results then go beside it.
        """
        if tables.parameters:
            self.put(f"parameters/{cohort}", tables.parameters)
        for name in TABLES:
            self._write_table(name, cohort, getattr(tables, name))

    def write_rows(self, file_name: str, rows: list[dict]):
        """Keep more rows of runs that are here: of `<cohort>`, in a file `<cohort>-<number>`."""
        self._write_table("rows", file_name, rows)

    def write_bounds(self, dataset: str, records: list[dict]):
        """Keep what metrics say of codes whose worth for this dataset is known."""
        self._write_table("bounds", dataset, records)

    def read(self, name: str, columns: list[str] | None = None, run_ids=None) -> pa.Table:
        """One of the tables, of all cohorts: "runs", "rows", "pictures"; or the "bounds".

        Only these `columns`, and only the rows of these runs, if given. Columns that a file lacks
        are null. A file that is truncated or not ours is passed over with a `StoreWarning`.
        """
        schema = schema_of(name, columns)
        wanted = None if run_ids is None else pa.array(run_ids, pa.string())
        keep = None if wanted is None else lambda words: pc.is_in(words["run_id"], wanted)
        tables = [t.select(schema.names).cast(schema) for t in self.tables(name, columns, keep)]
        return pa.concat_tables([schema.empty_table(), *tables])

    def tables(
        self, name: str, columns: list[str] | None = None, keep: Keep | None = None
    ) -> Iterator[pa.Table]:
        """The table of every file, with words that repeat, and its cohort, as dictionaries.

        Only rows that `keep` are read, if given: of the words asked for, and the cohort, it says
        which, as booleans. What is merged while this is read is found under its new name.
        """
        schema, tries = in_words(schema_of(name, columns)), Counter()
        # A file that goes while others are read is in one that was there before it went.
        while paths := [p for p in self._files(name, ".parquet") if tries[p] < TRIES]:
            for path in paths:
                tries[path] += 1
                try:
                    found = parse(self._read(path), schema, cohort_of(path), keep)
                    tries[path] = TRIES
                except FileNotFoundError as error:
                    if tries[path] == TRIES:
                        pass_over(path, error)
                    continue
                except UNREADABLE as error:
                    tries[path] = TRIES
                    pass_over(path, error)
                    continue
                yield found

    def size(self, name: str) -> int:
        """The bytes of all files of a table."""
        states = (self.state(f"{name}/{file}") for file in self.names(name))
        return sum(state["size"] or 0 for state in states if state)

    def finished(self, retry_failed: bool = False) -> set[str]:
        """The ids of the runs that need no training any more.

        A run that says it is done and has no rows is not one of them: its file was lost. Nor are
        those that failed, and were not done elsewhere, with `retry_failed`.
        """
        runs, done, failed, _ = self._outcomes()
        found = [
            pc.unique(table["run_id"]).to_pylist() for table in self.tables("rows", ["run_id"])
        ]
        return runs - done.difference(*found) - (failed if retry_failed else set())

    def forget_failures(self):
        """Remove the tracebacks of cohorts whose runs have all been trained since."""
        if names := self.names("failures", ".txt"):
            _, _, failed, cohorts = self._outcomes()
            for name in names:
                if name in cohorts and not cohorts[name] & failed:
                    self.remove(f"failures/{name}.txt")

    def _outcomes(self):
        """The ids of all runs; of those that are done; of those that failed, and no better
        elsewhere; and of those of every cohort."""
        ids, cohorts = {"done": set(), "failed": set()}, {}
        for table in self.tables("runs", ["run_id", "status"]):
            for run_id, status, cohort in zip(*table.to_pydict().values(), strict=True):
                cohorts.setdefault(cohort, set()).add(run_id)
                if status:
                    ids.setdefault(status, set()).add(run_id)
        others = set().union(*(found for status, found in ids.items() if status != "failed"))
        return others | ids["failed"], ids["done"], ids["failed"] - others, cohorts

    def studies(self) -> list[str]:
        """The paths of the studies in all folders that this one fits, being a pattern."""
        return sorted(self._ask("list", self.root, self.fs.glob, f"{self.root}/study.json"))

    def _study(self) -> bytes | None:
        content = self.get("study.json")
        if content is None and not self.is_empty():
            raise BadInput(f"{self.where}: expected an empty or new folder, or one of results")
        return content

    def _plan(self, cohort) -> dict | None:
        """What a cohort was to train; None where that cannot be known."""
        name = f"cohorts/{cohort}.json"
        try:
            if (content := self.get(name)) is None:
                return None
            cohort = json.loads(content)
            dataset, runs = cohort["dataset"], cohort["runs"]
            title = str(dataset.get("title", dataset["name"]))
            runs = [run | {"id": str(run["id"]), "model": str(run["model"])} for run in runs]
        except UNREADABLE as error:
            pass_over(self.url(name), error)
            return None
        return cohort | {"dataset": dataset | {"title": title}, "runs": runs}

    def _write_table(self, name, file_name, records):
        content = to_bytes(to_table(name, records))
        file, attempt = f"{name}/{file_name}.parquet", 1
        while not self._is_free(file, name):
            attempt += 1
            file = f"{name}/{file_name}-{attempt}.parquet"
        self.put(file, content)

    def _is_free(self, file, name) -> bool:
        """Whether there is no such file, or one of ours, which may be replaced."""
        try:
            content = self.get(file)
        except (PermissionError, IsADirectoryError):
            return False  # it is somebody's
        except OSError as error:
            raise StoreError(f"cannot write {self.url(file)}: {reason_of(error)}") from None
        try:
            if content is not None:
                parse(content, schema_of(name))
        except UNREADABLE:
            return False
        return True


def find(place: str | Path) -> list[Store]:
    """The store at a place; or, of a pattern like `runs/*`, the stores among all that it fits."""
    store = Store(place)
    if not glob.has_magic(store.root) or not store.reach(store.is_empty):
        if store.about() is None:
            raise BadInput(f"{place}: expected a folder of results, found none")
        return [store]
    found = []
    for path in store.reach(store.studies):
        root = store.fs.unstrip_protocol(path.removesuffix("/study.json"))
        one = Store(root.removeprefix("file://"))
        try:
            one.about()
        except BadInput as error:
            pass_over(one.where, error)
        else:
            found.append(one)
    if not found:
        raise BadInput(f"{place}: expected folders of results, found none")
    return found


def cohort_of(path: str) -> str:
    """The cohort that a file is of, by its name: <cohort>.parquet, or <cohort>-2.parquet."""
    return re.fullmatch(r"(.*?)(-\d+)?", path.rsplit("/", 1)[-1].removesuffix(".parquet"))[1]


def pass_over(path, error):
    """Say that a file is left out, and why."""
    reason = (str(error) or type(error).__name__).splitlines()[0]
    warnings.warn(f"{path} was passed over: {reason}", StoreWarning, stacklevel=4)
