"""Would an equally likely model score as well?"""

import numpy as np
import pandas as pd

from ..impossibility import MARGIN, TWIN, impossibility, noticed, twins_of
from ..summary import SCORES, leading
from .drawing import DOT, PALETTE, WIDTH, axes, style
from .section import Picture, Section, Study, Table, listed, number, percent
from .silence import silent

NAME, TITLE = "impossibility", "Would an equally likely model score as well?"
MOST_LINES = 60  # of a score: runs evenly spread over all, by that score
ABOUT = (
    "Beside every trained model stands another, whose encoder rotates the codes so that each mixes "
    "them all, and whose decoder rotates them back: the same prior, the same likelihood of every "
    "image, the same divergence and ELBO. No likelihood tells the two apart, so what a score says "
    "of one and not of the other comes from elsewhere: the network, the axes of its posterior, "
    "luck. One rotation, the same for all runs, drawn from all. Medians are over all methods, "
    "strengths and seeds; intervals are 95 %, over seeds. A score is said not to notice where the "
    f"whole interval of the loss is within {100 * MARGIN:.0f} % of the score. "
    "Runs that diverged have no twin."
)


def section(study: Study) -> Section:
    """What is lost by rotation, of all datasets and of the scores that were also computed so."""
    runs = study.survivors
    scores = twins_of(runs)
    if not scores:
        return Section(NAME, TITLE, [], why="no run was also scored with its codes rotated")
    found = impossibility(runs, scores, rng=np.random.default_rng(0))
    said = noticed(found)
    numbers = found.set_index(["dataset", "metric", "kind"]).sort_index()
    datasets = found["dataset"].unique()
    findings = [_finding(dataset, numbers, said, scores) for dataset in datasets]
    pictures = [_picture(d, runs[runs["dataset"] == d], numbers, scores) for d in datasets]
    table = _table(numbers, said)
    return Section(NAME, TITLE, findings, [p for p in pictures if p], [table], about=ABOUT)


def _finding(dataset, numbers, said, scores):
    known = [s for s in scores if numbers.loc[(dataset, s, "before"), "runs"] > 0]
    if not known:
        return silent(f"on {dataset}", "no run was also scored with its codes rotated")
    score = leading(known)
    before, after, lost = (numbers.loc[(dataset, score, k)] for k in ("before", "after", "lost"))
    text = f"On {dataset}, an equally likely model has a median {SCORES[score]} of "
    text += f"**{after['value']:.2f}** instead of **{before['value']:.2f}**"
    if not np.isnan(lost["value"]):
        text += f": {percent(lost)} of the score is lost"
    text += "."
    blind = [SCORES[s] for s in known if said[(dataset, s)] == "no"]
    if blind:
        text += f" {listed(blind)} {'do' if len(blind) > 1 else 'does'} not notice."
    risen = [SCORES[s] for s in known if said[(dataset, s)] == "rises"]
    if risen:
        text += f" {listed(risen)} {'rise' if len(risen) > 1 else 'rises'}."
    if before["why"]:
        text += " " + silent("how sure that is", before["why"])
    return text


def _picture(dataset, runs, numbers, scores):
    """A score a pair of columns, before and after; a thin line a run, bold what is in between."""
    known = [s for s in scores if numbers.loc[(dataset, s, "before"), "runs"] > 0]
    if not known:
        return None
    drawn = []
    with style():
        figure, on = axes(f"Trained models and their rotated twins on {dataset}", WIDTH, 2.9)
        for place, score in enumerate(known):
            pairs = runs[[score, score + TWIN]].dropna().sort_values(score)
            every = np.unique(np.linspace(0, len(pairs) - 1, MOST_LINES).astype(int))
            ends = place + np.array([-0.28, 0.28])
            # One line with gaps takes a tenth of the room of so many lines.
            lines = np.insert(pairs.to_numpy()[every], 2, np.nan, axis=1).ravel()
            on.plot(np.tile([*ends, np.nan], len(every)), lines, color=DOT, lw=0.4, alpha=0.5)
            own = numbers.loc[(dataset, score)].loc[["before", "after"]]
            on.plot(ends, own["value"], color=PALETTE[5], lw=1.6, zorder=3)
            for x, row, marker in zip(ends, own.itertuples(), "os", strict=True):
                on.plot([x, x], [row.low, row.high], color=PALETTE[5], lw=3, alpha=0.5, zorder=3)
                on.plot(x, row.value, marker, color=PALETTE[5], ms=5, zorder=4)
            drawn.append(numbers.loc[(dataset, score)].reset_index().assign(metric=score))
        on.set_xticks(range(len(known)), [SCORES[s].replace(" ", "\n", 1) for s in known])
        on.tick_params(axis="x", length=0)
        on.set_xlim(-0.5, len(known) - 0.5)
        on.set_ylim(bottom=min(0, on.get_ylim()[0]))
        on.set_ylabel("score")
    medians = [f"{SCORES[s]} {_before_after(numbers, dataset, s)}" for s in known]
    alt = f"Medians on {dataset}, before rotation and after: {', '.join(medians)}"
    caption = (
        f"Of every score on {dataset}: left the trained model, right the equally likely one with "
        "rotated codes. Thin lines are runs, the bold one joins the medians, with their intervals."
    )
    return Picture(f"impossibility_{dataset}", figure, alt, caption, pd.concat(drawn), dataset)


def _before_after(numbers, dataset, score):
    values = [numbers.loc[(dataset, score, kind), "value"] for kind in ("before", "after")]
    return f"{values[0]:.2f} and {values[1]:.2f}"


def _table(numbers, said):
    rows = []
    for dataset, score in said.index:
        own = numbers.loc[(dataset, score)]
        cells = {"dataset": dataset, "metric": score, "runs": f"{own['runs'].iloc[0]:,}"}
        for kind, name in (("before", "median"), ("after", "rotated")):
            row = own.loc[kind]
            cells[name] = row["why"] if np.isnan(row["value"]) else number(row, ".3f")
        for kind, name in (("lost", "share lost"), ("higher", "twins that score higher")):
            row = own.loc[kind]
            cells[name] = row["why"] if np.isnan(row["value"]) else percent(row)
        rows.append(cells | {"notices": said[(dataset, score)]})
    return Table(pd.DataFrame(rows), "Scores of trained models and of their rotated twins.")
