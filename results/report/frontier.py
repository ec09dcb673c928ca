"""What does a method trade for what?"""

import numpy as np
import pandas as pd

from ..frontier import COSTS, frontiers, hypervolumes
from ..summary import SCORES, leading
from .drawing import axes, colour_of, marker_of, style
from .section import CHOSEN, Picture, Section, Study, Table, number
from .silence import silence, silent

NAME, TITLE = "frontier", "What does a method trade for what?"
SURE = 0.95  # of the resamples
NAMES = {"reconstruction": "reconstruction", "kl": "KL"}
ABOUT = (
    "A setting is the mean of its seeds, and is dominated where another is as good in all respects "
    "and better in one: lower in reconstruction and KL, higher in the score. The volume that a "
    "method's settings dominate together says how much of the room between the worst and the best "
    "setting on a dataset, of any method, they reach: 0 is nothing, 1 all. It compares methods on "
    "one dataset, not datasets. The best of noisy settings looks better than it is; that bias, as "
    "resampled seeds show it, is taken off. Intervals are 95 %, over seeds, for the scale at hand; "
    "one that ends above 1 speaks of more than any setting has shown. Runs that diverged have no "
    "reconstruction: a setting is what the rest of its runs are. " + CHOSEN
)


def section(study: Study) -> Section:
    """Frontiers and hypervolumes of all datasets, in reconstruction, KL and every score."""
    runs, scores, lacking = study.runs, study.scores, [c for c in COSTS if c not in study.runs]
    if lacking or runs.empty:
        why = f"no run has a {lacking[0]}" if lacking else "there are no runs"
        return Section(NAME, TITLE, [], why=why)
    points = frontiers(runs, scores, rng=np.random.default_rng(0))
    volumes = hypervolumes(runs, scores, rng=np.random.default_rng(0))
    if volumes["value"].isna().all():
        return Section(NAME, TITLE, [], why=silence(volumes["why"]))
    pairs = points[points["objectives"].str.count(",") == 1]
    groups = pairs[pairs["runs"] > 0].groupby(["dataset", "metric"], sort=False)
    colours, markers = colour_of(runs["model"]), marker_of(runs["model"])
    pictures = [_picture(*key, own, colours, markers) for key, own in groups]
    score = leading(scores)
    findings = [
        _finding(dataset, points, volumes, score) for dataset in volumes["dataset"].unique()
    ]
    return Section(NAME, TITLE, findings, pictures, [_table(volumes)], about=ABOUT)


def _finding(dataset, points, volumes, score):
    """Which method reaches most in reconstruction and the score, and who is on the frontier."""
    objectives = ", ".join((COSTS[0], score or COSTS[1]))
    what = f"reconstruction and {SCORES.get(score, score) or 'KL'}"
    here = (volumes["dataset"] == dataset) & (volumes["objectives"] == objectives)
    ranked = volumes[here].sort_values("value", ascending=False, kind="stable")
    best = ranked.iloc[0]
    if np.isnan(best["value"]):
        return silent(f"on {dataset}", best["why"])
    text = f"On {dataset}, in {what}, **{best['model']}** reaches **{number(best)}** of the room "
    text += "between the worst and the best setting"
    if ranked["value"].notna().sum() > 1:
        second = ranked.iloc[1]
        text += f"; next is {second['model']} with {number(second)}"
        if best["low"] <= second["high"]:
            text += ", and the intervals overlap"
    if best["why"]:
        text += f" ({best['why']}, so luck is not told from method)"
    whole = ", ".join((*COSTS, score)) if score else objectives
    own = points[(points["dataset"] == dataset) & (points["objectives"] == whole)]
    on = own[own["overall"]]
    text += f". Of {len(own)} settings, {len(on)} are dominated by no other in "
    text += "reconstruction and KL" if not score else f"reconstruction, KL and {SCORES[score]}"
    if on["value"].notna().any():
        sure = (on["value"] >= SURE).sum()
        text += f", {sure} of them in {100 * SURE:.0f} % of resamples or more"
    return text + "."


def _picture(dataset, score, points, colours, markers):
    """Settings as points, filled where none dominates them; a line along a method's own."""
    x, y = ("reconstruction", "mean") if score else ("kl", "reconstruction")
    named = NAMES | {"mean": SCORES.get(score, score)}
    with style():
        title = f"{named[y]} against {named[x]} on {dataset}"
        figure, on = axes(title[0].upper() + title[1:], height=3.0)
        for model, own in points.groupby("model"):
            line = own[own["within"]].sort_values(x)
            look = {"color": colours[model], "marker": markers[model], "ms": 5}
            on.plot(line[x], line[y], color=colours[model], lw=0.9, alpha=0.7)
            for overall, face in ((True, colours[model]), (False, "none")):
                some = own[own["overall"] == overall]
                on.plot(some[x], some[y], ls="", mfc=face, **look)
            on.plot([], [], ls="", label=model, **look)
        for name, label in ((x, on.set_xlabel), (y, on.set_ylabel)):
            label(named[name] + (" (nats)" if name in NAMES else ""))
        figure.legend(loc="outside lower center", ncols=3, handletextpad=0.1)
    best = points[points["overall"]]
    methods = ", ".join(sorted(best["model"].unique()))
    alt = f"{len(best)} of {len(points)} settings on {dataset} are dominated by no other in "
    alt += f"{named[x]} and {named[y]}; they are of {methods}"
    caption = (
        "Means over seeds of every setting. Filled: no setting of any method is as good in both "
        "and better in one. A line joins those that no other of their own method dominates. "
        + ("Lower left" if not score else "Upper left")
        + " is better."
    )
    name = f"frontier_{dataset}_{score or 'kl'}"
    return Picture(name, figure, alt, caption, points, dataset, score)


def _table(volumes):
    said = [row["why"] if np.isnan(row["value"]) else number(row) for _, row in volumes.iterrows()]
    keys = ["dataset", "metric", "objectives"]
    wide = volumes.assign(said=said).pivot(index=keys, columns="model", values="said").fillna("")
    wide = wide.loc[pd.MultiIndex.from_frame(volumes[keys].drop_duplicates())].reset_index()
    wide = wide.rename_axis(columns=None)
    return Table(wide, "Volume that the settings of a method dominate, of 1.")
