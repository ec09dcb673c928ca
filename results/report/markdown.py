"""The findings as a document to keep in a repository: the paper's questions, its numbers, ours."""

import pandas as pd

from ..published import SAID, TRANSFER, variance_explained
from ..summary import SCORES
from .page import MINUS
from .section import Section, Study, Table, listed, say_interval

MOST_ROWS = 40  # of a table; a longer one is in the report


def findings(title: str, about: str, study: Study, sections: list[Section], command: str) -> str:
    """Markdown: every question with its answer, and what the paper says of it."""
    runs = study.survivors
    lost = int((runs["status"] != "done").sum())
    counts = f"{len(runs):,} runs, {lost:,} of them lost, "
    counts += f"{runs['seed'].nunique()} seeds, on {listed(sorted(runs['dataset'].unique()))}."
    lines = [
        f"# What {_plain(title)} found",
        "",
        "*Challenging Common Assumptions in the Unsupervised Learning of Disentangled "
        "Representations* (Locatello et al., 2019) beside this study: its sentences first, then "
        "ours, whatever they are. Its runs are of other data, other networks and longer training; "
        "that numbers differ proves neither wrong.",
        "",
        _plain(f"{about} {counts}"),
        "",
        f"Written by `{command}`. Intervals are at 95 %, with seeds as clusters.",
        "",
    ]
    for section in sections:
        lines += _question(section)
    return "\n".join(lines).rstrip() + "\n"


def headlines(explained: pd.DataFrame, moved: pd.DataFrame) -> Section:
    """The paper's headline numbers beside ours.

    `explained` is what `variance_explained` gives, `moved` what `transfer` does.
    """
    table = variance_explained()
    rows = []
    for of, what in (
        ("method", "variance of a score that the method explains (R²)"),
        ("method and strength", "the same of method and strength (R²)"),
    ):
        paper = table[of.replace(" ", "_")].mean()
        rows.append((what, f"{100 * paper:.0f} %", _said(explained[explained["of"] == of], "r2")))
    for (score, dataset), share in TRANSFER.items():
        what = "a setting chosen by one score on one dataset is as good as a random one or better"
        what += f", by {_the(score)} score on {_the(dataset)} dataset"
        ours = moved[(moved["score"] == score) & (moved["data"] == dataset)]
        rows.append((what, f"{share:.1f} %", _said(ours, "value")))
    data = pd.DataFrame(rows, columns=["number", "the paper", "here"])
    return Section("headlines", "The headline numbers", [], tables=[Table(data)])


def _the(which):
    return {"same": "the same", "other": "another"}[which]


def _said(found, column):
    """The average over all datasets and scores, or the only number, with its interval."""
    for dataset in ("all", *found["dataset"].unique()):
        own = found[found["dataset"] == dataset]
        own = own[own["metric"] == "all"] if "metric" in own and len(own) > 1 else own
        if len(own) == 1 and pd.notna(own[column].iloc[0]):
            row = own.iloc[0]
            low, high = (100 * row["low"], 100 * row["high"]) if column == "value" else (None, None)
            return f"{100 * row[column]:.1f} %{say_interval(low, high, '.1f')}"
    return "not enough runs to say"


def _question(section):
    lines = [f"## {section.title}", ""]
    if section.name in SAID:
        lines += [f"The paper: {SAID[section.name]}", ""]
    lines += [*(f"- {_plain(text)}" for text in section.answers), ""]
    for table in section.tables:
        lines += _table(table)
    return lines


def _table(table):
    data = table.data
    if len(data) > MOST_ROWS:
        return []
    names = [("score" if c == "metric" else c).replace("_", " ") for c in data]
    lines = [table.caption, ""] if table.caption else []
    lines += ["| " + " | ".join(map(_plain, names)) + " |", "|" + "---|" * len(names)]
    for record in data.to_dict("records"):
        cells = [SCORES.get(v, v) if c == "metric" else v for c, v in record.items()]
        lines.append(
            "| " + " | ".join(_plain(str(cell)).replace("|", "\\|") for cell in cells) + " |"
        )
    return [*lines, ""]


def _plain(text):
    """Text from data as a line of Markdown that says the same: no tags and no links of its own."""
    text = MINUS.sub("−", " ".join(text.split()))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("](", "]\\(")
