"""The store: a folder, local or in an object store, that holds the results of one study.

    study.json                 the study's name and the schema of the files
    cohorts/<cohort>.json      what a cohort is to train, written before it starts
    rows/<cohort>.parquet      (run, step, metric, value)
    pictures/<cohort>.parquet  (run, name, PNG)
    runs/<cohort>.parquet      a row per run; written last: where it is, the cohort is done

Files are whole or absent: written aside and renamed, or put in one piece. Nothing read from a
store is ever executed; a file that is not what it should be is named and left alone.
"""

import io
import json
import os
import uuid
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import fsspec
import pyarrow as pa
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
        ("seed", pa.int64()),
        ("updates", pa.int64()),
        ("batch_size", pa.int64()),
        ("images_seen", pa.int64()),
        ("status", pa.string()),  # done, diverged, failed
        ("reason", pa.string()),
        ("parameters", pa.int64()),
        ("train_seconds", pa.float64()),
        ("evaluate_seconds", pa.float64()),
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
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("version", pa.int64()),
    ]
)
PICTURES = pa.schema([("run_id", pa.string()), ("name", pa.string()), ("png", pa.binary())])
TABLES = {"rows": ROWS, "pictures": PICTURES, "runs": RUNS}  # in the order of writing


class StoreWarning(UserWarning):
    """A file in a store was passed over."""


@dataclass
class Tables:
    """The results of one cohort, as lists of rows."""

    runs: list[dict] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    pictures: list[dict] = field(default_factory=list)


class Store:
    """The results at one place; opening it touches nothing."""

    def __init__(self, where: str | Path):
        self.where = str(where)
        try:
            self.fs, self.root = fsspec.core.url_to_fs(self.where)
        except (ValueError, ImportError) as error:
            raise BadInput(f"cannot open {self.where!r}: {error}") from None
        self.is_local = isinstance(self.fs, fsspec.implementations.local.LocalFileSystem)

    def study(self) -> str | None:
        """The name of the study kept here; None where there is none yet.

        A folder that is something else, or of a newer schema, raises `BadInput`.
        """
        path = f"{self.root}/study.json"
        if not self.fs.exists(path):
            if self.fs.exists(self.root) and (not self.fs.isdir(self.root) or self._files("runs")):
                raise BadInput(f"{self.where}: expected a folder with study.json, found none in it")
            return None
        try:
            about = json.loads(self.fs.cat_file(path))
            study, schema = str(about["study"]), int(about["schema"])
        except (ValueError, TypeError, KeyError):
            raise BadInput(f"{self.where}/study.json: not a soberlook study") from None
        if schema > SCHEMA:
            raise BadInput(
                f"{self.where} has schema {schema}, this version reads up to {SCHEMA}: "
                "update soberlook, or choose another --out"
            )
        return study

    def check(self, study: str):
        """Raise `BadInput` unless this place is empty or holds this study."""
        found = self.study()
        if found not in (None, study):
            raise BadInput(
                f"{self.where} holds study {found!r}, expected {study!r}: choose another --out"
            )

    def create(self, study: str):
        """Make this place hold `study`."""
        self.check(study)
        about = {"study": study, "schema": SCHEMA}
        self._put("study.json", json.dumps(about).encode())

    def plan(self, cohort: str, text: str):
        """Keep what a cohort is to train."""
        self._put(f"cohorts/{cohort}.json", text.encode())

    def planned(self) -> dict[str, dict]:
        """Run id → {dataset, model}, of every run that was ever planned here."""
        runs = {}
        for path in self._files("cohorts", ".json"):
            try:
                cohort = json.loads(self.fs.cat_file(path))
                dataset = str(cohort["dataset"]["name"])
                found = {
                    str(run["id"]): {"dataset": dataset, "model": str(run["model"])}
                    for run in cohort["runs"]
                }
            except (ValueError, TypeError, KeyError) as error:
                self._pass_over(path, error)
                continue
            runs |= found
        return runs

    def write(self, cohort: str, tables: Tables):
        """Keep a cohort's results; what was here under its name is replaced."""
        for name, schema in TABLES.items():
            records = [_to_cells(record) for record in getattr(tables, name)]
            buffer = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(records, schema), buffer, compression="zstd")
            self._put(f"{name}/{cohort}.parquet", buffer.getvalue())

    def read(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """One of the tables, of all cohorts: "runs", "rows" or "pictures".

        Columns that a file lacks are null. A file that is truncated or something else is passed
        over with a `StoreWarning`.
        """
        schema = TABLES[name]
        schema = schema if columns is None else pa.schema([schema.field(c) for c in columns])
        tables = [schema.empty_table()]
        for path in self._files(name, ".parquet"):
            try:
                found = pq.read_table(io.BytesIO(self.fs.cat_file(path)))
                if "run_id" not in found.column_names:
                    raise ValueError("it has no column run_id")
                tables.append(_to_schema(found, schema))
            except (pa.ArrowException, ValueError, OSError) as error:
                self._pass_over(path, error)
        return pa.concat_tables(tables)

    def finished(self) -> set[str]:
        """The ids of the runs that need no training any more."""
        return set(self.read("runs", ["run_id"])["run_id"].to_pylist())

    def url(self, name: str) -> str:
        """Where the file `name` of this store is."""
        return self.fs.unstrip_protocol(f"{self.root}/{name}").removeprefix("file://")

    def put_text(self, name: str, text: str) -> str:
        """Write a whole text file into the store, and say where it is."""
        self._put(name, text.encode())
        return self.url(name)

    def _files(self, folder, suffix=".parquet"):
        folder = f"{self.root}/{folder}"
        if not self.fs.isdir(folder):
            return []
        paths = self.fs.ls(folder, detail=False)
        return sorted(path for path in paths if path.endswith(suffix))

    def _put(self, name, content: bytes):
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

    def _pass_over(self, path, error):
        reason = (str(error) or type(error).__name__).splitlines()[0]
        warnings.warn(f"{path} was passed over: {reason}", StoreWarning, stacklevel=3)


def _to_cells(record):
    """A record with its settings as JSON."""
    return {k: json.dumps(v) if isinstance(v, dict) else v for k, v in record.items()}


def _to_schema(table, schema):
    """`table` with exactly the columns of `schema`; raises where a type does not fit."""
    columns = [
        table[f.name].cast(f.type) if f.name in table.column_names else pa.nulls(len(table), f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)

