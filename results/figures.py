"""Figures of a study, as SVG that takes its ink and its letters from the page around it."""

import io

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure

from .summary import SCORES, labelled, rank_correlations

INK = "#010203"  # stands for the page's own colour of text until the SVG is written
DOT, MEDIAN, BOUND = "#8a8f98", "#d1701f", "#3f86b8"
COLOURS = "cividis"  # of strengths, weak to strong: readable with any colour vision
COLUMNS = 3  # panels side by side
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


def score_against_strength(runs: pd.DataFrame, score: str, bounds: pd.DataFrame) -> str:
    """Every run's score over its setting: seeds joined by thin lines, medians bold.

    A panel per dataset and model; broken lines are the scores of random codes and true factors.
    """
    with rc_context(STYLE):
        figure, panels = _panels(runs)
        top = max(0.1, 1.1 * runs[score].max())
        for axes, panel in panels:
            labels = list(panel["label"].unique())
            for _, seed in panel.groupby("seed"):
                x = [labels.index(label) for label in seed["label"]]
                axes.plot(x, seed[score], "-o", color=DOT, lw=0.5, ms=4, mew=0, alpha=0.65)
            medians = panel.groupby("label", sort=False)[score].median()
            axes.plot(range(len(medians)), medians, "-", color=MEDIAN, lw=2.2, zorder=3)
            axes.set_ylim(0, top)
            for codes, value in _bounds(bounds, panel["dataset"].iloc[0], score).items():
                if value <= top:
                    axes.axhline(value, color=BOUND, lw=0.8, ls="--")
                    place = {"xy": (1, value), "xycoords": ("axes fraction", "data")}
                    axes.annotate(codes, **place, ha="right", va="bottom", color=BOUND, size=7.5)
            symbol = labels[0].partition(" = ")[0] if all(" = " in la for la in labels) else ""
            ticks = [label.partition(" = ")[2] if symbol else label for label in labels]
            axes.set_xticks(range(len(labels)), ticks)
            axes.set_xlim(-0.3, len(labels) - 0.7)
            axes.set_xlabel(symbol)
            axes.set_ylabel(SCORES[score])
        name = SCORES[score]
        return _svg(figure, f"{name} of every run over the strength of its model, medians in bold")


def distributions(runs: pd.DataFrame, scores: list[str], bounds: pd.DataFrame) -> str:
    """Every run's scores, a panel per score and a row of dots per model; medians are ticks.

    `runs` are of one dataset. Broken lines are the scores of random codes and true factors.
    """
    models = sorted(runs["model"].unique(), reverse=True)
    jitter = np.random.default_rng(0)
    with rc_context(STYLE):
        rows = -(-len(scores) // COLUMNS)
        size = (3.1 * min(COLUMNS, len(scores)) + 0.9, rows * (0.75 + 0.28 * len(models)))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, min(COLUMNS, len(scores)), squeeze=False, sharey=True)
        for axes, score in zip(grid.flat, scores, strict=False):
            for place, model in enumerate(models):
                values = runs.loc[runs["model"] == model, score].dropna()
                y = place + jitter.uniform(-0.22, 0.22, len(values))
                axes.scatter(values, y, s=9, color=DOT, lw=0, alpha=0.6)
                if len(values):
                    ends = place - 0.36, place + 0.36
                    axes.plot([values.median()] * 2, ends, color=MEDIAN, lw=2.2)
            for value in _bounds(bounds, runs["dataset"].iloc[0], score).values():
                axes.axvline(value, color=BOUND, lw=0.8, ls="--")
            axes.set_yticks(range(len(models)), models)
            axes.set_ylim(-0.6, len(models) - 0.4)
            axes.set_title(SCORES[score])
        for axes in grid.flat[len(scores) :]:
            axes.set_axis_off()
        return _svg(figure, "Scores of every run by method, a panel per score")


def reconstruction_against_kl(runs: pd.DataFrame) -> str:
    """What every run pays in KL and in reconstruction error, both in nats per image."""
    with rc_context(STYLE):
        figure, panels = _panels(runs)
        for axes, panel in panels:
            groups = panel.groupby("label", sort=False)
            for shade, (label, some) in zip(_shades(len(groups)), groups, strict=True):
                axes.scatter(
                    some["kl"], some["reconstruction"], s=22, color=shade, label=label, lw=0
                )
            axes.set_xlabel("KL (nats per image)")
            axes.set_ylabel("reconstruction (nats per image)")
            axes.legend(handletextpad=0.1, borderpad=0, fontsize=8)
        return _svg(figure, "Reconstruction error over KL of every run, by strength")


def agreement(runs: pd.DataFrame, scores: list[str]) -> str:
    """Rank correlation of every two scores over the runs of one dataset, times 100."""
    correlations = rank_correlations(runs, scores)
    names = [SCORES[score] for score in scores]
    with rc_context(STYLE):
        figure = Figure(figsize=(1.9 + 0.55 * len(scores), 1.7 + 0.42 * len(scores)))
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        axes.imshow(correlations.fillna(0), cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
        for (i, j), value in np.ndenumerate(correlations.to_numpy()):
            dark = abs(value) > 0.6
            text = "" if np.isnan(value) else f"{100 * value:.0f}"
            axes.text(j, i, text, ha="center", va="center", color="#fff" if dark else "#111")
        axes.set_yticks(range(len(names)), names)
        axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        return _svg(figure, "Rank correlation of every two scores, times 100")


def _panels(runs):
    """(figure, [(axes, runs)]): a panel per dataset and model, in reading order."""
    runs = labelled(runs).sort_values(["strength", "label", "seed"], kind="stable")
    groups = list(runs.groupby(["dataset", "model"]))
    columns = min(COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    size = (4.6, 3.2) if len(groups) == 1 else (3.2 * columns, 2.7 * rows)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(groups) :]:
        axes.set_axis_off()
    panels = []
    for axes, ((dataset, model), panel) in zip(grid.flat, groups, strict=False):
        axes.set_title(f"{model} on {dataset}")
        panels.append((axes, panel))
    return figure, panels


def _bounds(bounds, dataset, score) -> dict[str, float]:
    """{"random": …, "factors": …} of one dataset and score, as far as they are known."""
    some = bounds[(bounds["dataset"] == dataset) & (bounds["metric"] == score)]
    return dict(zip(some["codes"], some["value"], strict=True))


def _shades(count):
    return [colormaps[COLOURS](x) for x in np.linspace(0.3, 0.9, count)]


def _svg(figure, description):
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{description}"', 1)
