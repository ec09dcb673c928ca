"""What a section of the report is, and what it is made from."""

import hashlib
import re
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

NOT_ENOUGH = "Not enough runs to say"
CHOSEN = (  # for sections that name the most and the least of several
    "What is named as the most or the least of several was chosen by the same numbers: its "
    "interval does not know of the choice, and very many seeds would bring it nearer to the others."
)


class Study(NamedTuple):
    """What a store holds, as sections take it."""

    runs: pd.DataFrame  # one row per run, labelled; diverged ones have the metrics' floors
    survivors: pd.DataFrame  # the same runs as they are, NaN where a run has no number
    rows: pd.DataFrame  # the long table: run_id, step, draw, metric, value, version
    bounds: pd.DataFrame
    scores: list[str]  # the scores of disentanglement that any run has, higher is better


class Picture(NamedTuple):
    """A figure, and the numbers behind it."""

    name: str  # of its files, unique in the report; names from data are made safe by `file_name`
    figure: Figure
    alt: str  # what it shows, for those who do not see it: the finding, not the kind of chart
    caption: str  # plain text
    data: pd.DataFrame  # what is drawn, for the CSV
    dataset: str = ""  # that a filter keeps it for; empty where it is of all
    metric: str = ""


class Table(NamedTuple):
    """A table. Texts and numbers are already as they are to be read; nothing is NaN."""

    data: pd.DataFrame  # strings; the columns `dataset` and `metric`, if there, are filtered by
    caption: str = ""


class Image(NamedTuple):
    """Pictures made of pixels, of one run, one below the other."""

    pngs: dict[str, bytes]  # what each shows, in words → PNG
    caption: str
    dataset: str = ""


class Section(NamedTuple):
    """A question, its answer in a sentence or two, and what that rests on."""

    name: str  # the anchor: "variance"
    title: str  # the question
    findings: list[str]  # plain text, made from the numbers; **so** is bold
    pictures: list[Picture] = []
    tables: list[Table] = []
    images: list[Image] = []
    about: str = ""  # how it was computed and is to be read: plain text
    # Why nothing can be said, as "there is one method only"; with NOT_ENOUGH before it where more
    # runs would help. Findings are then empty.
    why: str = ""

    @property
    def answers(self) -> list[str]:
        """What is said: the findings, or that there are none and why."""
        if not self.why:
            return self.findings
        if self.why.startswith(NOT_ENOUGH):
            return [self.why.rstrip(".") + "."]
        return [f"Nothing can be said: {self.why.rstrip('.')}."]


def file_name(name: str) -> str:
    """A name that any file system takes and no path hides in: letters, digits, - and _.

    Where something had to go, a digest of the whole stays, so that two names never become one.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:80]
    if plain == name:
        return name
    return f"{plain.strip('-')}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def say_interval(low: float, high: float, how: str = ".2f") -> str:
    """ " [.10 to .20]", or nothing where there is no interval."""
    return "" if pd.isna(low) or pd.isna(high) else f" [{low:{how}} to {high:{how}}]"


def number(row, how: str = ".2f") -> str:
    """The `value` of a row with its interval, where it has one: "0.31 [0.20 to 0.42]"."""
    return f"{row['value']:{how}}{say_interval(row['low'], row['high'], how)}"


def percent(row, how: str = ".0f") -> str:
    """A share as per cent with its interval: "31 % [20 to 42]"."""
    interval = say_interval(100 * row["low"], 100 * row["high"], how)
    return f"{100 * row['value']:{how}} %{interval}"


def listed(names) -> str:
    """ "a", "a and b", "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
