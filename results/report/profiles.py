"""How many of a method's runs reach a score?"""

import numpy as np

from ..profiles import profiles
from ..summary import SCORES, leading
from .drawing import WIDTH, axes, colour_of, marker_of, style
from .section import CHOSEN, Picture, Section, Study, listed, percent
from .silence import silent

NAME, TITLE = "profiles", "How many of a method's runs reach a score?"
ABOUT = (
    "A performance profile (Dolan & Moré, 2002; Agarwal et al., 2021): the share of a method's "
    "runs, all strengths and seeds, whose score is above a threshold. A method whose curve is "
    "never below another's is the better choice whatever one asks for; where curves cross it "
    "depends. Bands are 95 % for each threshold alone, with seeds as clusters. Diverged runs have "
    f"the metric's floor. {CHOSEN}"
)


def section(study: Study) -> Section:
    """A profile per dataset and score, a curve per method."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    found = profiles(study.runs, study.scores)
    score, models = leading(study.scores), [*study.runs["model"].unique()]
    curves = found.dropna(subset="value").groupby(["dataset", "metric"], sort=False)
    pictures = [_picture(*key, own, models) for key, own in curves]
    findings = []
    for dataset, runs in study.runs.groupby("dataset", sort=False):
        own = found[(found["dataset"] == dataset) & (found["metric"] == score)]
        findings.append(_finding(dataset, runs, score, own.dropna(subset="value")))
    return Section(NAME, TITLE, findings, pictures, about=ABOUT)


def _finding(dataset, runs, score, curves):
    values, name = runs[score].dropna(), SCORES.get(score, score)
    if curves.empty:
        return silent(f"on {dataset}", f"no run has {name}")
    if values.nunique() == 1:
        return f"Every run on {dataset} has the same {name}, {values.iloc[0]:.3f}."
    if curves["low"].isna().all():
        return silent(f"on {dataset}", curves.iloc[0]["why"])
    middle = values.median()
    if middle == values.max():  # above which there is none
        middle = values[values < middle].max()
    above = 100 * (values > middle).mean()
    at = profiles(runs, [score], [middle]).dropna(subset="value").sort_values("value")
    worst, best = at.iloc[0], at.iloc[-1]
    text = f"{above:.0f} % of all runs on {dataset} have a {name} above {middle:.3f}"
    if len(at) < 2:
        return f"{text}, all of them of {best['model']}, the only method that has it."
    text += f": of {best['model']}'s **{percent(best)}**, of {worst['model']}'s "
    text += f"**{percent(worst)}**."
    wide = curves.pivot(index="threshold", columns="model", values="value")
    ahead = [*wide.columns[wide.ge(wide.max(axis=1), axis=0).all()]]
    if not ahead:
        return f"{text} No method is ahead at every threshold: the curves cross."
    whose = "curve of {} is" if len(ahead) == 1 else "curves of {} are the same, and"
    text += f" The {whose.format(listed(ahead))} below another's at none of {len(wide)} thresholds."
    return text


def _picture(dataset, metric, own, models):
    colours, markers, name = colour_of(models), marker_of(models), SCORES.get(metric, metric)
    with style():
        figure, on = axes(f"{name} on {dataset}", WIDTH, 3.0)
        for place, (model, curve) in enumerate(own.groupby("model", sort=False)):
            x, colour = curve["threshold"], colours[model]
            band = curve[::2]  # which is enough for a band
            ends = band["threshold"], band["low"], band["high"]
            on.fill_between(*ends, color=colour, alpha=0.15, lw=0)
            marks = {"marker": markers[model], "markevery": (place % 6, 10), "ms": 5}
            on.plot(x, curve["value"], color=colour, lw=1.4, label=model, mew=0, **marks)
        on.set_ylim(0, 1.02)
        on.set_yticks(np.arange(0, 1.1, 0.25), ["0", "25", "50", "75", "100 %"])
        on.set_xlabel(f"{name} above")
        on.set_ylabel("of the runs")
        figure.legend(loc="outside lower center", ncols=3, handlelength=1.6)
    area = own.groupby("model")["value"].mean().sort_values()
    alt = f"Share of runs on {dataset} above any {name}: over all thresholds highest for "
    alt += f"{area.index[-1]}, lowest for {area.index[0]}"
    caption = f"The share of a method's runs on {dataset} whose {name} is above the threshold."
    data = own.drop(columns=["runs", "seeds", "why"]).round(5)
    return Picture(f"profiles_{dataset}_{metric}", figure, alt, caption, data, dataset, metric)
