"""`soberlook query` and `soberlook compare`: what came out, as tables."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.measure import Measurement

from soberlook.registry import BadInput

from .terminal import out, say, table

Places = Annotated[
    list[str],
    typer.Argument(metavar="FOLDER…", help="Folders of results, or a pattern like 'runs/*'."),
]
Where = Annotated[
    str,
    typer.Option(
        metavar="CONDITION",
        help='Only these runs, as in "beta in [1, 4] and not mig < .1".',
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def query(
    places: Places,
    where: Where = "",
    by: Annotated[
        str, typer.Option(metavar="COLUMNS", help="A line for each of their values, by comma.")
    ] = "",
    metric: Annotated[
        str, typer.Option(metavar="COLUMNS", help="What is summarised, by comma. [mig]")
    ] = "",
    agg: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="By comma: median, mean, min, max, std, count, iqm (the mean of the middle half) "
            "or ci (the median and its 95 % interval). [median]",
        ),
    ] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    as_json: AsJson = False,
    file: Annotated[
        str, typer.Option("--out", metavar="FILE", help="Write it to FILE.csv or FILE.json.")
    ] = "",
):
    """Ask a folder of results, or several at once.

    Columns are what is known of a run: model, dataset, seed, status, every setting and every
    metric. What can be asked: docs/querying.md.
    """
    import numpy as np

    from soberlook import results
    from soberlook.results.aggregate import aggregate

    from . import arguments

    if as_csv and as_json:
        raise BadInput("--csv and --json exclude each other")
    if file and Path(file).suffix not in (".csv", ".json"):
        raise BadInput(f"--out must be a file that ends in .csv or .json, found {file!r}")
    runs = results.load(places, where=where or None)
    found = aggregate(
        runs,
        arguments.names(by) or [],
        arguments.names(metric) or ["mig"],
        arguments.names(agg) or ["median"],
        rng=np.random.default_rng(0),
    )
    if file:
        text = to_csv(found) if Path(file).suffix == ".csv" else to_json(found)
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(text)
    elif as_csv or as_json:
        typer.echo(to_csv(found) if as_csv else to_json(found), nl=False)
    else:
        show(found)
        say(f"{len(runs):,} runs")


def show(frame):
    """A frame as a table; what is missing is left empty."""
    shown = table(*map(str, frame.columns))
    for row in frame.itertuples(index=False, name=None):
        shown.add_row(*map(cell, row))
    natural = Measurement.get(out, out.options, shown).maximum
    out.print(shown, width=None if out.is_terminal else natural)  # a pipe has no width


def cell(value) -> str:
    """A value in a table: a number in four figures, and of text nothing that moves a cursor."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "\ufffd" for c in value)
    if value is None or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def to_csv(frame) -> str:
    """A frame as CSV, its numbers in full."""
    return frame.to_csv(index=False, lineterminator="\n")


def to_json(frame) -> str:
    """A frame as a JSON list of objects, with null for what is missing."""
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return json.dumps(records, indent=1, ensure_ascii=False) + "\n"
