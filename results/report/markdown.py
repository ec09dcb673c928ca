"""The findings as a document to keep in a repository: the paper's questions, its numbers, ours."""

import pandas as pd

from ..published import SAID, TRANSFER, variance_explained
from ..summary import SCORES
from .page import MINUS
from .section import Section, Study, Table, listed, say_interval
from .silence import silence

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

    `explained` is what `variance_explained` gives of the scores that are `published.comparable`,
    `moved` what `transfer` does.
    """
    table = variance_explained()
    rows = []
    for of, what in (
        ("method", "variance of a score that the method explains (R²)"),
        ("method and strength", "the same of method and strength (R²)"),
    ):
        paper = table[of.replace(" ", "_")].mean()
        ours = explained[explained["of"] == of].tail(1)  # the last is of all datasets and scores
        rows.append((what, f"{100 * paper:.0f} %", _said(ours, "r2")))
    for (score, dataset), share in TRANSFER.items():
        what = "a setting chosen by one score on one dataset is as good as a random one or better"
        what += f", by {_the(score)} score on {_the(dataset)} dataset"
        ours = moved[(moved["by_score"] == score) & (moved["by_data"] == dataset)]
        rows.append((what, f"{share:.1f} %", _said(ours[ours["dataset"] == "all"], "value")))
    data = pd.DataFrame(rows, columns=["number", "the paper", "here"])
    scores = [SCORES[metric] for metric in explained["metric"].unique() if metric in SCORES]
    caption = "None of the paper's scores is here."
    if scores:
        caption = f"Averages over datasets and scores, which are here {listed(scores)}."
    table = Table(data, caption)
    return Section("headlines", "The headline numbers", [], tables=[table])


def _the(which):
    return {"same": "the same", "other": "another"}[which]


def _said(found, column):
    """The number of a frame's one row, with the interval where it is of this number; or why not."""
    if found.empty:
        return ""
    row = found.iloc[0]
    if pd.isna(row[column]):
        return silence([row["why"]])
    ends = 100 * row[["low", "high"]] if column == "value" else (None, None)
    return f"{100 * row[column]:.1f} %{say_interval(*ends, '.1f')}"


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
    names = ["score" if c == "metric" else c for c in data]
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
