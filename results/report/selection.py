"""Can good runs be chosen without labels?"""

import numpy as np
import pandas as pd

from ..likelihoods import comparable
from ..rank_correlations import rank_correlations
from ..selection import ALL, LABELS, numbers_of, selection
from ..summary import SCORES, leading
from ..unsupervised import UNSUPERVISED, with_elbo
from .drawing import INK, MEDIAN, PALETTE, WIDTH, axes, heatmap, style
from .section import CHOSEN, Picture, Section, Study, Table, percent
from .silence import silence, silent

NAME, TITLE = "selection", "Can good runs be chosen without labels?"
NAMES = UNSUPERVISED | {LABELS: "labels"}
MARKS = {"run": ("o", MEDIAN), "setting": ("s", PALETTE[0])}
ABOUT = (
    "Of the runs of one seed, one is chosen by a number that needs no labels: the lowest "
    "reconstruction error, KL or total correlation of sampled codes, the highest ELBO or UDR. What "
    "that is worth is the share of the way from a random run (0 %) to the best run of the seed "
    "(100 %); below 0 a random choice is better. A setting is chosen by the median of the number "
    "over all other seeds, and judged by its run of this one; beside it stands the setting that is "
    "chosen so with labels, by the score itself. Diverged runs have no number and are not "
    "chosen; where runs have several likelihoods, reconstruction and ELBO choose nothing. "
    f"Intervals are 95 %, each seed left out in turn. {CHOSEN}"
)


def section(study: Study) -> Section:
    """Rank correlations of what needs no labels with the scores (figures 4 and 16 of the paper),
    and how good the runs are that it chooses."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    runs = with_elbo(study.runs)
    numbers = numbers_of(runs)
    if not numbers:
        return Section(NAME, TITLE, [], why="no run has a number to choose by")
    found = selection(runs, study.scores)
    found = found[found["model"] == ALL]
    if found["value"].isna().all():
        return Section(NAME, TITLE, [], why=silence(found["why"]) or "there are no runs")
    correlations = rank_correlations(comparable(runs), numbers, study.scores)
    correlations = correlations[correlations["kind"] == "pooled"]
    pictures = [_agreement(d, own) for d, own in correlations.groupby("dataset", sort=False)]
    for (dataset, metric), own in found.groupby(["dataset", "metric"], sort=False):
        pictures.append(_worth(dataset, metric, own))
    pictures = [picture for picture in pictures if picture]
    findings = _findings(found, study.scores)
    return Section(NAME, TITLE, findings, pictures, [_table(found)], about=ABOUT)


def _findings(found, scores):
    score, texts = leading(scores), []
    for dataset, own in found[found["metric"] == score].groupby("dataset", sort=False):
        runs = own[own["how"] == "run"]
        if runs["value"].isna().all():
            texts.append(silent(f"on {dataset}", "; ".join(sorted({*runs["why"]} - {""}))))
            continue
        runs = runs.dropna(subset="value").sort_values("value", kind="stable")
        best, worst = runs.iloc[-1], runs.iloc[0]
        text = (
            f"On {dataset}, a run of a seed has {SCORES[score]} {best['random']:.2f} on average "
            f"and the best {best['best']:.2f}. Chosen by {NAMES[best['by']]}, it comes "
            f"**{percent(best)}** of the way"
        )
        if len(runs) > 1:
            text += f", by {NAMES[worst['by']]} **{percent(worst)}**"
        labels = own[(own["by"] == LABELS) & own["value"].notna()]
        if len(labels):
            text += f"; the setting that labels choose comes {percent(labels.iloc[0])}"
        texts.append(f"{text}.")
    return texts


def _agreement(dataset, own):
    wide = own.pivot(index="first", columns="second", values="value")
    wide = wide.loc[list(dict.fromkeys(own["first"])), list(dict.fromkeys(own["second"]))]
    if wide.isna().all(axis=None):
        return None
    numbers, metrics = [NAMES[name] for name in wide.index], [SCORES[m] for m in wide.columns]
    with style():
        figure = heatmap(f"On {dataset}", wide.to_numpy(), numbers, metrics)
    strongest = wide.stack().abs().idxmax()
    most = " most" if wide.notna().sum(axis=None) > 1 else ""
    alt = (
        f"On {dataset}, {NAMES[strongest[0]]} goes along{most} with {SCORES[strongest[1]]}, with a "
        f"rank correlation of {wide.loc[strongest]:.2f}"
    )
    caption = (
        f"Rank correlation × 100 over all runs on {dataset} of what needs no labels (rows) with "
        "the scores. Numbers as they are: less reconstruction error, KL and total correlation is "
        "better."
    )
    return Picture(f"selection_correlations_{dataset}", figure, alt, caption, own, dataset)


def _worth(dataset, metric, own):
    said = own[own["value"].notna()]
    if (said["how"] != "run").all():  # what labels choose, beside nothing
        return None
    names = list(dict.fromkeys(said["by"]))
    with style():
        title = f"{SCORES[metric]} on {dataset}: how far a choice comes"
        figure, on = axes(title, WIDTH, 1.1 + 0.32 * len(names))
        for how, (marker, colour) in MARKS.items():
            rows = said[said["how"] == how]
            place = [names.index(by) + (-0.14 if how == "run" else 0.14) for by in rows["by"]]
            on.hlines(place, rows["low"], rows["high"], color=colour, lw=1.6)
            on.plot(rows["value"], place, marker, color=colour, ms=5, mew=0, label=how)
        on.axvline(0, color=INK, lw=0.8, ls="--", zorder=0)
        on.axvline(1, color=INK, lw=0.8, ls=":", zorder=0)
        on.set_yticks(range(len(names)), [NAMES[name] for name in names])
        on.set_ylim(len(names) - 0.5, -0.5)
        on.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %".replace("-", "−"))
        figure.legend(loc="outside lower center", ncols=2, title="", handletextpad=0.1)
    best = said.loc[said[said["how"] == "run"]["value"].idxmax()]
    furthest = " furthest" if (said["how"] == "run").sum() > 1 else ""
    alt = (
        f"On {dataset}, of runs chosen without labels those by {NAMES[best['by']]} come{furthest} "
        f"from a random to the best {SCORES[metric]}: {100 * best['value']:.0f} %"
    )
    caption = (
        f"Share of the way from a random run (broken line) to the best of a seed (dotted line) by "
        f"{SCORES[metric]}, for runs (circles) and settings (squares) that were chosen by each."
    )
    return Picture(f"selection_{dataset}_{metric}", figure, alt, caption, said, dataset, metric)


def _table(found):
    rows = []
    for row in found.to_dict("records"):
        cells = {"dataset": row["dataset"], "metric": row["metric"], "by": NAMES[row["by"]]}
        cells["chosen is a"] = row["how"]
        said = not np.isnan(row["value"])
        cells["of the way"] = percent(row) if said else row["why"]
        for name in ("chosen", "random", "best"):
            cells[name] = f"{row[name]:.3f}" if said else ""
        rows.append(cells | {"regret": f"{row['regret']:.3f}" if said else ""})
    caption = "Scores of what is chosen, means over seeds; regret is what the best has more."
    return Table(pd.DataFrame(rows), caption)
