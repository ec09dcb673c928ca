"""Figures of a study, as SVG that takes its ink and its letters from the page around it."""

import io
from itertools import product

import numpy as np
import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure

from .summary import SCORE, labelled

INK = "#010203"  # stands for the page's own colour of text until the SVG is written
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
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def score_against_strength(runs: pd.DataFrame) -> str:
    """Every run's score over the strength of its model: seeds joined by thin lines, medians bold.

    A panel per dataset and model.
    """
    with rc_context(STYLE):
        figure, panels = _panels(runs)
        top = max(0.1, 1.1 * runs[SCORE].max())
        for axes, panel in panels:
            labels = list(panel["label"].unique())
            for _, seed in panel.groupby("seed"):
                x = [labels.index(label) for label in seed["label"]]
                axes.plot(x, seed[SCORE], "-o", color="#8a8f98", lw=0.5, ms=4, mew=0, alpha=0.65)
            medians = panel.groupby("label", sort=False)[SCORE].median()
            axes.plot(range(len(medians)), medians, "-", color="#d1701f", lw=2.2, zorder=3)
            axes.set_xticks(range(len(labels)), labels)
            axes.set_xlim(-0.3, len(labels) - 0.7)
            axes.set_ylim(0, top)
            axes.set_ylabel("MIG")
        return _svg(figure, "MIG of every run over the strength of its model, medians in bold")


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
            axes.legend(handletextpad=0.1, borderpad=0)
        return _svg(figure, "Reconstruction error over KL of every run, by strength")


def _panels(runs):
    """A row of axes per dataset, a column per model; (axes, that panel's runs)."""
    runs = labelled(runs).sort_values(["strength", "label", "seed"], kind="stable")
    datasets, models = runs["dataset"].unique(), runs["model"].unique()
    size = (4.6 if len(models) == 1 else 3.1 * len(models), 3.2 * len(datasets))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(datasets), len(models), squeeze=False)
    panels = []
    for axes, (dataset, model) in zip(grid.flat, product(datasets, models), strict=True):
        panel = runs[(runs["dataset"] == dataset) & (runs["model"] == model)]
        axes.set_title(f"{model} on {dataset}", loc="left")
        if len(panel):
            panels.append((axes, panel))
        else:
            axes.set_axis_off()
    return figure, panels


def _shades(count):
    return [colormaps[COLOURS](x) for x in np.linspace(0.3, 0.9, count)]


def _svg(figure, description):
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{description}"', 1)
