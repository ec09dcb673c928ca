"""Every setting, in one table."""

import pandas as pd

from ..summary import SCORE, SCORES, summarize
from .section import Section, Study, Table

NAME, TITLE = "settings", "Every setting"
MEDIANS = {"reconstruction": ".2f", "kl": ".2f", "active_units": ".1f"}
ABOUT = (
    "Medians over the seeds that have a number; reconstruction and KL in nats per image. Lost runs "
    "failed or diverged."
)


def section(study: Study) -> Section:
    """A row per dataset, method and setting."""
    if study.survivors.empty:
        return Section(NAME, TITLE, [], why="there are no runs")
    table = summarize(study.survivors)
    shown = table[["dataset", "model"]].assign(setting=table["label"])
    for column in ("runs", "lost"):
        shown[column] = table[column].map("{:,}".format)
    if f"{SCORE}_median" in table:
        low, high = (table[f"{SCORE}_{end}"].map(_number(".3f")) for end in ("min", "max"))
        shown[f"{SCORES[SCORE]}, median"] = table[f"{SCORE}_median"].map(_number(".3f"))
        shown["lowest to highest"] = (low + " to " + high).where(low != "", "")
    for column, how in MEDIANS.items():
        if column in table:
            name = {"kl": "KL", "active_units": "active units"}.get(column, column)
            shown[name] = table[column].map(_number(how))
    text = f"{len(shown):,} settings of {table['model'].nunique()} methods on "
    text += f"{table['dataset'].nunique()} datasets, {_reach(table['runs'])} runs each."
    return Section(NAME, TITLE, [text], tables=[Table(shown)], about=ABOUT)


def _number(how):
    return lambda value: "" if pd.isna(value) else format(value, how)


def _reach(counts):
    low, high = counts.min(), counts.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
