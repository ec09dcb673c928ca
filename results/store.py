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

Files are whole or absent: written aside and renamed, or put in one piece. Nothing read from a
store is ever executed; a file that is not what it should be is named and left alone.
"""

import contextlib
import glob
import io
import json
import os
import re
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from soberlook.registry import BadInput

SCHEMA = 1  # raised when older code could not read the files

RUNS = pa.schema(
    [
        ("run_id", pa.string()),
        ("study", pa.string()),
        ("dataset", pa.string()),
        ("dataset_settings", pa.string()),  # JSON
        ("model", pa.string()),
        ("settings", pa.string()),  # JSON
        ("strength_name", pa.string()),
        ("strength", pa.float64()),
        ("setting", pa.string()),  # an id of everything but the seed
        ("seed", pa.int64()),
        ("updates", pa.int64()),
        ("batch_size", pa.int64()),
        ("images_seen", pa.int64()),
        ("status", pa.string()),  # done, diverged, failed
        ("reason", pa.string()),
        ("parameters", pa.int64()),
        ("train_seconds", pa.float64()),
        ("evaluate_seconds", pa.float64()),
        ("compile_seconds", pa.float64()),  # part of the two above
        ("mapping", pa.string()),
        ("width", pa.int64()),
        ("device", pa.string()),
        ("soberlook", pa.string()),
        ("git_revision", pa.string()),
        ("jax", pa.string()),
        ("python", pa.string()),
        ("begun", pa.float64()),  # seconds since 1970
    ]
)
ROWS = pa.schema(
    [
        ("run_id", pa.string()),
        ("step", pa.int64()),
        ("draw", pa.int64()),  # of cells, and of the images' noise: 0, 1, …
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("version", pa.int64()),
    ]
)
PICTURES = pa.schema([("run_id", pa.string()), ("name", pa.string()), ("png", pa.binary())])
BOUNDS = pa.schema(
    [
        ("dataset", pa.string()),
        ("codes", pa.string()),  # random, rotated, factors, supervised
        ("setting", pa.string()),  # an id of everything that the codes depend on
        ("updates", pa.int64()),  # that they were trained for; null for those that were not
        ("source", pa.string()),  # the registered metric; without a number, its row has no metric
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("version", pa.int64()),
    ]
)
TABLES = {"rows": ROWS, "pictures": PICTURES, "runs": RUNS}  # of a cohort, in order of writing
SCHEMAS = TABLES | {"bounds": BOUNDS}

WORDS = ("run_id", "metric")  # that repeat, row after row
WORD = pa.dictionary(pa.int32(), pa.string())
Keep = Callable[[str, pa.Table], pa.Array]

UNREADABLE = (
    pa.ArrowException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OSError,
    RecursionError,
)


class StoreError(Exception):
    """The store could not be written, or read, although it is one."""


class StoreWarning(UserWarning):
    """A file in a store was passed over."""


@dataclass
class Tables:
    """The results of one cohort, as lists of rows."""

    runs: list[dict] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    pictures: list[dict] = field(default_factory=list)
    parameters: bytes = b""  # what is kept of what they have learnt, if anything is


class Store:
    """The results at one place; opening it touches nothing."""

    def __init__(self, where: str | Path):
        self.where = str(where)
        try:
            self.fs, self.root = fsspec.core.url_to_fs(self.where)
        except (ValueError, ImportError) as error:
            raise BadInput(f"cannot open {self.where!r}: {error}") from None
        self.is_local = isinstance(self.fs, fsspec.implementations.local.LocalFileSystem)

    def about(self) -> dict | None:
        """{study, about, schema} of the study kept here; None where there is none yet.

        A folder that is something else, or of a newer schema, raises `BadInput`.
        """
        path = f"{self.root}/study.json"
        if not self.fs.exists(path):
            if self.fs.exists(self.root) and (
                not self.fs.isdir(self.root) or self.fs.ls(self.root)
            ):
                raise BadInput(f"{self.where}: expected an empty or new folder, or one of results")
            return None
        try:
            about = json.loads(self.fs.cat_file(path))
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
        for path in self._files("cohorts", ".json"):
            try:
                cohort = json.loads(self.fs.cat_file(path))
                dataset, runs = cohort["dataset"], cohort["runs"]
                title = str(dataset.get("title", dataset["name"]))
                runs = [run | {"id": str(run["id"]), "model": str(run["model"])} for run in runs]
            except UNREADABLE as error:
                _pass_over(path, error)
                continue
            yield cohort | {"dataset": dataset | {"title": title}, "runs": runs}

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
        schema = _schema(name, columns)
        wanted = None if run_ids is None else pa.array(run_ids, pa.string())
        keep = None if wanted is None else lambda _, keys: pc.is_in(keys["run_id"], wanted)
        tables = [table.cast(schema) for _, table in self.tables(name, columns, keep)]
        return pa.concat_tables([schema.empty_table(), *tables])

    def tables(
        self, name: str, columns: list[str] | None = None, keep: Keep | None = None
    ) -> Iterator[tuple[str, pa.Table]]:
        """(cohort, table) of every file, with words that repeat (`WORDS`) as dictionaries.

        Only rows that `keep` are read, if given: of a cohort and a table of the words asked for it
        says which, as booleans. Where it keeps none, nothing else of the file is read.
        """
        schema = _schema(name, columns, dictionaries=True)
        for path in self._files(name, ".parquet"):
            cohort = re.fullmatch(r"(.*?)(-\d+)?", path.rsplit("/", 1)[-1][: -len(".parquet")])[1]
            try:
                part = partial(keep, cohort) if keep else None
                found = _parse(self.fs.cat_file(path), schema, part)
            except UNREADABLE as error:
                _pass_over(path, error)
                continue
            yield cohort, found

    def size(self, name: str) -> int:
        """The bytes of all files of a table."""
        return sum(self.fs.size(path) or 0 for path in self._files(name, ".parquet"))

    def finished(self) -> set[str]:
        """The ids of the runs that need no training any more.

        A run that says it is done and has no rows is not one of them: its file was lost.
        """
        runs = self.read("runs", ["run_id", "status"])
        done = pc.equal(runs["status"], "done")
        has_rows = pc.is_in(runs["run_id"], pc.unique(self.read("rows", ["run_id"])["run_id"]))
        return set(runs.filter(pc.or_(pc.invert(done), has_rows))["run_id"].to_pylist())

    def url(self, name: str) -> str:
        """Where the file `name` of this store is."""
        return self.fs.unstrip_protocol(f"{self.root}/{name}").removeprefix("file://")

    def seen_from_elsewhere(self) -> str:
        """Where it is, for a process that has another working directory."""
        return os.path.abspath(self.root) if self.is_local else self.where

    def put_text(self, name: str, text: str) -> str:
        """Write a whole text file into the store, and say where it is."""
        self.put(name, text.encode())
        return self.url(name)

    def put(self, name: str, content: bytes):
        """Write a file so that it is whole or absent, whatever happens meanwhile."""
        path = f"{self.root}/{name}"
        if not self.is_local:
            self.fs.pipe_file(path, content)  # one put, of which object stores keep all or nothing
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        aside = f"{os.path.dirname(path)}/.{uuid.uuid4().hex}.part"
        try:
            with open(aside, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise

    def get(self, name: str) -> bytes | None:
        """The content of the file `name` of this store; None where there is no such file."""
        try:
            return self.fs.cat_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return None

    def remove(self, name: str):
        """Remove a file that is not needed any more; nothing where there is none."""
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(f"{self.root}/{name}")

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """The names of the files in a folder of this store, without the suffix."""
        paths = self._files(folder, suffix)
        return [path.rsplit("/", 1)[-1].removesuffix(suffix) for path in paths]

    def _write_table(self, name, file_name, records):
        schema = SCHEMAS[name]
        table = pa.Table.from_pylist([_to_cells(record) for record in records], schema)
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        file, attempt = f"{name}/{file_name}.parquet", 1
        while self.fs.exists(f"{self.root}/{file}") and not self._is_sound(file, schema):
            attempt += 1
            file = f"{name}/{file_name}-{attempt}.parquet"
        self.put(file, buffer.getvalue())

    def _is_empty(self) -> bool:
        """Whether this place is a folder with nothing in it but hidden files."""
        if not self.fs.isdir(self.root):
            return False
        names = (path.rsplit("/", 1)[-1] for path in self.fs.ls(self.root, detail=False))
        return all(name.startswith(".") for name in names)

    def _files(self, folder, suffix=".parquet"):
        folder = f"{self.root}/{folder}"
        if not self.fs.isdir(folder):
            return []
        paths = self.fs.ls(folder, detail=False)
        return sorted(path for path in paths if path.endswith(suffix))

    def _is_sound(self, file, schema) -> bool:
        try:
            _parse(self.fs.cat_file(f"{self.root}/{file}"), schema)
        except UNREADABLE:
            return False
        return True


def find(place: str | Path) -> list[Store]:
    """The store at a place; or, of a pattern like `runs/*`, the stores among all that it fits."""
    store = Store(place)
    if not glob.has_magic(store.root) or store.fs.exists(store.root):
        if store.about() is None:
            raise BadInput(f"{place}: expected a folder of results, found none")
        return [store]
    found = []
    for path in sorted(store.fs.glob(f"{store.root}/study.json")):
        root = store.fs.unstrip_protocol(path.removesuffix("/study.json"))
        one = Store(root.removeprefix("file://"))
        try:
            one.about()
        except BadInput as error:
            _pass_over(one.where, error)
        else:
            found.append(one)
    if not found:
        raise BadInput(f"{place}: expected folders of results, found none")
    return found


def _schema(name, columns=None, dictionaries=False):
    """The fields of a table, or those of these columns."""
    fields = list(SCHEMAS[name]) if columns is None else [SCHEMAS[name].field(c) for c in columns]
    if dictionaries:
        fields = [f.with_type(WORD) if f.name in WORDS else f for f in fields]
    return pa.schema(fields)


def _parse(content: bytes, schema, keep=None) -> pa.Table:
    """A Parquet file as a table of exactly this schema; raises where it cannot be one of ours."""
    words = [f.name for f in schema if f.type == WORD]
    file = pq.ParquetFile(io.BytesIO(content), read_dictionary=words)
    if (key := schema.names[0]) not in file.schema_arrow.names:
        raise ValueError(f"it has no column {key}")
    if keep is None:
        return _checked(_columns(file, schema), schema)
    first = _checked(_columns(file, pa.schema([schema.field(name) for name in words])), schema)
    kept = keep(first)
    if not pc.any(kept).as_py():
        return schema.empty_table()
    rest = pa.schema([f for f in schema if f.name not in words])
    rest = _checked(_columns(file, rest), schema)
    both = {f.name: (first if f.name in words else rest)[f.name] for f in schema}
    return pa.table(both, schema=schema).filter(kept)


def _columns(file, schema) -> pa.Table:
    """These columns of a file; those that it lacks are null."""
    known = file.schema_arrow.names
    there = [name for name in schema.names if name in known]
    found, rows = file.read(columns=there, use_threads=False), file.metadata.num_rows
    columns = {
        f.name: _cast(found[f.name], f.type) if f.name in there else pa.nulls(rows, f.type)
        for f in schema
    }
    return pa.table(columns, schema=schema)


def _cast(column, kind):
    if kind != WORD or column.type == WORD:
        return column.cast(kind)
    return column.cast(pa.string()).dictionary_encode()


def _checked(table, schema) -> pa.Table:
    table.validate(full=True)  # text that is not UTF-8, say
    key = schema.names[0]
    if key in table.column_names and table[key].null_count:
        raise ValueError(f"it has rows without {key}")
    for name in {"settings", "dataset_settings"} & set(table.column_names):
        texts = pc.unique(table[name]).to_pylist()
        if not all(isinstance(json.loads(text or "null"), dict) for text in texts):
            raise ValueError(f"its {name} are not JSON objects")
    return table


def _to_cells(record):
    """A record with its settings as JSON."""
    return {k: json.dumps(v) if isinstance(v, dict) else v for k, v in record.items()}


def _pass_over(path, error):
    reason = (str(error) or type(error).__name__).splitlines()[0]
    warnings.warn(f"{path} was passed over: {reason}", StoreWarning, stacklevel=4)
