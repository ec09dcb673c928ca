"""The hand that draws all figures: ink, colours, axes, and figures as SVG and PDF.

Text and lines in `INK` take the colour of the page around them, light or dark, when they are in a
report; other colours are mid-tones that can be read on both.
"""

import io
import re
from html import escape

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#010203"  # stands for the page's own colour of text until the SVG is written
DOT, MEDIAN, BOUND = "#8a8f98", "#d1701f", "#3f86b8"
# Okabe & Ito's colours, which differ for every colour vision, without their black; darkened yellow.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b3a125", "#8a8f98")
MARKERS = "osD^vPX*"  # beside the colour, never the colour alone
STRENGTHS = "cividis"  # weak to strong
DIVERGING = "PuOr"  # correlations from −1 to 1
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
    "legend.fontsize": 8,
}
# What an SVG does without: ids that nothing refers to, fonts, which are the page's, and digits
# beyond a hundredth of a point in what is no text.
ID = re.compile(r'<g id="[a-zA-Z0-9.]+_\d+"')
FONT = re.compile(r"; font-family: [^;\"]*")
PLACES = re.compile(r' (?:d|x|y|transform)="[^"]*"')
DIGITS = re.compile(r"(\.\d\d)\d+")
SPACE = re.compile(r"\s*\n\s*")
LONGEST = 28  # letters of a name beside an axis
LETTERS = 13  # of a title, to an inch
PAD = 4  # points around everything
DEFAULT = (0.125, 0.11, 0.9, 0.88)  # left, bottom, right, top of axes: Matplotlib's own
WIDTH = 5.2  # inches: two side by side on a laptop; on a phone one, with letters still legible


def style():
    """The context in which figures are made and saved."""
    return rc_context(STYLE)


def axes(title: str = "", width: float = WIDTH, height: float = 2.8) -> tuple[Figure, Axes]:
    """A figure of so many inches with one axes."""
    figure = Figure(figsize=(width, height), dpi=72)  # an SVG's, so that letters are as wide
    found = figure.subplots()
    found.set_title(title)
    return figure, found


def colour_of(models: list[str]) -> dict[str, str]:
    """A colour for each of these names, the same wherever they are the same names."""
    return {m: PALETTE[i % len(PALETTE)] for i, m in enumerate(sorted(set(models)))}


def marker_of(models: list[str]) -> dict[str, str]:
    """A marker for each of these names."""
    return {m: MARKERS[i % len(MARKERS)] for i, m in enumerate(sorted(set(models)))}


def shades(count: int) -> list:
    """So many colours, weak to strong."""
    return [colormaps[STRENGTHS](x) for x in np.linspace(0.3, 0.9, count)]


def heatmap(title: str, values: np.ndarray, rows: list[str], columns: list[str]) -> Figure:
    """Numbers from −1 to 1 as a table of colours, each times 100 in its cell; NaN is empty."""
    beside, below = (min(LONGEST, max(map(len, names))) for names in (rows, columns))
    size = 0.6 + 0.08 * beside + 0.55 * len(columns), 0.7 + 0.06 * below + 0.34 * len(rows)
    figure, on = axes(title, *size)
    on.imshow(np.nan_to_num(values), cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        text = "" if np.isnan(value) else f"{100 * value:.0f}"
        colour = "#fff" if abs(value) > 0.6 else "#111"
        on.text(j, i, text, ha="center", va="center", color=colour)
    on.set_yticks(range(len(rows)), rows)
    on.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
    on.spines[:].set_visible(False)
    on.tick_params(length=0)
    return figure


def fit(figure: Figure):
    """Make margins as wide as what stands in them; a figure's legend is below or above its axes.

    Matplotlib's layouts do the same for any number of axes, and take two to three times as long.
    """
    (on,) = figure.axes
    on.set_title(_short(on.get_title("left"), int(figure.get_figwidth() * LETTERS)))
    for axis in (on.xaxis, on.yaxis):
        names = [label.get_text() for label in axis.get_ticklabels()]
        if any(len(line) > LONGEST for name in names for line in name.split("\n")):
            axis.set_ticks(axis.get_majorticklocs(), [_short(name) for name in names])
    for mark in (*on.lines, *on.collections, *on.patches, *on.images):
        mark.set_in_layout(False)  # within the axes: margins are for letters
    for text in (text for legend in figure.legends for text in legend.get_texts()):
        text.set_text(_short(text.get_text(), 2 * LONGEST))
    figure.subplots_adjust(*DEFAULT)  # so that a figure which is fitted twice does not change
    renderer = figure._get_renderer()
    _, _, width, height = figure.bbox.bounds
    low, high = 0.0, height
    for legend in figure.legends:
        extent = legend.get_window_extent(renderer)
        low, high = (max(low, extent.y1), high) if extent.y0 < height / 2 else (low, extent.y0)
    inside, outside = on.bbox, on.get_tightbbox(renderer, for_layout_only=True)
    left = PAD + inside.x0 - outside.x0
    right = width - PAD - (outside.x1 - inside.x1)
    bottom = low + PAD + inside.y0 - outside.y0
    top = high - PAD - (outside.y1 - inside.y1)
    left, bottom = min(left, 0.7 * width), min(bottom, 0.7 * height)  # whatever names there are
    right, top = max(right, left + 0.1 * width), max(top, bottom + 0.1 * height)
    figure.subplots_adjust(left / width, bottom / height, right / width, top / height)


def _short(name, most=LONGEST):
    """Names come from data, and may be of any length."""
    return "\n".join(p if len(p) <= most else p[: most - 1] + "…" for p in name.split("\n"))


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """An `<svg>` element for a page, with ink that is the page's.

    Ids differ from those of other names: one that two figures shared would be lost with the figure
    that a reader hides.
    """
    buffer = io.StringIO()
    with rc_context(STYLE | {"svg.hashsalt": name}):
        fit(figure)
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = FONT.sub("", ID.sub("<g", SPACE.sub("\n", svg)))
    svg = PLACES.sub(lambda found: DIGITS.sub(r"\1", found[0]), svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*pt"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*pt"', r"\1", svg, count=1)
    # No larger than a figure of WIDTH is shown, or letters would be of many sizes.
    room = f'style="max-width: {figure.get_figwidth() / WIDTH * 34:.0f}rem"'
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}" {room}', 1)


def to_file(figure: Figure, kind: str) -> bytes:
    """The figure as a file of its own on white, "svg" or "pdf"; equal figures give equal bytes."""
    buffer = io.BytesIO()
    date = {"svg": "Date", "pdf": "CreationDate"}[kind]
    with style():
        fit(figure)
        figure.savefig(buffer, format=kind, facecolor="white", metadata={date: None})
    return buffer.getvalue()
