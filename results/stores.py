"""Several stores as one: a run that is in more than one of them, or twice in one, counts once."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from soberlook.registry import BadInput

from .store import find
from .tables import COHORT, PICTURES, RANK, RUNS

Places = str | Path | Iterable[str | Path]


class Stores:
    """The results at one place, at several, or at all that a pattern like `runs/*` fits."""

    def __init__(self, places: Places):
        places = [places] if isinstance(places, (str, Path)) else places
        self.stores = [store for place in places for store in find(place)]
        if not self.stores:
            raise BadInput("expected a folder of results, or a list of them, found an empty list")

    def runs(self) -> pd.DataFrame:
        """The columns of `RUNS`, a row per run.

        Of one that is there twice that which is done, else diverged, else failed; of equals that
        begun last. `source` says which store and cohort it is of, `twice` whether it is elsewhere,
        too.
        """
        columns = [*RUNS, pa.field("source", pa.string())]
        tables = [pa.schema(columns).empty_table()]
        for number, store in enumerate(self.stores):
            for table in store.tables("runs"):
                cohorts = table[COHORT.name].to_pylist()
                source = pa.array([_source(number, cohort) for cohort in cohorts], pa.string())
                table = table.select(RUNS.names).cast(RUNS)
                tables.append(table.append_column("source", source))
        runs = to_frame(pa.concat_tables(tables))
        rank = runs["status"].map(RANK).astype("float64").fillna(0)
        runs = runs.assign(rank=rank).sort_values(["rank", "begun"], na_position="first")
        runs = runs.drop(columns="rank")
        runs["twice"] = runs.duplicated("run_id", keep=False)
        return runs.drop_duplicates("run_id", keep="last").sort_index(ignore_index=True)

    def rows(self, runs: pd.DataFrame, metrics=None) -> tuple[pd.DataFrame, list[str]]:
        """The rows of these runs, all or of these metrics; and the names of all metrics there are.

        `run` is the position of a run in `runs`, `metric` that of a name among the names. Rows of
        other runs belong to a cohort that was cut off before it was done.
        """
        names = {}
        wanted = None if metrics is None else pa.array(list(metrics), pa.string())

        def keep(words):
            for name in pc.unique(words["metric"]).drop_null().to_pylist():
                names.setdefault(name, len(names))
            return (
                pc.is_valid(words["metric"])
                if wanted is None
                else pc.is_in(words["metric"], wanted)
            )

        fields = ["run", "step", "draw", "metric", "value", "version"]
        types = [pa.int32(), pa.int64(), pa.int64(), pa.int32(), pa.float64(), pa.int64()]
        tables = [pa.schema(zip(fields, types, strict=True)).empty_table()]
        for run, table in self._tables("rows", runs, keep):
            metric = _positions(table["metric"], names)
            columns = {"run": run, "metric": metric, "value": table["value"]}
            columns |= {name: pc.fill_null(table[name], 0) for name in ("step", "draw")}
            columns |= {"version": table["version"]}
            tables.append(pa.table(columns, schema=tables[0].schema))
        rows = to_frame(pa.concat_tables(tables))
        again = rows[["run", "step", "draw", "metric"]].duplicated(keep="last")
        return (rows[~again].reset_index(drop=True) if again.any() else rows), list(names)

    def pictures(self, runs: pd.DataFrame) -> pd.DataFrame:
        """run_id, name and the bytes of a PNG, of these runs."""
        names = PICTURES.names
        found = [t.select(names).cast(PICTURES) for _, t in self._tables("pictures", runs)]
        found = pa.concat_tables([PICTURES.empty_table(), *found]).to_pandas()
        return found.drop_duplicates(["run_id", "name"], keep="last", ignore_index=True)

    def bounds(self) -> pd.DataFrame:
        """The table of bounds."""
        return pa.concat_tables([store.read("bounds") for store in self.stores]).to_pandas()

    def _tables(
        self, name: str, runs: pd.DataFrame, also: Callable[[pa.Table], pa.Array] | None = None
    ) -> Iterator[tuple[np.ndarray, pa.Table]]:
        """Of every file the rows that belong to these runs, and the positions of their runs.

        The rows of a run that is there twice are those of its cohort. `also` says which of
        the rows are wanted.
        """
        ids = {run_id: position for position, run_id in enumerate(runs["run_id"])}
        twice = np.append(runs["twice"].to_numpy(bool), False)
        sources = {source: place for place, source in enumerate(dict.fromkeys(runs["source"]))}
        source = np.append(runs["source"].map(sources).to_numpy(np.int32), -1)

        def keep(own, words):
            run = _positions(words["run_id"], ids)  # −1: not wanted
            mine = run >= 0
            if twice.any():
                mine &= ~twice[run] | (_positions(words[COHORT.name], own) == source[run])
            return mine if also is None else mine & np.asarray(also(words), bool)

        for number, store in enumerate(self.stores):
            mark = _source(number, "")
            own = {s.removeprefix(mark): p for s, p in sources.items() if s.startswith(mark)}
            for table in store.tables(name, keep=partial(keep, own)):
                yield _positions(table["run_id"], ids), table


def to_frame(table: pa.Table) -> pd.DataFrame:
    """A table as a frame in which whole numbers stay whole: int64, or Int64 with some missing."""
    frame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    whole = [name for name in frame.select_dtypes("Int64") if frame[name].notna().all()]
    return frame.astype(dict.fromkeys(whole, "int64"))


def _source(number, cohort):
    return f"{number}/{cohort}"


def _positions(words: pa.ChunkedArray, known: dict[str, int]) -> np.ndarray:
    """The positions of these dictionary-encoded words; −1 of those that are not known."""
    found = [np.empty(0, np.int32)]
    for chunk in words.chunks:
        positions = [known.get(word, -1) for word in chunk.dictionary.to_pylist()]
        codes = chunk.indices.fill_null(-1).to_numpy()
        found.append(np.array([*positions, -1], np.int32)[codes])
    return np.concatenate(found)
