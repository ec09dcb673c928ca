"""Are better scores of any use?"""

import numpy as np
import pandas as pd

from ..downstream import (
    FEW,
    WHOLE,
    by_thirds,
    families,
    with_efficiencies,
)
from ..likelihoods import comparable, several
from ..rank_correlations import rank_correlations
from ..summary import SCORE, SCORES, leading
from ..unsupervised import UNSUPERVISED, unsupervised_of, with_elbo
from .drawing import PALETTE, WIDTH, axes, heatmap, style
from .section import CHOSEN, Picture, Section, Study, Table, number
from .silence import silent

NAME, TITLE = "downstream", "Are better scores of any use?"
IN_THIRDS = (SCORE, "dci_disentanglement", "dci_disentanglement_1000")  # the paper's, and as small
SHORT = {
    "downstream_gbt_accuracy": "trees",
    "downstream_lr_accuracy": "LR",
    "linear_probe": "linear probe",
    "dci_informativeness": "DCI's trees",
}
TITLES = SCORES | UNSUPERVISED
KINDS = {"pooled": "over all runs", "within": "within settings"}
ABOUT = (
    "A predictor of the true factors is fitted to the codes of so many labelled images, and tested "
    "on others; accuracies are means over factors. Correlations are Spearman's, over all runs of a "
    "dataset and among runs of one setting, which differ in their seed alone. Statistical "
    "efficiency is the accuracy from 100 labels over that from the most there are, 10,000 in the "
    "paper; its name says of how many. Codes that know nothing are efficient, because chance from "
    "few labels is chance from many, so it means something beside the accuracy alone: how the two "
    "go together is in the table. DCI's trees are also what DCI itself is read off, so that score "
    "and that accuracy are not independent. Intervals are 95 %, over seeds. Runs that diverged "
    "have no accuracy and do not count. Where runs of a dataset have several likelihoods, "
    f"reconstruction and ELBO are no measure of them, and are left out. {CHOSEN}"
)


def section(study: Study) -> Section:
    """Accuracies and efficiencies against scores, by thirds of a score, and without labels."""
    if not families(study.runs):
        return Section(NAME, TITLE, [], why="no run has a downstream accuracy")
    runs, efficiencies = with_efficiencies(comparable(with_elbo(study.runs)))
    names = _names(runs, efficiencies)
    accuracies = [column for column in names if column not in efficiencies]
    unlabelled = unsupervised_of(runs)
    first = [*study.scores, *unlabelled]
    found = rank_correlations(runs, [*first, *accuracies], [*accuracies, *efficiencies])
    thirds = by_thirds(runs, study.scores, list(names))
    pictures, findings = [], []
    for dataset in found["dataset"].unique():
        own = found[found["dataset"] == dataset]
        for kind, title in KINDS.items():
            some = own[own["kind"] == kind]
            pictures += [_heatmap(dataset, kind, title, some, study.scores, names, "scores")]
        some = own[own["kind"] == "pooled"]
        pictures += [
            _heatmap(dataset, "pooled", KINDS["pooled"], some, unlabelled, names, "unlabelled")
        ]
        for score in (s for s in IN_THIRDS if s in study.scores):
            some = thirds[(thirds["dataset"] == dataset) & (thirds["metric"] == score)]
            pictures.append(_thirds(dataset, score, some, accuracies, names))
        findings += _findings(dataset, own, thirds, study, unlabelled, efficiencies, names)
    tables = [_table(found, study.scores, names), _differences(thirds, names)]
    tables.append(_efficiencies(found, efficiencies, names))
    tables = [table for table in tables if len(table.data)]
    return Section(NAME, TITLE, findings, [p for p in pictures if p], tables, about=ABOUT)


def _names(runs, efficiencies):
    """The columns asked about and their names in the report: accuracies, then efficiencies."""
    names = {
        column: f"{SHORT[family.name]}, {labels:,}"
        for family in families(runs)
        for labels, column in family.accuracies.items()
    }
    for column, most in efficiencies.items():
        predictor, _, labels = names[most].rpartition(", ")
        of = "" if column.endswith(f"_{FEW}") else f" of {labels}"
        names[column] = f"{predictor}, efficiency {FEW}{of or f' of {WHOLE:,}'}"
    return names


def _findings(dataset, found, thirds, study, unlabelled, efficiencies, names):
    """Of one score and the first predictor with the most labels."""
    if not study.scores:
        return [silent(f"on {dataset} of what scores are good for", "no run has one")]
    score = leading(study.scores)
    rows = found.set_index(["kind", "first", "second"])
    most = _main(dataset, study.runs)
    pooled, within = (rows.loc[(kind, score, most)] for kind in KINDS)
    if np.isnan(pooled["value"]):
        return [silent(f"on {dataset}", pooled["why"])]
    predictor, _, labels = names[most].rpartition(", ")
    text = f"On {dataset}, {SCORES[score]} and the accuracy of {predictor} from {labels} labels go "
    text += f"together by a rank correlation of **{_said(pooled)}** over all runs"
    if not np.isnan(within["value"]):
        text += f" and **{_said(within)}** among runs of one setting"
    text += "."
    thirds = thirds.set_index(["dataset", "metric", "accuracy", "third"])
    difference = thirds.loc[(dataset, score, most, "high − low")]
    if not np.isnan(difference["value"]):
        text += " From the third of the runs that scores lowest to the highest it changes by "
        text += f"{_said(difference)}."
    findings = [text]
    for column in (c for c, whole in efficiencies.items() if whole == most):
        own, beside = rows.loc[("pooled", score, column)], rows.loc[("pooled", most, column)]
        if not np.isnan(own["value"]):
            text = f"On {dataset}, {SCORES[score]} and how much of that accuracy {FEW} labels give "
            text += f"go together by **{_said(own)}**"
            text += ", which is not clear of 0. " if own["low"] <= 0 <= own["high"] else ". "
            text += f"That share and the accuracy itself go together by {_said(beside)}."
            findings.append(text)
    known = rows.loc[[("pooled", name, most) for name in unlabelled]].dropna(subset="value")
    if len(known):
        _, name, _ = known["value"].abs().idxmax()
        most_of = "of what needs no labels, " if len(known) > 1 else ""
        text = f"On {dataset}, {most_of}{UNSUPERVISED[name]} goes along {'most ' * bool(most_of)}"
        findings.append(f"{text}with it: {number(known.loc[('pooled', name, most)])}.")
    if why := several(study.runs).get(dataset):
        findings.append(silent(f"on {dataset} of reconstruction and ELBO", why))
    return findings


def _main(dataset, runs):
    """The first family's accuracy from the most labels it has there."""
    family = families(runs[runs["dataset"] == dataset]) or families(runs)
    return [*family[0].accuracies.values()][-1]


def _said(row):
    return row["why"] if np.isnan(row["value"]) else number(row)


def _heatmap(dataset, kind, title, found, first, names, what):
    """Correlations of what is asked about (rows) with `first` (columns)."""
    found = found[found["first"].isin(first)]
    wide = found.pivot(index="second", columns="first", values="value")
    wide = (
        wide.reindex(index=list(names), columns=first).dropna(how="all").dropna(how="all", axis=1)
    )
    if wide.empty:
        return None
    shown = [TITLES[column] for column in wide.columns]
    with style():
        figure = heatmap(
            f"{dataset}, {title}", wide.to_numpy(), [names[c] for c in wide.index], shown
        )
    second, first = strongest = wide.abs().stack().idxmax()
    alt = f"On {dataset}, {title}, the strongest rank correlation is "
    alt += f"{wide.loc[strongest]:.2f}, of {names[second]} and {TITLES[first]}"
    caption = f"Rank correlation × 100 of accuracies and efficiencies with {WHAT[what]}, {title}."
    return Picture(f"downstream_{what}_{kind}_{dataset}", figure, alt, caption, found, dataset)


WHAT = {"scores": "the scores", "unlabelled": "numbers that need no labels"}


def _thirds(dataset, score, thirds, accuracies, names):
    """Mean accuracy of the lowest, middle and highest third of the runs by a score."""
    wide = thirds.pivot(index="accuracy", columns="third", values="value").reindex(accuracies)
    wide = wide.dropna(how="all")
    if wide.empty:
        return None
    rows = thirds.set_index(["accuracy", "third"])
    with style():
        height = 1.3 + 0.36 * len(wide)
        figure, on = axes(f"Accuracy by thirds of {SCORES[score]} on {dataset}", WIDTH, height)
        for third, colour, marker, shift in THIRDS:
            own = rows.loc[[(accuracy, third) for accuracy in wide.index]]
            y = np.arange(len(wide)) + shift
            on.hlines(y, own["low"], own["high"], color=colour, lw=1.6)
            on.plot(own["value"], y, marker, color=colour, ms=5, label=f"{third} third")
        on.set_yticks(range(len(wide)), [names[c] for c in wide.index])
        on.set_ylim(len(wide) - 0.5, -0.5)
        on.set_xlabel("accuracy")
        figure.legend(loc="outside lower center", ncols=3, handletextpad=0.1)
    difference = wide["high − low"]
    alt = (
        f"From the lowest third of {SCORES[score]} on {dataset} to the highest, accuracies change "
    )
    alt += f"by {difference.min():.2f} to {difference.max():.2f}"
    caption = f"Means over the runs on {dataset}, by thirds of {SCORES[score]}, with intervals."
    name = f"downstream_thirds_{score}_{dataset}"
    return Picture(name, figure, alt, caption, thirds, dataset, score)


THIRDS = (
    ("low", PALETTE[4], "v", -0.2),
    ("middle", PALETTE[7], "o", 0.0),
    ("high", PALETTE[5], "^", 0.2),
)


def _table(found, scores, names):
    """How scores go along with accuracies, a column per kind."""
    some = found[found["first"].isin(scores)]
    some = some.assign(kind=some["kind"].map(KINDS))
    wide = _wide(some, ["dataset", "first", "second"], "kind", KINDS.values())
    wide["second"] = wide["second"].map(names)
    wide = wide.rename(columns={"first": "metric", "second": "with"})
    return Table(wide, "Rank correlations of scores with accuracies and efficiencies.")


def _differences(thirds, names):
    kinds = ("low", "middle", "high", "high − low")
    wide = _wide(thirds, ["dataset", "metric", "accuracy"], "third", kinds)
    wide["accuracy"] = wide["accuracy"].map(names)
    return Table(wide, "Mean accuracies and efficiencies by thirds of a score.")


def _wide(found, keys, across, columns):
    """What is said of each number, a row per keys and a column per value of `across`."""
    said = [_said(row) for row in found.to_dict("records")]
    wide = found.assign(said=said).pivot(index=keys, columns=across, values="said")
    order = pd.MultiIndex.from_frame(found[keys].drop_duplicates())
    wide = wide.reindex(index=order, columns=list(columns))
    return wide.reset_index().rename_axis(columns=None)


def _efficiencies(found, efficiencies, names):
    """How efficiency goes along with the accuracy it divides by."""
    rows = []
    for dataset, own in found.groupby("dataset", sort=False):
        rows_of = own.set_index(["kind", "first", "second"])
        for column, most in efficiencies.items():
            cells = {"dataset": dataset, "efficiency": names[column], "accuracy": names[most]}
            for kind, title in KINDS.items():
                cells[title] = _said(rows_of.loc[(kind, most, column)])
            rows.append(cells)
    return Table(pd.DataFrame(rows), "Rank correlations of efficiencies with accuracies.")
