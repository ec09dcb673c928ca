"""The output of `soberlook bench`: a table for people, JSON for programs."""

import json
import os
from pathlib import Path

import jax
import numpy as np

from soberlook import datasets
from soberlook.registry import BadInput, unknown

from .bench import Case, Contestant, measure
from .provenance import provenance
from .studies import throughput
from .terminal import out, say, table

PEER_IMAGES = 4_096


def run_bench(*, networks, models, widths, settings, rounds, seconds, json_file):
    """Measure all cases and show them; what is None is the default."""
    chosen = {"networks": networks, "models": models, "widths": widths}
    for kind, known in (("network", throughput.NETWORKS), ("model", throughput.MODELS)):
        for name in chosen[f"{kind}s"] or ():
            if name not in known:
                raise unknown(f"{kind} to measure", name, known)
    if json_file and not Path(json_file).absolute().parent.is_dir():
        raise BadInput(f"--json must be a file in a folder that is there, found {json_file!r}")
    chosen = {name: tuple(value) for name, value in chosen.items() if value}
    cases = throughput.cases(**chosen, **settings)
    for case in cases:
        case.instance()  # wrong settings are an error before anything is measured
    rows = []
    for case in cases:
        row = measure(case, plain_torch, rounds=rounds, seconds=seconds, say=say)
        say(f"{case.name}: {_summary(row)}")
        rows.append(row)
    out.print(_table(rows))
    if json_file:
        ratios = {f"ratio_{row['case']}": row["ratio"] for row in rows if row["ratio"]}
        about = provenance() | {"cores": os.cpu_count(), "devices": jax.local_device_count()}
        value = {**ratios, "rounds": rounds, "seconds": seconds, **about, "cases": rows}
        Path(json_file).write_text(json.dumps(value, indent=2) + "\n")
    if not any(row["ratio"] for row in rows):
        say("PyTorch is not installed: nothing to compare with (pip install soberlook[bench])")


def plain_torch(case: Case) -> list[Contestant]:
    """PyTorch's contestants; none where it is not installed."""
    try:
        from .studies.plain_torch import contestants
    except ImportError:
        return []
    dataset = datasets.make(case.dataset)
    cells = np.random.default_rng(0).integers(dataset.size, size=PEER_IMAGES)
    images = np.array(dataset.observe(dataset.load(), cells, jax.random.key(0)))
    return [Contestant(way, run) for way, run in contestants(case, images)]


def _summary(row):
    rates = ", ".join(f"{way} {rate:,.0f}" for way, rate in row["images_per_second"].items())
    return f"{rates} images/s"


def _table(rows):
    """One row a case; speeds are images × models per second."""
    ways = list(dict.fromkeys(way for row in rows for way in row["images_per_second"]))
    columns = ("network", "model", "width", *ways, "ratio", "of floor", "compiled in", "memory")
    shown = table(*columns)
    for row in rows:
        rates = row["images_per_second"]
        shown.add_row(
            row["network"],
            row["model"],
            str(row["width"]),
            *(f"{rates[way]:,.0f}" if way in rates else "" for way in ways),
            f"{row['ratio']:.2f}" if row["ratio"] else "",
            f"{row['share_of_floor']:.0%}",
            f"{row['compile_seconds']:.1f} s",
            f"{row['megabytes']:,.0f} MB",
        )
    return shown
