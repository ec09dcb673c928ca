"""`compact`: the files of many cohorts as few, while others read and write.

What is merged lies there twice before any of it is removed, and a reader counts it once; every row
says its cohort, so that nothing else changes for those who read. Where this is cut off, the same
again goes on. Left alone are files that are not ours or cannot be read, those beside a cohort's own
(`<cohort>-<number>`), cohorts that are not done, those that somebody is at work on, and a file that
has become another since it was read.
"""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from soberlook.registry import BadInput

from .store import Store, cohort_of, pass_over
from .tables import COHORT, RANK, TABLES, UNREADABLE, in_words, parse, schema_of, to_bytes

SIZE = 2**26  # bytes of files that become one; one of half as many stays
MERGED = re.compile(r"merged-[0-9a-f]{16}")
OURS = {"rows": {"run_id", "metric", "value"}, "pictures": {"run_id", "png"}}
OURS |= {"runs": {"run_id", "status"}}  # columns without which a file is not removed
KEYS = {"rows": ["step", "draw", "metric"], "pictures": ["name"], "runs": []}  # of a cohort's run


@dataclass
class Part:
    """A file that is to be merged, as it was when it was read."""

    name: str
    state: dict
    table: pa.Table


def compact(store: Store) -> tuple[int, int]:
    """Merge the files of cohorts that are done; how many files there were, and how many are left.

    They are one per table, or several of `SIZE` bytes.
    """
    if store.about() is None:
        raise BadInput(f"{store.where}: expected a folder of results, found none")
    store.sweep()
    before = _count(store)
    busy, written, done = _busy(store), set(), set()
    old = {}
    for part in _parts(store, "runs", lambda cohort: cohort not in busy):
        done |= set(pc.unique(part.table[COHORT.name]).to_pylist())
    for table in TABLES:  # runs last: where a run is, its rows are
        group = []
        for part in _parts(store, table, lambda cohort: cohort in done - busy):
            if group and sum(one.state["size"] for one in [*group, part]) > SIZE:
                _merge(store, table, group, old, written)
                group = []
            group.append(part)
        _merge(store, table, group, old, written)
    busy = _busy(store)  # a cohort that is trained again writes under its old name
    for name, state in reversed(old.items()):
        if name not in written and cohort_of(name) not in busy and store.state(name) == state:
            store.remove(name)
    return before, _count(store)


def _parts(store, table, wanted) -> Iterator[Part]:
    """The files of a table that can be merged: of the cohorts wanted, or merged before."""
    names = store.names(table, ".parquet")
    for name in sorted(names, key=lambda name: (not MERGED.fullmatch(name), name)):
        is_merged = bool(MERGED.fullmatch(name))
        if not is_merged and (cohort_of(name) != name or not wanted(name)):
            continue
        file = f"{table}/{name}.parquet"
        state = store.state(file)
        if state is None or is_merged and state["size"] > SIZE / 2:
            continue
        if (found := _whole(store, table, name)) is not None:
            yield Part(file, state, found)


def _whole(store, table, name) -> pa.Table | None:
    """All columns of a file, also those that a later version added; None of one not ours."""
    try:
        if (content := store.get(f"{table}/{name}.parquet")) is None:
            return None
        schema = in_words(schema_of(table))
        found = parse(content, schema, cohort_of(name))
        file = pq.ParquetFile(io.BytesIO(content))
        if missing := OURS[table] - {*file.schema_arrow.names}:
            raise ValueError(f"it has no column {min(missing)}")
        more = [name for name in file.schema_arrow.names if name not in schema.names]
        for name, column in zip(more, file.read(columns=more).columns, strict=True):
            found = found.append_column(name, column)
        return found
    except UNREADABLE as error:
        pass_over(store.url(f"{table}/{name}.parquet"), error)
        return None


def _merge(store, table, group, old, written):
    """Write the tables of a group as one file; the files it replaces are added to `old`."""
    if len(group) < 2:
        return
    merged = pa.concat_tables([one.table for one in group], promote_options="permissive")
    content = to_bytes(_once(table, merged))
    name = f"{table}/merged-{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    store.put(name, content)
    written.add(name)
    old |= {one.name: one.state for one in group}


def _once(table, merged) -> pa.Table:
    """What is there twice of one run of one cohort, because it was cut off here or was repeated."""
    keys = merged.select(["run_id", COHORT.name, *KEYS[table]]).to_pandas()
    if table == "runs":
        keys["rank"] = merged["status"].to_pandas().map(RANK).astype("float64").fillna(0)
        keys["begun"] = merged["begun"].to_pandas()
        keys = keys.sort_values(["rank", "begun"], na_position="first", kind="stable")
        again = keys.duplicated(["run_id", COHORT.name], keep="last").sort_index()
    else:
        again = keys.duplicated(keep="last")
    return merged.filter(pa.array(~again.to_numpy())) if again.any() else merged


def _busy(store) -> set[str]:
    return {*store.names("running", ".json")}


def _count(store) -> int:
    return sum(len(store.names(table, ".parquet")) for table in TABLES)
