"""What does a method's strength do to the scores, and what does the seed?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ..distributions import by_setting
from ..strength import directions, seed_spread, trends
from ..summary import SCORES, bounds_of, leading, symbol
from .drawing import BOUND, INK, WIDTH, axes, colour_of, marker_of, style
from .section import CHOSEN, Picture, Section, Study, Table, number, percent
from .silence import silent

NAME, TITLE = "strength", "What does the strength do, and what the seed?"
FEW = 250  # runs on a dataset that are drawn one by one
ABOUT = (
    "Every setting of every method, weak to strong from left to right. Large marks are medians "
    "over seeds, bars their 95 % intervals, which five seeds or fewer do not have. Small dots are "
    "runs; where there are many, a thin line reaches from the lowest to the highest, and a broad "
    "one over the middle half. The trend is Spearman's rank correlation of the score with the "
    "strength among the runs of a method. The seed's spread is the standard deviation between "
    "seeds of one setting over all that the sweep does to the mean, its highest less its lowest; "
    "where the strength does little, chance makes that larger and the share too low. A trend is "
    "clear where its interval is without 0, or where six seeds or more all say the same. " + CHOSEN
)


def section(study: Study) -> Section:
    """Figures 4 (left) and 15 of the paper, and what they come to in two numbers a method."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    score = leading(study.scores)
    settings = by_setting(study.runs, study.scores)
    trend, spread = trends(study.runs, study.scores), seed_spread(study.runs, study.scores)
    swept = trend[trend["why"] != "one strength"]
    if swept.empty:
        return Section(NAME, TITLE, [], why="every method has one strength")
    findings = [
        _finding(dataset, own, spread[(spread["dataset"] == dataset) & (spread["metric"] == score)])
        for dataset, own in swept[swept["metric"] == score].groupby("dataset", sort=False)
    ]
    runs, pictures = dict(list(study.runs.groupby("dataset"))), []
    models = list(study.runs["model"].unique())
    for score in study.scores:
        for dataset, own in settings[settings["metric"] == score].groupby("dataset", sort=False):
            if own["runs"].any():
                known = bounds_of(study.bounds, dataset, score) if len(study.bounds) else {}
                pictures.append(_picture(runs[dataset], own, known, models))
    return Section(NAME, TITLE, findings, pictures, [_table(trend, spread)], about=ABOUT)


def _finding(dataset, trend, spread):
    name = SCORES.get(trend["metric"].iloc[0], trend["metric"].iloc[0])
    way = directions(trend)
    known, way = trend[way.notna()], way.dropna()
    if known.empty:
        return silent(f"on {dataset}", trend["why"].iloc[0])
    clear = known[way != 0]
    if len(known) == 1:
        one = known.iloc[0]
        verb = {1: "rises", -1: "falls", 0: "has no clear trend"}[way[one.name]]
        text = f"On {dataset}, {name} {verb} with the strength of {one['model']}, {number(one)}"
    elif clear.empty:
        text = f"On {dataset}, {name} has no clear trend with the strength of any of {len(known)} "
        text += "methods"
    else:
        text = f"On {dataset}, {name} rises with the strength of {(way == 1).sum()} and falls with "
        text += f"that of {(way == -1).sum()} of {len(known)} methods"
        if len(clear) > 1:
            steepest = clear.loc[clear["value"].abs().idxmax()]
            text += f"; the strongest of these trends is {steepest['model']}'s, {number(steepest)}"
        else:
            text += f": {number(clear.iloc[0])} with {clear['model'].iloc[0]}'s"
    spread = spread[spread["value"].notna()].sort_values("value")
    if spread.empty:
        return f"{text}."
    middle = spread.iloc[len(spread) // 2]
    text += f". From one seed to the next it moves by **{percent(middle)}** of all that the sweep "
    text += f"does to {middle['model']}"
    if len(spread) > 1:
        least, most = spread.iloc[0], spread.iloc[-1]
        text += f", the method in the middle, from {percent(least)} of {least['model']}'s to "
        text += f"{percent(most)} of {most['model']}'s"
    return f"{text}."


def along(settings: pd.DataFrame, on: Axes) -> dict[str, int]:
    """Where each setting stands on an axis across all of a dataset's, a gap between methods: id →
    place. Draws the methods' names, and the ends of their sweeps, below."""
    places, middles, names = {}, [], []
    for model, own in settings.groupby("model", sort=False):
        start = len(places) + len(names)
        places |= {setting: start + i for i, setting in enumerate(own["setting"])}
        middles.append(start + (len(own) - 1) / 2)
        low, high, name = own["strength"].min(), own["strength"].max(), own["strength_name"].iloc[0]
        sweep = f"{low:g} to {high:g}" if low < high else "default" if np.isnan(low) else f"{low:g}"
        names.append(f"{model}\n{'' if pd.isna(name) else symbol(name)}\n{sweep}")
    crowded = len(names) > 4
    on.set_xticks(middles, names, fontsize=6 if crowded else 8)
    on.tick_params(axis="x", length=0)
    on.set_xlim(-0.8, max(places.values()) + 0.8)
    return places


def bars(on: Axes, x, low, high, **look):
    """Upright bars as one line with gaps, which is a fifth of the SVG that as many lines are."""
    y = np.stack([low, high, np.full(len(x), np.nan)], axis=-1)
    on.plot(np.repeat(x, 3), y.reshape(-1), solid_capstyle="butt", **look)


def _picture(runs, own, known, models):
    dataset, score = own["dataset"].iloc[0], own["metric"].iloc[0]
    name = SCORES.get(score, score)
    colours, markers = colour_of(models), marker_of(models)
    with style():
        figure, on = axes(f"{name} on {dataset}", WIDTH, 2.9)
        places = along(own, on)
        few = len(runs) <= FEW
        if few:
            x = runs["setting"].map(places).to_numpy(float)
            x += 0.5 * (runs["seed"].rank(method="dense").to_numpy() * 0.618 % 1) - 0.25
            shade = runs["model"].map(colours)
            on.scatter(x, runs[score], s=5, c=shade, lw=0, alpha=0.6, rasterized=True)
        for model, some in own.groupby("model", sort=False):
            x, colour = some["setting"].map(places), colours[model]
            if not few:
                bars(on, x, some["lowest"], some["highest"], color=colour, lw=0.8, alpha=0.6)
                bars(on, x, some["q25"], some["q75"], color=colour, lw=5, alpha=0.5)
            on.plot(x, some["value"], color=colour, lw=0.8)
            bars(on, x, some["low"], some["high"], color=INK, lw=1.2)
            on.plot(x, some["value"], markers[model], color=colour, ms=4.5, mec=INK, mew=0.6)
        lowest, highest = runs[score].min(), runs[score].max()
        room = 0.06 * (highest - min(0, lowest)) or 0.1
        on.set_ylim(min(0, lowest - room), highest + room)
        on.set_ylabel(name)
        _draw_bounds(on, known)
    best, worst = own.loc[own["value"].idxmax()], own.loc[own["value"].idxmin()]
    alt = f"{name} on {dataset}: medians of settings from {worst['value']:.2f} ({worst['model']}, "
    alt += f"{worst['label']}) to {best['value']:.2f} ({best['model']}, {best['label']})"
    caption = f"{name} on {dataset} over the strength of every method, weak to strong."
    return Picture(f"{NAME}_{dataset}_{score}", figure, alt, caption, own, dataset, score)


def _draw_bounds(on, known):
    """A broken line across for each of these scores, its name at the right; of those beyond the
    axis, which the runs decide, the name and the score alone."""
    bottom, top = on.get_ylim()
    inside = sorted((value, codes) for codes, value in known.items() if bottom <= value <= top)
    beyond = [f"{codes} {value:.2f}" for codes, value in known.items() if value > top]
    across = on.get_yaxis_transform()  # x as a share of the axes' width, y a score
    gap = 0.075 * (top - bottom)  # between two names, so that both can be read
    place = bottom - gap
    for later, (value, codes) in enumerate(inside, 1):
        on.axhline(value, color=BOUND, lw=0.8, ls="--", zorder=0)
        place = min(max(value, place + gap), top - gap * (len(inside) - later))
        on.text(1.01, place, codes, transform=across, va="center", fontsize=7)
    if beyond:
        text = "↑ " + ", ".join(beyond)
        on.text(1, 1.02, text, transform=on.transAxes, ha="right", va="bottom", fontsize=7)


def _table(trend, spread):
    rows = []
    for (_, slope), (_, luck) in zip(trend.iterrows(), spread.iterrows(), strict=True):
        cells = {"dataset": slope["dataset"], "metric": slope["metric"], "method": slope["model"]}
        cells["trend with the strength"] = _or_why(slope, number)
        cells["seed's spread, of the sweep's"] = _or_why(luck, percent)
        rows.append(cells | {"runs": f"{slope['runs']:,}"})
    caption = "Trends with the strength, from −1 to 1, and what the seed moves beside it."
    return Table(pd.DataFrame(rows), caption)


def _or_why(row, say):
    return row["why"] if np.isnan(row["value"]) else say(row)
