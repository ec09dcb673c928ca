"""`soberlook query` and `soberlook compare`: what came out, as tables."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.measure import Measurement

from soberlook.registry import BadInput

from .terminal import number, out, say, table

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
        try:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise BadInput(f"--out must be a file to write, {error}") from None
    elif as_csv or as_json:
        typer.echo(to_csv(found) if as_csv else to_json(found), nl=False)
    else:
        show(found)
        say(f"{len(runs):,} runs{few_seeds(found)}")


def few_seeds(found) -> str:
    """Why medians stand there without an interval, where any does."""
    medians = (name.removesuffix("_low") for name in found if str(name).endswith("_low"))
    pairs = ((f"{name}_low", f"{name}_median") for name in medians if f"{name}_median" in found)
    alone = any((found[low].isna() & found[median].notna()).any() for low, median in pairs)
    return "; an interval takes six seeds or more that differ" if alone else ""


def show(frame):
    """A frame as a table; what is missing is left empty."""
    shown = table(*map(str, frame.columns))
    frame = frame.astype(object).where(frame.notna(), None)
    for row in frame.itertuples(index=False, name=None):
        shown.add_row(*map(cell, row))
    if out.is_terminal:
        out.print(shown)
        return
    wide = Console(width=100_000, markup=False, highlight=False)  # a pipe has no width
    wide.print(shown, width=Measurement.get(wide, wide.options, shown).maximum)


def cell(value) -> str:
    """A value in a table: a number in four figures, and of text nothing that moves a cursor."""
    if isinstance(value, str):
        return plain(value)
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def plain(text: str) -> str:
    """Text from data without what moves a cursor or changes a colour."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def to_csv(frame) -> str:
    """A frame as CSV, its numbers in full."""
    return frame.to_csv(index=False, lineterminator="\n")


def to_json(frame) -> str:
    """A frame as a JSON list of objects, with null for what is missing."""
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return json.dumps(records, indent=1, ensure_ascii=False) + "\n"


def compare(
    a: Annotated[str, typer.Argument(metavar="FOLDER_A", help="Results, as they were.")],
    b: Annotated[str, typer.Argument(metavar="FOLDER_B", help="Results, as they are.")],
    metric: Annotated[
        str,
        typer.Option(metavar="NAMES", help="By comma. [the scores of disentanglement in both]"),
    ] = "",
    by: Annotated[
        str, typer.Option(metavar="WHAT", help="Compare by method or by setting. [method]")
    ] = "",
    margin: Annotated[
        str,
        typer.Option(
            metavar="N", help="A difference that matters, in standard deviations of seeds. [0.5]"
        ),
    ] = "",
    where: Where = "",
    as_json: AsJson = False,
):
    """Say what changed between two studies, or two versions of the code.

    Settings that are in both are compared, over their seeds, and so are runs that are the same.
    """
    from soberlook import results
    from soberlook.results.compare import MARGIN, compare

    from . import arguments

    try:
        reach = float(margin or MARGIN)
    except ValueError:
        raise BadInput(f"--margin must be a number, found {margin!r}") from None
    frames = [results.load(place, where=where or None) for place in (a, b)]
    bare = [results.load(place, where=where or None, metrics=()) for place in (a, b)]
    says = [name for frame in bare for name in frame if name not in results.frame.COLUMNS]
    about = {"by": by or "method", "margin": reach, "says": says}
    found = compare(*frames, arguments.names(metric), **about, bounds=results.bounds([a, b]))
    if as_json:
        tables = {name: part for name, part in found._asdict().items() if name != "findings"}
        tables = {name: json.loads(to_json(part)) for name, part in tables.items()}
        typer.echo(json.dumps(tables | {"findings": found.findings}, indent=1, ensure_ascii=False))
        return
    if len(found.provenance):
        show(found.provenance.rename(columns={"what": "made with"}))
    for part in (only_in_one(found.settings), told(found.differences)):
        if len(part):
            out.print()
            show(part)
    out.print()
    for line in found.findings:
        out.print(plain(line), soft_wrap=True)


def only_in_one(settings):
    """A line for the settings of a model that are not in both, or not quite."""
    rest = settings[settings["where"] != "both"]
    groups = rest.groupby(["dataset", "model", "where", "changes"], sort=False)["label"]
    return groups.agg(settings="count", which=", ".join).reset_index()


def told(differences):
    """Differences as one reads them."""
    told = differences.copy()
    told["difference"] = [
        number(value, "+.3g") + ("" if low != low else f" [{low:+.2g} to {high:+.2g}]")
        for value, low, high in told[["value", "low", "high"]].itertuples(index=False)
    ]
    seeds = told[["seeds_a", "seeds_b"]].astype("string")
    told["seeds"] = (seeds["seeds_a"] + ", " + seeds["seeds_b"]).fillna("")
    keys = [key for key in ("dataset", "model", "label", "metric") if key in told]
    columns = ["median_a", "median_b", "difference", "seeds", "p_holm", "verdict", "why"]
    return told[[*keys, *columns]]
