"""How are the scores of the methods spread, and how far do the methods overlap?"""

import numpy as np
import pandas as pd

from ..distributions import by_method, overlap
from ..summary import BOUNDS, SCORES, bounds_of, leading
from .drawing import BOUND, INK, WIDTH, axes, colour_of, style
from .section import CHOSEN, Picture, Section, Study, number, percent
from .silence import silent

NAME, TITLE = "distributions", "How far do the methods overlap?"
FEW = 200  # runs on a dataset that are drawn one by one
POINTS = 28  # of a violin's outline
ABOUT = (
    "All strengths and seeds of a method are one distribution: what its score may be for somebody "
    "who takes the method and a setting of its sweep blindly. Diverged runs have the score's "
    "floor. Ticks are medians; their 95 % intervals resample seeds. Broken lines are codes whose "
    "worth is known: random ones know nothing; rotated factors know everything and mix it; the "
    "supervised encoder was told the factors; the true factors are the best a score can be. "
    "Runs of others are set against the method whose median is the best of these runs. " + CHOSEN
)


def section(study: Study) -> Section:
    """Figures 3 (left) and 13 of the paper, and the overlap as a number."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    score = leading(study.scores)
    methods = by_method(study.runs, study.scores, rng=np.random.default_rng(0))
    others = overlap(study.runs, [score]).set_index("dataset")
    findings, pictures, models = [], [], list(study.runs["model"].unique())
    for dataset, own in methods.groupby("dataset", sort=False):
        own = own[own["runs"] > 0]
        findings.append(_finding(dataset, own[own["metric"] == score], others.loc[dataset]))
        runs = study.runs[study.runs["dataset"] == dataset]
        known = study.bounds[study.bounds["dataset"] == dataset] if len(study.bounds) else None
        pictures += [_picture(runs, d, known, models) for _, d in own.groupby("metric", sort=False)]
    order = {score: i for i, score in enumerate(study.scores)}
    pictures.sort(key=lambda picture: order[picture.metric])
    return Section(NAME, TITLE, findings, pictures, about=ABOUT)


def _finding(dataset, own, others):
    if own.empty:
        return silent(f"on {dataset}", "no run has the score")
    score, reach = SCORES.get(own["metric"].iloc[0], own["metric"].iloc[0]), _within(own)
    low, high = own.loc[own["value"].idxmin()], own.loc[own["value"].idxmax()]
    if len(own) == 1:
        text = f"On {dataset}, the median {score} of {low['model']} is {number(low)}"
        return f"{text}, and the middle 90 % of its runs span {reach:.2f}."
    text = f"On {dataset}, median {score} reaches from {number(low)} ({low['model']}) to "
    text += (
        f"{number(high)} ({high['model']}), over {high['value'] - low['value']:.2f}; the middle "
    )
    text += f"90 % of one method's runs span **{reach:.2f}** (median of the methods). "
    return text + (
        f"A run of another method beats one of {others['model']} in **{percent(others)}** of "
        "pairs; 50 would be no difference."
    )


def _within(own):
    """What nine runs in ten of a method span, of the method in the middle."""
    return (own["q95"] - own["q05"]).median()


def _picture(runs, own, bounds, models):
    dataset, score = own["dataset"].iloc[0], own["metric"].iloc[0]
    name = SCORES.get(score, score)
    own = own.sort_values("model", ascending=False)
    known = {} if bounds is None else bounds_of(bounds, dataset, score)
    colours = colour_of(models)
    rows = [-1.1 - 0.8 * i for i in range(len(known))]
    with style():
        height = 0.75 + 0.3 * len(own) + 0.22 * len(rows)
        figure, on = axes(f"{name} on {dataset}", WIDTH, height)
        for place, row in enumerate(own.itertuples()):
            values = runs.loc[runs["model"] == row.model, score].dropna().to_numpy(float)
            colour = colours[row.model]
            grid = np.linspace(row.lowest, row.highest, POINTS)
            half = 0.38 * _density(values, grid)
            on.fill_between(grid, place - half, place + half, color=colour, alpha=0.45, lw=0)
            if len(runs) <= FEW:
                y = place - 0.3 + 0.6 * (np.arange(len(values)) * 0.618 % 1)
                on.scatter(values, y, s=6, color=colour, lw=0, rasterized=True)
            on.plot([row.low, row.high], [place] * 2, color=INK, lw=3, solid_capstyle="butt")
            on.plot([row.value] * 2, (place - 0.36, place + 0.36), color=INK, lw=1.6)
        highest = len(own) - 0.45
        low, high = own["lowest"].min(), own["highest"].max()
        low, high = low - 0.05 * (high - low) - 1e-3, high + 0.12 * (high - low) + 1e-3
        for at, value in zip(rows, known.values(), strict=True):
            if low <= value <= high:
                on.plot([value] * 2, (at, highest), color=BOUND, lw=0.8, ls="--", zorder=0)
                on.plot(value, at, "D", color=BOUND, ms=4, mew=0)
            else:  # beyond the runs, which the axis is for
                look = {"va": "center", "color": BOUND, "fontsize": 8}
                if value > high:
                    on.text(high, at, f"{value:.2f} →", ha="right", **look)
                else:
                    on.text(low, at, f"← {value:.2f}", ha="left", **look)
        on.set_xlim(low, high)
        on.set_yticks([*range(len(own)), *rows], [*own["model"], *(BOUNDS[c] for c in known)])
        on.set_ylim(min([0, *rows]) - 0.55, highest)
        on.tick_params(axis="y", length=0)
    low, high = own.loc[own["value"].idxmin()], own.loc[own["value"].idxmax()]
    alt = f"{name} on {dataset}: medians of methods from {low['value']:.2f} ({low['model']}) to "
    alt += f"{high['value']:.2f} ({high['model']}); nine runs in ten of a method span "
    alt += f"{_within(own):.2f}"
    caption = f"{name} of every run on {dataset} by method: all strengths, all seeds."
    drawn = pd.concat([own, pd.DataFrame({"model": [*known], "value": [*known.values()]})])
    drawn = drawn.assign(dataset=dataset, metric=score)
    return Picture(f"{NAME}_{dataset}_{score}", figure, alt, caption, drawn, dataset, score)


def _density(values, grid):
    """How many values there are along the grid, the most being 1; nothing where all are alike."""
    if len(values) < 3 or np.ptp(values) <= 1e-9 * np.abs(values).max():
        return np.zeros(len(grid))
    # Normal kernels of Scott's width. SciPy's gaussian_kde has the same, and takes ten times as
    # long because it solves an equation for one dimension, too.
    width = np.std(values, ddof=1) * len(values) ** -0.2
    density = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2).sum(axis=1)
    return density / density.max()
