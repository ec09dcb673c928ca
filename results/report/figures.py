"""Figures of a study, as SVG that takes its ink and its letters from the page around it."""

import io
from html import escape

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure

from ..summary import BOUNDS, SCORES, bounds_of, labelled, rank_correlations

INK = "#010203"  # stands for the page's own colour of text until the SVG is written
DOT, MEDIAN, BOUND = "#8a8f98", "#d1701f", "#3f86b8"
COLOURS = "cividis"  # of strengths, weak to strong: readable with any colour vision
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "soberlook",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def score_against_strength(runs: pd.DataFrame, score: str, bounds: pd.DataFrame) -> list[str]:
    """Every run's score over its setting: seeds joined by thin lines, medians bold.

    A picture per dataset and model, all with the same axis, which the runs decide. Broken lines
    are the floors and ceilings; those above the axis have an arrow instead.
    """
    top = max(0.1, 1.1 * runs[score].max())
    pictures = []
    for (dataset, model), panel in _panels(runs):
        with rc_context(STYLE):
            figure, axes = _axes(f"{model} on {dataset}")
            labels = list(panel["label"].unique())
            for _, seed in panel.groupby("seed"):
                x = [labels.index(label) for label in seed["label"]]
                axes.plot(x, seed[score], "-o", color=DOT, lw=0.5, ms=4, mew=0, alpha=0.65)
            medians = panel.groupby("label", sort=False)[score].median()
            axes.plot(range(len(medians)), medians, "-", color=MEDIAN, lw=2.2, zorder=3)
            _draw_bounds(axes, bounds_of(bounds, dataset, score), top)
            symbol = labels[0].partition(" = ")[0] if all(" = " in la for la in labels) else ""
            ticks = [label.partition(" = ")[2] if symbol else label for label in labels]
            axes.set_xticks(range(len(labels)), ticks)
            axes.set_xlim(-0.3, len(labels) - 0.7)
            axes.set_ylim(0, top)
            axes.set_xlabel(symbol)
            axes.set_ylabel(SCORES[score])
            description = f"{SCORES[score]} of every run of {model} on {dataset} over its strength"
            pictures.append(_svg(figure, description))
    return pictures


def distributions(runs: pd.DataFrame, scores: list[str], bounds: pd.DataFrame) -> list[str]:
    """Every run's scores: a picture per score, a row of dots per model, medians as ticks.

    `runs` are of one dataset. Its floors and ceilings have a row each below the models', and a
    broken line from there on up.
    """
    models = sorted(runs["model"].unique(), reverse=True)
    jitter = np.random.default_rng(0)
    pictures = []
    for score in scores:
        known = bounds_of(bounds, runs["dataset"].iloc[0], score)
        names = [BOUNDS[codes] for codes in known]
        rows = [-1.2 - i for i in range(len(known))]
        with rc_context(STYLE):
            height = 0.75 + 0.28 * (len(models) + len(rows))
            figure, axes = _axes(SCORES[score], height=height)
            for place, model in enumerate(models):
                values = runs.loc[runs["model"] == model, score].dropna()
                y = place + jitter.uniform(-0.22, 0.22, len(values))
                axes.scatter(values, y, s=9, color=DOT, lw=0, alpha=0.6)
                if len(values):
                    ends = place - 0.36, place + 0.36
                    axes.plot([values.median()] * 2, ends, color=MEDIAN, lw=2.2)
            highest = len(models) - 0.4
            for row, value in zip(rows, known.values(), strict=True):
                axes.plot([value] * 2, (row, highest), color=BOUND, lw=0.8, ls="--", zorder=0)
                axes.plot(value, row, "D", color=BOUND, ms=4, mew=0)
            axes.set_yticks([*range(len(models)), *rows], [*models, *names])
            axes.set_ylim(min([0, *rows]) - 0.6, highest)
            pictures.append(_svg(figure, f"{SCORES[score]} of every run by method"))
    return pictures


def reconstruction_against_kl(runs: pd.DataFrame) -> list[str]:
    """What every run pays in KL and in reconstruction error, both in nats per image.

    A picture per dataset and model, all with the same axes.
    """
    limits = [(0.95 * runs[c].min(), 1.05 * runs[c].max()) for c in ("kl", "reconstruction")]
    pictures = []
    for (dataset, model), panel in _panels(runs):
        with rc_context(STYLE):
            figure, axes = _axes(f"{model} on {dataset}")
            groups = panel.groupby("label", sort=False)
            for shade, (label, some) in zip(_shades(len(groups)), groups, strict=True):
                axes.scatter(
                    some["kl"], some["reconstruction"], s=22, color=shade, label=label, lw=0
                )
            axes.set_xlim(limits[0])
            axes.set_ylim(limits[1])
            axes.set_xlabel("KL (nats per image)")
            axes.set_ylabel("reconstruction (nats per image)")
            axes.legend(handletextpad=0.1, borderpad=0, fontsize=8)
            pictures.append(_svg(figure, f"Reconstruction over KL of {model} on {dataset}"))
    return pictures


def agreement(runs: pd.DataFrame, scores: list[str]) -> str:
    """Rank correlation of every two scores over the runs of one dataset, times 100."""
    correlations = rank_correlations(runs, scores)
    names = [SCORES[score] for score in scores]
    with rc_context(STYLE):
        figure, axes = _axes("", 1.9 + 0.55 * len(scores), 1.7 + 0.42 * len(scores))
        axes.imshow(correlations.fillna(0), cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
        for (i, j), value in np.ndenumerate(correlations.to_numpy()):
            text = "" if np.isnan(value) else f"{100 * value:.0f}"
            colour = "#fff" if abs(value) > 0.6 else "#111"
            axes.text(j, i, text, ha="center", va="center", color=colour)
        axes.set_yticks(range(len(names)), names)
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        return _svg(figure, "Rank correlation of every two scores, times 100")


def _panels(runs):
    """((dataset, model), its labelled runs from weak to strong), in order."""
    runs = labelled(runs).sort_values(["strength", "label", "seed"], kind="stable")
    return runs.groupby(["dataset", "model"])


def _axes(title, width=3.6, height=2.6):
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _draw_bounds(axes, known, top):
    """A broken line across for each of these scores, its name where it ends; above the axis' top
    names and scores alone."""
    inside = [item for item in known.items() if item[1] <= top]
    above = [f"{codes} {value:.2f}" for codes, value in known.items() if value > top]
    across = axes.get_yaxis_transform()  # x as a share of the axes' width, y a score
    gap = 0.075 * top  # between two names, so that both can be read
    place = -gap
    for later, (codes, value) in enumerate(sorted(inside, key=lambda item: item[1]), 1):
        axes.axhline(value, color=BOUND, lw=0.8, ls="--", zorder=0)
        place = min(max(value, place + gap), top - gap * (len(inside) - later))
        axes.text(1.02, place, codes, transform=across, va="center", fontsize=7.5)
    if above:
        text = "↑ " + ", ".join(above)  # where no run is: the axis goes a tenth beyond the best
        axes.text(1, top, text, transform=across, ha="right", va="top", fontsize=7.5)


def _shades(count):
    return [colormaps[COLOURS](x) for x in np.linspace(0.3, 0.9, count)]


def _svg(figure, description):
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)
