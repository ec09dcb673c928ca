"""The tables of a store: their columns, and a Parquet file as one of them.

Nothing that a file holds is trusted: what cannot be one of ours raises an error of `UNREADABLE`.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROUP = 2**17  # rows of a file that are read together
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

WORD = pa.dictionary(pa.int32(), pa.string())
WORDS = ("run_id", "metric")  # that repeat, row after row
COHORT = pa.field("cohort", WORD)  # that a row is from: a file's name; a column of merged files
RANK = {"failed": 1, "diverged": 2, "done": 3}  # of a run that is there twice the highest counts
Keep = Callable[[pa.Table], pa.Array]

UNREADABLE = (
    pa.ArrowException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OSError,
    RecursionError,
)


@dataclass
class Tables:
    """The results of one cohort, as lists of rows."""

    runs: list[dict] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    pictures: list[dict] = field(default_factory=list)
    parameters: bytes = b""  # what is kept of what they have learnt, if anything is


def schema_of(name: str, columns: list[str] | None = None) -> pa.Schema:
    """The fields of a table, or those of these columns."""
    fields = SCHEMAS[name] if columns is None else map(SCHEMAS[name].field, columns)
    return pa.schema([*fields])


def in_words(schema: pa.Schema) -> pa.Schema:
    """A schema with words that repeat as dictionaries, and the cohort of every row."""
    fields = [f.with_type(WORD) if f.name in WORDS else f for f in schema]
    return pa.schema([*fields, COHORT])


def parse(content: bytes, schema: pa.Schema, cohort: str = "", keep: Keep | None = None):
    """A Parquet file as a table of exactly this schema; raises where it cannot be one of ours.

    Columns that it lacks are null; its rows are of `cohort` where it says of no other. Only rows
    that `keep` are read, if given: of the words asked for it says which, as booleans. Where it
    keeps none of a group of rows, nothing else of them is read.
    """
    words = [f.name for f in schema if f.type == WORD]
    source = pa.BufferReader(content)
    about = pq.read_metadata(source)
    known = about.schema.to_arrow_schema().names
    if (key := schema.names[0]) not in known:
        raise ValueError(f"it has no column {key}")
    coded = [name for name in words if name in known]
    file = pq.ParquetFile(source, metadata=about, read_dictionary=coded)
    groups = range(file.num_row_groups)
    if keep is None:
        return _checked(_columns(file, groups, schema, cohort), key)
    tables = [schema.empty_table()]
    for group in groups:
        first = pa.schema([schema.field(name) for name in words])
        first = _checked(_columns(file, [group], first, cohort), key)
        kept = keep(first)
        if not pc.any(kept).as_py():
            continue
        rest = pa.schema([f for f in schema if f.name not in words])
        rest = _checked(_columns(file, [group], rest, cohort), key)
        both = {f.name: (first if f.name in words else rest)[f.name] for f in schema}
        tables.append(pa.table(both, schema=schema).filter(kept))
    return pa.concat_tables(tables)


def to_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", row_group_size=GROUP)
    return buffer.getvalue()


def to_table(name: str, records: list[dict]) -> pa.Table:
    """Records, their settings as JSON, as one of the tables."""
    cells = [
        {k: json.dumps(v) if isinstance(v, dict) else v for k, v in record.items()}
        for record in records
    ]
    return pa.Table.from_pylist(cells, SCHEMAS[name])


def _columns(file, groups, schema, cohort) -> pa.Table:
    """These columns of these groups of rows."""
    known = file.schema_arrow.names
    there = [name for name in schema.names if name in known]
    found = file.read_row_groups(list(groups), columns=there, use_threads=False)
    rows = sum(file.metadata.row_group(group).num_rows for group in groups)

    def column(field):
        if field.name in there:
            return _cast(found[field.name], field.type)
        if field == COHORT:
            return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [cohort])
        return pa.nulls(rows, field.type)

    return pa.table({f.name: column(f) for f in schema}, schema=schema)


def _cast(column, kind):
    if kind != WORD or column.type == WORD:
        return column.cast(kind)
    return column.cast(pa.string()).dictionary_encode()


def _checked(table, key) -> pa.Table:
    table.validate(full=True)  # text that is not UTF-8, say
    if key in table.column_names and table[key].null_count:
        raise ValueError(f"it has rows without {key}")
    for name in {"settings", "dataset_settings"} & set(table.column_names):
        texts = pc.unique(table[name]).to_pylist()
        if not all(isinstance(json.loads(text or "null"), dict) for text in texts):
            raise ValueError(f"its {name} are not JSON objects")
    return table
