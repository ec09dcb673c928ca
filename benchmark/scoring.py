"""soberlook metrics: scores of a file's codes, as a table for people or JSON for programs."""

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from soberlook import metrics
from soberlook.metrics.boosting import tree_seconds
from soberlook.registry import BadInput

from .terminal import number, out, say, table

ARRAYS = ("codes", "factors", "factor_sizes")


def score_file(file: str, names: list[str] | None, seed: int, as_json: bool):
    """Score the codes of an .npz file. Exit code 1 where a metric that was asked for has no
    number."""
    if names == ["all"]:
        names = [metric.name for metric in metrics.METRICS.values()]
    for name in names or ():
        metrics.METRICS.find(name)
    arrays = read_arrays(file)
    if "dci" in (names or metrics.USUAL):
        minutes = dci_minutes(**arrays)
        if minutes >= 1:
            width = math.prod(arrays["codes"].shape[1:])
            say(f"dci: trees of {width:,} codes take about {minutes:,.0f} min")
    try:
        # The pools of NumPy's and SciPy's BLAS wait for each other on few cores.
        with threadpool_limits(1, "blas"):
            numbers, reasons = metrics.score(
                **arrays, metrics=names, seed=seed, on_metric=lambda name: say(f"{name} …")
            )
    except ValueError as error:
        raise BadInput(f"{file}: {error}") from None
    for metric, found in numbers.items():
        for name, value in [item for item in found.items() if not np.isfinite(item[1])]:
            del found[name]
            reasons[metric] = f"{name} is {value}"
    if as_json:
        typer.echo(json.dumps(numbers, indent=2))
    else:
        shown = table("metric", "number", "value")
        for metric, found in numbers.items():
            for name, value in found.items():
                shown.add_row(metric, name, number(value, ".4f"))
        out.print(shown)
    for metric, reason in reasons.items():
        say(f"{metric}: {reason}")
    if reasons:
        raise typer.Exit(1)


def read_arrays(file: str) -> dict:
    """The arrays of an .npz file that metrics read. Nothing in it is executed."""
    if not Path(file).is_file():
        raise BadInput(f"expected an .npz file, found none at {file!r}")
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = {name: found[name] for name in ARRAYS if name in found}
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"{file}: not an .npz file of plain arrays: {reason}") from None
    if "codes" not in arrays or len(arrays) != 2:
        there = ", ".join(arrays) or "none of them"
        raise BadInput(f"{file}: expected codes and either factors or factor_sizes, found {there}")
    sizes = arrays.get("factor_sizes", np.ones(1, int))
    if sizes.ndim != 1 or not np.issubdtype(sizes.dtype, np.integer) or (sizes < 1).any():
        raise BadInput(f"{file}: factor_sizes must be whole numbers from 1, found {sizes}")
    return arrays


def dci_minutes(codes, factors=None, factor_sizes=None) -> float:
    """What DCI's trees take, roughly: they grow with the points, the codes and all classes."""
    if factors is None:
        classes, points = int(np.sum(factor_sizes)), metrics.METRICS["dci"].points
    else:
        classes = sum(len(np.unique(factor)) for factor in np.atleast_2d(factors.T))
        points = min(len(codes), metrics.METRICS["dci"].points)
    return tree_seconds(points, math.prod(codes.shape[1:]), classes) / 60
