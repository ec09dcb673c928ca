"""Are the codes independent that a representation is made of?"""

import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from ..distributions import by_setting
from ..likelihoods import comparable
from ..strength import directions, trends
from ..summary import symbol
from ..total_correlation import MEASURES, SAMPLED, higher_for_means, measures_of
from .drawing import INK, PALETTE, WIDTH, axes, style
from .section import CHOSEN, Picture, Section, Study, Table, listed, number, percent
from .silence import silent
from .strength import along, bars

NAME, TITLE = "total_correlation", "Does regularisation make the representation independent?"
LOWEST = 1e-4  # nats: what is less is drawn here, because the axis is logarithmic
LOOKS = {"sampled": (PALETTE[0], "o", -0.14), "mean": (PALETTE[5], "s", 0.14)}
ABOUT = (
    "What a method presses to be independent are codes sampled from its posteriors, and the "
    "representation is their means. Each point is the median over the seeds of one setting, weak "
    "to strong from left to right, with its 95 % interval; what is below 0.0001 is drawn there. "
    "Trends are Spearman's rank correlations with the strength among the runs of a method. Not "
    "every strength presses: where reconstructions improve as it rises, it loosens, and its "
    "trends read the other way round. Of codes that are functions of each other the total "
    "correlation is infinite; such runs do not count. Where all runs agree that one is the larger, "
    "the interval of the share takes a seed for one run. " + CHOSEN
)


def section(study: Study) -> Section:
    """Figures 1, 8 to 10 and 25 to 28 of the paper."""
    runs = study.survivors  # there is no floor to how dependent codes are
    measures = measures_of(runs)
    if not measures:
        return Section(NAME, TITLE, [], why="no run has a measure of both mean and sampled codes")
    columns = [column for m in measures for column in (m, m + SAMPLED)]
    trend, higher = trends(runs, columns), higher_for_means(runs, measures)
    findings, pictures, first = _loosening(runs), [], measures[0]
    medians = by_setting(runs, [first, first + SAMPLED])
    for dataset, own in medians.groupby("dataset", sort=False):
        of = [frame[frame["dataset"] == dataset] for frame in (trend, higher)]
        findings.append(_finding(dataset, *of, first))
        if own.groupby("metric")["value"].count().all():
            pictures.append(_picture(dataset, own, first))
    return Section(NAME, TITLE, findings, pictures, [_table(trend, higher)], about=ABOUT)


def _loosening(runs):
    """A sentence on each method whose reconstructions improve with its strength."""
    if "reconstruction" not in runs:
        return []
    found, trend = [], trends(comparable(runs), ["reconstruction"])
    way = directions(trend)
    for (model, name), own in trend.groupby(["model", "strength_name"], sort=False):
        falls = own[way[own.index] == -1]
        if len(falls) and not (way[own.index] == 1).any():
            most = falls.loc[falls["value"].idxmin()]
            found.append(
                f"The strength of {model}, {symbol(name)}, loosens as it rises: the error of its "
                f"reconstructions falls (trend {number(most)} on {most['dataset']}). Its other "
                "trends read the other way round."
            )
    return found


def _finding(dataset, trend, higher, measure):
    unknown = next(iter(trend["why"][trend["why"] != ""]), "no run has both")
    trend = trend.assign(way=directions(trend)).dropna(subset="way")
    sampled, mean = (trend[trend["metric"] == column] for column in (measure + SAMPLED, measure))
    text = f"On {dataset}, "
    if sampled.empty or mean.empty:
        text = silent(f"of trends on {dataset}", unknown).removesuffix(".")
    else:
        text += f"{MEASURES[measure]} of sampled codes {_turns(sampled)}; of mean codes, which are "
        text += f"the representation, it {_turns(mean)}"
    higher = higher[(higher["measure"] == measure) & higher["value"].notna()]
    if higher.empty:
        return f"{text}."
    least = higher.loc[higher["value"].idxmin()]
    text += ". The means are further from independence than the samples in "
    share = f"**{percent(least)}**"
    if len(higher) == 1:
        return f"{text}{share} of the runs."
    if least["value"] == 1:
        return f"{text}{share} of every method's runs."
    return f"{text}at least {share} of every method's runs (fewest of {least['model']}'s)."


def _turns(trend):
    verbs = {"falls": trend[trend["way"] == -1], "rises": trend[trend["way"] == 1]}
    parts = [
        f"{verb} with the strength of {listed(list(some['model']))}"
        for verb, some in verbs.items()
        if len(some)
    ]
    return " and ".join(parts) or "has no clear trend with any strength"


def _picture(dataset, own, measure):
    name = MEASURES[measure]
    unit = "squared units of the codes" if "wasserstein" in measure else "nats"
    sides = {
        "sampled": own[own["metric"] == measure + SAMPLED],
        "mean": own[own["metric"] == measure],
    }
    with style():
        figure, on = axes(f"{name} on {dataset}", WIDTH, 3.1)
        places = along(sides["mean"], on)
        for side, (colour, marker, aside) in LOOKS.items():
            for i, (_, some) in enumerate(sides[side].groupby("model", sort=False)):
                x = some["setting"].map(places) + aside
                low, value, high = (some[c].clip(lower=LOWEST) for c in ("low", "value", "high"))
                on.plot(x, value, color=colour, lw=0.8)
                bars(on, x, low, high, color=INK, lw=1)
                label = {"label": f"{side} codes"} if i == 0 else {}
                on.plot(x, value, marker, color=colour, ms=4, mec=INK, mew=0.4, **label)
        on.set_yscale("log")
        on.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        on.yaxis.set_minor_formatter(NullFormatter())
        on.set_ylabel(unit)
        figure.legend(loc="outside upper right", ncols=2, handletextpad=0.1)
    middle = {side: some["value"].median() for side, some in sides.items()}
    alt = f"{name} on {dataset}: in the middle of all settings {middle['mean']:.2g} {unit} for "
    alt += f"mean codes and {middle['sampled']:.2g} for sampled ones"
    caption = f"{name} ({unit}) of sampled and of mean codes on {dataset}, weak to strong."
    return Picture(f"{NAME}_{dataset}", figure, alt, caption, own, dataset)


def _table(trend, higher):
    numbers = trend.set_index(["dataset", "model", "metric"])
    rows = []
    for _, share in higher.iterrows():
        key = share["dataset"], share["model"]
        cells = {"dataset": key[0], "method": key[1], "measure": MEASURES[share["measure"]]}
        for side, column in (("sampled", share["measure"] + SAMPLED), ("mean", share["measure"])):
            row = numbers.loc[(*key, column)]
            cells[f"trend, {side} codes"] = row["why"] if np.isnan(row["value"]) else number(row)
        known = not np.isnan(share["value"])
        cells["higher for means"] = percent(share) if known else share["why"]
        rows.append(cells | {"runs": f"{share['runs']:,}"})
    caption = "Trends with the strength, and in what share of runs the means are more dependent."
    return Table(pd.DataFrame(rows), caption)
