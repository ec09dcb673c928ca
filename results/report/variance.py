"""How much of a score is the method, and how much is luck?"""

import numpy as np
import pandas as pd

from .. import published
from ..summary import SCORES, leading
from ..variance import ALL, COMPONENTS, variance_components, variance_explained
from .drawing import PALETTE, WIDTH, axes, style
from .section import Picture, Section, Study, Table, listed, percent
from .silence import silence, silent

NAME, TITLE = "variance", "How much of a score is the method, and how much is luck?"
SHADES = (PALETTE[0], PALETTE[4], PALETTE[5], "#b9bdc4", "#70757e")
COLOURS = dict(zip(COMPONENTS, SHADES, strict=True))
SMALLEST = 0.05  # share of a bar that has room for its number
ABOUT = (
    "A score's variance over all runs of a dataset is taken apart. Method is what the means of the "
    "methods differ by, strength what the settings of one method differ by. Seed is what runs of "
    "one seed have in common, whatever their settings; seed × setting is the rest of their luck, "
    "and evaluation what the score itself adds because it looks at a sample, which is known where "
    "a run was scored on several draws and is part of seed × setting elsewhere. R² is the paper's "
    "number, of least squares on the category; it counts luck as explained where seeds are few, "
    "and the shares beside it do not. Intervals are 95 %, with seeds as clusters. Shares are cut "
    "at 0, so a bar may be a little longer than 100 %. The average beside the paper's is over the "
    "scores that both have; those of the table are over all."
)


def section(study: Study) -> Section:
    """Table 5 of the paper, and the components of variance, of all datasets and scores."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    explained = _explained(study.runs, study.scores)
    components = variance_components(study.runs, study.rows, study.scores)
    if explained["value"].isna().all():
        return Section(NAME, TITLE, [], why=silence(explained["why"]) or "there are no runs")
    pictures = [_picture(d, own) for d, own in components.groupby("dataset", sort=False)]
    tables = [_table(explained), _components(components)]
    findings = [*_findings(explained, study.scores), *_beside_the_paper(study)]
    return Section(NAME, TITLE, findings, [p for p in pictures if p], tables, about=ABOUT)


def _explained(runs, scores):
    """For a reader: no share is below 0."""
    found = variance_explained(runs, scores)
    return found.assign(**found[["value", "low", "high"]].clip(lower=0))


def _findings(explained, scores):
    score, numbers = leading(scores), explained.set_index(["dataset", "metric", "of"])
    for dataset in (name for name in explained["dataset"].unique() if name != ALL):
        both = numbers.loc[(dataset, score, "method and strength")]
        method = numbers.loc[(dataset, score, "method")]
        if np.isnan(both["value"]):
            yield silent(f"on {dataset}", both["why"])
            continue
        text = f"On {dataset}, "
        if np.isnan(method["value"]):
            text += f"the strength explains **{percent(both)}** of {SCORES[score]}"
        else:
            text += f"the method explains **{percent(method)}** of {SCORES[score]}, "
            text += f"method and strength together **{percent(both)}**"
        yield f"{text}; the rest, {100 - round(100 * both['value'])} %, is luck."


def _beside_the_paper(study):
    """The averages over several datasets and the scores that the paper has, too."""
    scores = published.comparable(study.scores)
    found = _explained(study.runs, scores)
    metric = ALL if len(scores) > 1 else "".join(scores)
    found = found[(found["dataset"] == ALL) & (found["metric"] == metric)].set_index("of")
    if found.empty or found["value"].isna().any():
        return
    method, both = (found.loc[of] for of in ("method", "method and strength"))
    paper = 100 * published.variance_explained()[["method", "method_and_strength"]].mean()
    yield (
        f"On average over datasets and the paper's scores that are here "
        f"({listed(SCORES[s] for s in scores)}), the method explains {percent(method)}, and method "
        f"and strength {percent(both)}. As the paper counts it, by R², that is "
        f"**{100 * method['r2']:.0f} %** and **{100 * both['r2']:.0f} %**; the paper found "
        f"{paper['method']:.0f} % and {paper['method_and_strength']:.0f} %."
    )


def _picture(dataset, components):
    shares = components[components["scale"] == "share"]
    wide = shares.pivot(index="metric", columns="component", values="value")
    wide = wide.reindex(index=shares["metric"].unique(), columns=COMPONENTS).dropna(how="all")
    if wide.empty:
        return None
    with style():
        figure, on = axes(f"What makes runs differ on {dataset}", WIDTH, 0.95 + 0.3 * len(wide))
        start = np.zeros(len(wide))
        for component in COMPONENTS:
            width = wide[component].fillna(0).to_numpy()
            on.barh(range(len(wide)), width, 0.72, start, color=COLOURS[component], label=component)
            ink = "#111" if component in ("strength", "seed × setting") else "#fff"
            for row in np.flatnonzero(width >= SMALLEST):
                middle, text = start[row] + width[row] / 2, f"{100 * width[row]:.0f}"
                on.text(middle, row, text, ha="center", va="center", color=ink, fontsize=8)
            start += width
        on.set_yticks(range(len(wide)), [SCORES.get(metric, metric) for metric in wide.index])
        on.invert_yaxis()
        on.set_xlim(0, max(1.0, start.max()))
        on.set_xticks(np.arange(0, 1.1, 0.25), ["0", "25", "50", "75", "100 %"])
        figure.legend(loc="outside lower center", ncols=len(COMPONENTS), handlelength=1)
    luck = 1 - wide[["method", "strength"]].sum(axis=1)
    low, high = (f"{100 * max(x, 0):.0f} %" for x in (luck.min(), luck.max()))
    reach = low if low == high else f"{low} to {high}"
    alt = f"Of what makes runs on {dataset} differ, {reach} is neither method nor strength"
    caption = f"Shares of every score's variance over the runs on {dataset}, in per cent."
    return Picture(f"variance_{dataset}", figure, alt, caption, shares, dataset)


def _table(explained):
    """As the paper's Table 5, with the shares that luck does not raise beside it."""
    rows = []
    for (dataset, metric), own in explained.groupby(["dataset", "metric"], sort=False):
        method, both = (own[own["of"] == of].iloc[0] for of in ("method", "method and strength"))
        cells = {"dataset": dataset, "metric": metric}
        for name, row in (("method", method), ("method and strength", both)):
            said = not np.isnan(row["value"])
            cells[f"{name}, R²"] = f"{100 * row['r2']:.0f} %" if said else ""
            cells[name] = percent(row) if said else row["why"]
        rows.append(cells | {"runs": f"{both['runs']:,}"})
    caption = "What the method explains of a score's variance, and method and strength together."
    return Table(pd.DataFrame(rows), caption)


def _components(components):
    shares = components[components["scale"] == "share"]
    said = [row["why"] if np.isnan(row["value"]) else percent(row) for _, row in shares.iterrows()]
    wide = shares.assign(said=said).pivot(
        index=["dataset", "metric"], columns="component", values="said"
    )
    order = shares[["dataset", "metric"]].drop_duplicates()
    wide = wide.loc[pd.MultiIndex.from_frame(order), list(COMPONENTS)].reset_index()
    caption = "Components of a score's variance over runs, as shares of the total."
    return Table(wide.rename_axis(columns=None), caption)
