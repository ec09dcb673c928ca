"""Do the scores agree, and is it the strength that makes them?"""

import numpy as np

from ..rank_correlations import rank_correlations
from ..summary import SCORES
from .drawing import heatmap, style
from .section import CHOSEN, Picture, Section, Study, number
from .silence import silence, silent

NAME, TITLE = "agreement", "Do the scores rank runs alike?"
HOW = {
    "pooled": "over all runs on {dataset}, whatever their method and strength",
    "within": "of runs on {dataset} that differ in nothing but their seed",
}
ABOUT = (
    "Spearman's rank correlation of every two scores, times 100. Over all runs, as the paper has "
    "it, two scores also agree because one strength is good and another bad under both. Within "
    "settings that is taken away: what is left is whether two scores know the lucky seeds by the "
    "same mark. That estimate is without bias, however few the seeds. Intervals are 95 %, with "
    f"seeds as clusters. {CHOSEN}"
)


def section(study: Study) -> Section:
    """Figures 2 and 12 of the paper, among all runs and within settings."""
    if len(study.scores) < 2:
        return Section(NAME, TITLE, [], why="fewer than two scores")
    found = rank_correlations(study.runs, study.scores)
    if found["value"].isna().all():
        return Section(NAME, TITLE, [], why=silence(found["why"]) or "there are no runs")
    findings, pictures = [], []
    for dataset, own in found.groupby("dataset", sort=False):
        findings.append(_finding(dataset, own))
        kinds = own.groupby("kind", sort=False)
        pictures += [_picture(dataset, kind, d) for kind, d in kinds if d["value"].notna().any()]
    return Section(NAME, TITLE, findings, pictures, about=ABOUT)


def _finding(dataset, found):
    order = found["first"].drop_duplicates().tolist()
    once = found["first"].map(order.index) < found["second"].map(order.index)
    kinds = {kind: own.set_index(["first", "second"]) for kind, own in found[once].groupby("kind")}
    pooled, within = kinds["pooled"], kinds["within"]
    known = pooled[pooled["value"].notna()]
    if known.empty:
        return silent(f"on {dataset}", pooled["why"].iloc[0])
    pair = known["value"].idxmax()
    text = f"On {dataset}, {_names(pair)} "
    text += "go together by a rank correlation of " if len(known) == 1 else "agree most, "
    text += f"**{number(known.loc[pair])}**"
    own = found[(found["kind"] == "pooled") & (found["first"] != found["second"])]
    means = own.groupby("first")["value"].mean()
    if len(means.dropna()) > 2:
        least = means.idxmin()
        text += f"; {_name(least)} agrees least, {means[least]:.2f} with the others on average"
    change = (within["value"] - pooled["value"]).dropna()
    if change.empty:
        return f"{text}. {silent('within settings', within['why'].iloc[0])}"
    if len(known) == 1:
        text += ", and among runs that differ in their seed alone by"
        return f"{text} {number(within.loc[pair])}."
    pair = change.abs().idxmax()
    text += f". Of runs that differ in their seed alone, {_names(pair)} change most: "
    return f"{text}{number(within.loc[pair])} instead of {number(pooled.loc[pair])}."


def _name(score):
    return SCORES.get(score, score)


def _names(pair):
    return " and ".join(map(_name, pair))


def _picture(dataset, kind, found):
    wide = found.pivot(index="first", columns="second", values="value")
    order = found["first"].drop_duplicates()
    values = wide.loc[order, order].to_numpy()
    names = [_name(score) for score in order]
    title = {"pooled": f"All runs on {dataset}", "within": f"Within settings, {dataset}"}[kind]
    with style():
        figure = heatmap(title, values, names, names)
    others = np.where(np.eye(len(names), dtype=bool), np.nan, values)
    alt = f"Rank correlations of scores {HOW[kind].format(dataset=dataset)}"
    if not np.isnan(others).all():
        pair = np.unravel_index(np.nanargmax(others), others.shape)
        alt += f": from {np.nanmin(others):.2f} to {np.nanmax(others):.2f}, "
        alt += f"the highest of {names[pair[0]]} and {names[pair[1]]}"
    caption = f"Spearman's rank correlation × 100 {HOW[kind].format(dataset=dataset)}."
    return Picture(f"{NAME}_{dataset}_{kind}", figure, alt, caption, found, dataset)
