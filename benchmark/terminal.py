"""What people see: one console for results, one for everything said on the way."""

import sys

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 120  # of tables, where there is no terminal to ask

out = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, highlight=False)
err = Console(stderr=True, markup=False, highlight=False)


def say(text: str):
    """One line for the person, not for a pipe."""
    err.print(text, soft_wrap=True)


def table(*columns: str) -> Table:
    """An empty table without lines."""
    empty = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        empty.add_column(column, overflow="fold")
    return empty


def number(value, how: str) -> str:
    """`value` as `how` says; nothing where there is none."""
    return "" if value is None or value != value else format(value, how)
