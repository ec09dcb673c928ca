"""Does a chosen setting stay good?"""

import numpy as np
import pandas as pd

from ..published import TRANSFER, comparable
from ..summary import SCORES
from ..transfer import ALL, KINDS, transfer
from .drawing import BOUND, INK, MEDIAN, PALETTE, WIDTH, axes, style
from .section import CHOSEN, Picture, Section, Study, Table, listed, percent, say_interval
from .silence import silence, silent

NAME, TITLE = "transfer", "Does a setting that was chosen with labels stay good?"
WHERE = {
    ("same", "same"): "by the same score on the same dataset",
    ("same", "other"): "by the same score on another dataset",
    ("other", "same"): "by another score on the same dataset",
    ("other", "other"): "by another score on another dataset",
}
ABOUT = (
    "Of the runs of one seed on one dataset the best by one score is taken, and its setting is "
    "compared with one drawn from all settings. Both are judged by their runs of one other seed. "
    "The paper draws 10,000 such trials; here every trial there is counts once. As in the paper it "
    "is won if the chosen setting is better or equal, so a random choice would win a little more "
    "than half: it is sometimes compared with itself. Intervals are 95 %, each seed left out in "
    "turn. Of two datasets only the settings that both have count, of scores those that the paper "
    f"has, too. {CHOSEN}"
)


def section(study: Study) -> Section:
    """The paper's four numbers, and how far a choice carries from each dataset to each other."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    scores = comparable(study.scores) or study.scores
    found = transfer(study.runs, scores)
    overall = found[found["dataset"] == ALL]
    if overall["value"].isna().all():
        return Section(NAME, TITLE, [], why=silence(overall["why"].iloc[:1]))
    pictures = [_overall(overall), *map(_from, _others(found))]
    findings = _findings(overall, scores)
    return Section(NAME, TITLE, findings, pictures, [_table(overall)], about=ABOUT)


def _others(found):
    """Of every dataset from which something carries to another: its rows, by the same score."""
    found = found[
        (found["dataset"] != ALL) & (found["by_score"] == "same") & found["value"].notna()
    ]
    parts = (own for _, own in found.groupby("dataset", sort=False))
    return [own for own in parts if (own["by_data"] == "other").any()]


def _findings(overall, scores):
    texts, missing = [], {}
    for row in overall.to_dict("records"):
        key = row["by_score"], row["by_data"]
        if np.isnan(row["value"]):
            missing.setdefault(row["why"], []).append(WHERE[key])
            continue
        text = f"{WHERE[key]}, in **{percent(row)}**"
        texts.append(f"{text} (the paper: {TRANSFER[key]} %)")
    chance = 100 * overall["chance"].mean()
    found = (
        "The setting with the best score of one seed is as good as a random one or better, judged "
        f"with another seed {'; '.join(texts)}. A random choice would be in {chance:.0f} %. Scores "
        f"are {listed(SCORES[score] for score in scores)}."
    )
    return [found] + [
        silent(f"of how it does {' or '.join(where)}", why) for why, where in missing.items()
    ]


def _draw(on, place, row):
    colour, marker = (MEDIAN, "o") if row.by_data == "same" else (PALETTE[0], "s")
    if not np.isnan(row.low):
        on.plot([row.low, row.high], [place] * 2, color=colour, lw=2)
    on.plot([row.chance] * 2, [place - 0.35, place + 0.35], color=INK, lw=1)
    on.plot(row.value, place, marker, color=colour, ms=6, mew=0)


def _finish(on, names):
    on.set_yticks(range(len(names)), names)
    on.set_ylim(len(names) - 0.5, -0.6)
    on.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")


def _overall(overall):
    rows = [row for row in overall.itertuples() if not np.isnan(row.value)]
    with style():
        figure, on = axes("As good as a random setting, or better", WIDTH, 0.8 + 0.32 * len(rows))
        for place, row in enumerate(rows):
            paper = TRANSFER[row.by_score, row.by_data] / 100
            _draw(on, place, row)
            on.plot(paper, place, "D", color=BOUND, ms=5, mfc="none", mew=1.4)
            end = np.nanmax([row.value, row.high, paper])
            on.text(end + 0.01, place, f"{100 * row.value:.0f} %", va="center", fontsize=8)
        names = [f"{row.by_score} score, {row.by_data} data" for row in rows]
        _finish(on, names)
    said = ", ".join(f"{WHERE[r.by_score, r.by_data]} {100 * r.value:.0f} %" for r in rows)
    caption = (
        "How often a chosen setting is at least as good as a random one, averaged over scores and "
        "datasets. Lines are 95 % intervals, ticks what a random choice would have, open diamonds "
        "what the paper found."
    )
    alt = f"A chosen setting is at least as good as a random one: {said}"
    return Picture("transfer", figure, alt, caption, overall)


def _from(own):
    dataset = own["dataset"].iloc[0]
    rows = sorted(own.itertuples(), key=lambda row: (row.by_data == "other", -row.value))
    with style():
        figure, on = axes(f"Chosen on {dataset}, judged on", WIDTH, 0.8 + 0.3 * len(rows))
        for place, row in enumerate(rows):
            _draw(on, place, row)
        _finish(on, [row.to for row in rows])
    best, *others = (row for row in rows if row.by_data == "other")
    does = f"does best on {best.to} among the others:" if others else f"is on {best.to}"
    alt = f"A setting chosen on {dataset} {does} at least as good as a random one in "
    alt += f"{100 * best.value:.0f} % of trials"
    caption = (
        f"How often a setting that was chosen on {dataset} is at least as good as a random one by "
        "the same score, averaged over scores, judged on each dataset with another seed. Ticks: "
        "what a random choice would have."
    )
    return Picture(f"transfer_{dataset}", figure, alt, caption, own, dataset)


def _table(overall):
    rows = []
    for data in KINDS:
        for score in KINDS:
            row = overall[(overall["by_data"] == data) & (overall["by_score"] == score)].iloc[0]
            said = not np.isnan(row["value"])
            cells = {"judged": WHERE[score, data].removeprefix("by ")}
            cells["better or equal"] = f"{100 * row['value']:.1f} %" if said else row["why"]
            reach = say_interval(100 * row["low"], 100 * row["high"], ".0f")
            cells["95 % interval"] = reach.strip(" []")
            cells["equal as half"] = f"{100 * row['half']:.1f} %" if said else ""
            cells["a random choice"] = f"{100 * row['chance']:.1f} %" if said else ""
            rows.append(cells | {"the paper": f"{TRANSFER[score, data]} %"})
    caption = "How often the chosen setting is as good as a random one, or better."
    return Table(pd.DataFrame(rows), caption)
