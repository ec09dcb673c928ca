"""`soberlook status`: how far a study is, once or again and again."""

import time
from contextlib import contextmanager, suppress
from time import sleep as pause
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live

from .cli_results import plain
from .terminal import out, say, table

REASONS = 20  # shown at most


def status(
    where: Annotated[str, typer.Argument(metavar="FOLDER", help="A folder of results.")],
    watch: Annotated[
        str,
        typer.Option(
            metavar="[SECONDS]",
            help="Look again every so many seconds, 5 if not said, until nothing is missing.",
        ),
    ] = "",
):
    """Say what of a study is done, what is being trained, what went wrong, and what is missing.

    It looks at the results alone, also while a cluster writes them.
    """
    from soberlook.results.standing import standing_of
    from soberlook.results.store import StoreError

    from . import arguments

    seconds = arguments.whole_number("--watch", watch, low=1)
    found = standing_of(where, time.time())
    if not seconds:
        out.print(shown(found), soft_wrap=True)
        return
    with suppress(KeyboardInterrupt), screen() as show:
        show(found)
        while missing(found):
            pause(seconds)
            try:
                found = standing_of(where, time.time())
            except (StoreError, OSError):
                say(f"{where} does not answer: looking again")
            else:
                show(found)


@contextmanager
def screen():
    """What shows a standing: in one place on a terminal, one after the other elsewhere."""
    if out.is_terminal:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda found: live.update(shown(found), refresh=True)
    else:
        yield lambda found: out.print(
            time.strftime("%H:%M:%S"), shown(found), "", sep="\n", soft_wrap=True
        )


def missing(found) -> int:
    """How many runs are pending or running."""
    return int(found.cells[["pending", "running"]].to_numpy().sum())


def shown(found) -> Group:
    """A standing, what matters most at its top: a terminal may be too small for all of it."""
    total = found.cells.sum()
    runs = f"{total.sum():,} runs: " + ", ".join(f"{n:,} {state}" for state, n in total.items())
    cells = table(*found.cells.index.names, *found.cells)
    for cell, counts in found.cells.iterrows():
        cells.add_row(*map(plain, cell), *map(str, counts))
    reasons = [f"{n:,} × {plain(reason)}" for n, reason in found.reasons]
    if len(reasons) > REASONS:
        reasons[REASONS:] = [f"and {len(reasons) - REASONS:,} other reasons"]
    return Group(runs, *speed(found), cells, *reasons)


def speed(found) -> list[str]:
    """How fast runs are trained while any are, and how long the others take at that, as a line."""
    from .estimate import duration

    parts = []
    if missing(found):
        cohorts = f"{found.at_work:,} cohort{'s' * (found.at_work > 1)}"
        parts.append(f"{cohorts if found.at_work else 'nobody'} at work")
    if found.images_per_second is not None:
        rates = {"images/s": found.images_per_second, "runs/h": found.runs_per_hour}
        parts += [f"{n:,.0f} {of}" if n >= 10 else f"{n:.2g} {of}" for of, n in rates.items()]
    if missing(found) and found.seconds_left is not None:
        once = "" if found.at_work else " once somebody is"
        parts.append(f"about {duration(found.seconds_left)} left{once}")
    return [", ".join(parts)] if parts else []
