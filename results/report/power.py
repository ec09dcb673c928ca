"""How many seeds tell two methods apart?"""

import numpy as np
import pandas as pd

from ..how_many_seeds import MAYBE_NONE, how_many_seeds
from ..power import POWER, seeds_needed, smallest_difference
from ..summary import SCORES, leading
from .drawing import DOT, INK, MEDIAN, PALETTE, WIDTH, axes, style
from .section import CHOSEN, Picture, Section, Study, Table
from .silence import silence, silent

NAME, TITLE = "power", "How many seeds tell two methods apart?"
MORE_POWER, FEWEST, MOST = 0.9, 2, 10_000  # the axis ends there; an arrow points to what is beyond
ABOUT = (
    "Seeds a method that a two-sided test at 5 % needs to see, with 80 % power, the difference "
    "that two methods have here at their best strengths (cross-fitted), by the noncentral t; in "
    "pairs where the scores of equal seeds correlate. The interval is of the seeds for the largest "
    "and the smallest difference, in standard deviations, that the runs leave possible at 95 %; it "
    "has no upper end where there may be no difference at all. A difference that was seen is a "
    "guess, mostly too large where few seeds made it stand out: a new study is planned for the "
    f"smallest difference that would matter. {CHOSEN}"
)


def section(study: Study) -> Section:
    """Seeds needed per dataset, score and pair of methods."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    if study.runs["model"].nunique() < 2:
        return Section(NAME, TITLE, [], why="there is one method only")
    found = how_many_seeds(study.runs, study.scores)
    if found["low"].isna().all():
        return Section(NAME, TITLE, [], why=silence(found["why"]) or "no dataset has two methods")
    known = found[found["low"].notna()]
    groups = known.groupby(["dataset", "metric"], sort=False)
    pictures = [_picture(*key, own) for key, own in groups]
    findings = [*_findings(found, study.scores)]
    return Section(NAME, TITLE, findings, pictures, [_table(found)], about=ABOUT)


def _findings(found, scores):
    seeds = sorted({round(n) for n in found["seeds"] if n >= 2})
    for n in sorted({seeds[0], seeds[-1]}):
        yield (
            f"With {n} seeds a method, a test sees differences of "
            f"**{smallest_difference(n):.2f}** standard deviations with {100 * POWER:.0f} % power, "
            f"and of {smallest_difference(n, power=MORE_POWER):.2f} with {100 * MORE_POWER:.0f} %."
        )
    score = leading(scores)
    for dataset, own in found[found["metric"] == score].groupby("dataset", sort=False):
        known, name = own[own["low"].notna()], SCORES.get(score, score)
        if known.empty:
            yield silent(f"on {dataset}", own.iloc[0]["why"])
            continue
        enough, far = (known["power"] >= POWER).sum(), known.iloc[0]
        see = f"the seeds at hand see with {100 * POWER:.0f} % power"
        if len(known) == 1:
            text = f"On {dataset}, {far['model']} and {far['other']} differ in {name} by "
            text += f"**{abs(far['difference']):.3f}**; {see} {far['smallest']:.3f}."
            yield text if enough else f"{text} They would need {_seeds(far)}."
            continue
        text = f"On {dataset}, **{enough} of {len(known)}** pairs of methods differ in {name} by "
        text += f"as much as {see}, {known['smallest'].median():.3f} in the median."
        far = known.loc[known["value"].fillna(np.inf).idxmax()]
        if far["power"] < POWER:
            text += f" {far['model']} and {far['other']}, the closest, would need {_seeds(far)}."
        yield text


def _seeds(row, unit=" seeds each"):
    """ "72 seeds each [23 to 3,200]" """
    value = f"{_count(row['value'])}{unit}"
    if row["why"] == MAYBE_NONE:
        return f"{value} [{_count(row['low'])} or more]"
    return f"{value} [{_count(row['low'])} to {_count(row['high'])}]"


def _count(seeds):
    """A number of seeds as exact as one can mean it: from a hundred on, two digits."""
    if np.isnan(seeds):
        return "more than a million"
    return f"{seeds:,.0f}" if seeds < 100 else f"{float(f'{seeds:.2g}'):,.0f}"


def _picture(dataset, metric, own):
    own = own.sort_values("value", na_position="last", kind="stable")
    name, seeds = SCORES.get(metric, metric), own["seeds"].median()
    with style():
        figure, on = axes(f"{name} on {dataset}", WIDTH, 1.0 + 0.2 * len(own))
        for place, (_, row) in enumerate(own.iterrows()):
            seen = row["power"] >= POWER
            colour = PALETTE[0] if seen else MEDIAN
            low = min(row["low"], MOST)
            high = MOST if np.isnan(row["high"]) else min(row["high"], MOST)
            on.plot([low, high], [place, place], color=colour, lw=1.6)
            if not row["high"] <= MOST:
                on.plot(MOST, place, ">", color=colour, ms=5, mew=0, clip_on=False)
            if row["value"] <= MOST:
                on.plot(row["value"], place, "o" if seen else "D", color=colour, ms=5, mew=0)
        on.axvline(seeds, color=DOT, lw=1, ls="--")
        on.plot([], [], "o-", color=PALETTE[0], mew=0, label="80 % power at hand")
        on.plot([], [], "D-", color=MEDIAN, mew=0, label="less")
        on.plot([], [], "--", color=DOT, label=f"{seeds:.0f} seeds at hand")
        on.set_xscale("log")
        on.set_xlim(FEWEST * 0.9, MOST)
        on.set_xticks([2, 10, 100, 1_000, 10_000], ["2", "10", "100", "1,000", "10,000"])
        on.tick_params(axis="x", which="minor", length=0)
        on.set_yticks(range(len(own)), own["model"] + " · " + own["other"], fontsize=7.5)
        on.set_ylim(len(own) - 0.5, -0.5)
        on.set_xlabel("seeds a method", color=INK)
        figure.legend(loc="outside lower center", ncols=3, handlelength=1.6)
    enough, name = (own["power"] >= POWER).sum(), SCORES.get(metric, metric)
    alt = (
        f"{enough} of {len(own)} pairs of methods on {dataset} differ in {name} by what the seeds "
    )
    first, last = own.iloc[0], own.iloc[-1]
    alt += f"at hand see. {first['model']} and {first['other']} need {_seeds(first)}, "
    alt += f"{last['model']} and {last['other']} {_seeds(last)}"
    caption = f"Seeds a method that tell two methods apart by {name} on {dataset}, at 80 % power."
    return Picture(f"power_{dataset}_{metric}", figure, alt, caption, own, dataset, metric)


def _table(found):
    known, rows = ~found["low"].isna(), []
    effect = (found["difference"] / found["sd"]).where(known)
    more = [seeds_needed(effect, power=MORE_POWER, paired=paired) for paired in (False, True)]
    more = np.where(found["paired"], more[1], more[0])
    for said, other, (_, row) in zip(known, more, found.iterrows(), strict=True):
        rows.append(
            {
                "dataset": row["dataset"],
                "metric": row["metric"],
                "methods": f"{row['model']} − {row['other']}",
                "difference": "" if np.isnan(row["difference"]) else f"{row['difference']:.3f}",
                "sd": f"{row['sd']:.3f}" if said else "",
                "seeds": f"{row['seeds']:.0f}" + (", in pairs" if row["paired"] else ""),
                "power": f"{100 * row['power']:.0f} %" if said else "",
                "they see": f"{row['smallest']:.3f}" if said else "",
                "for 80 %": _seeds(row, "") if said else row["why"],
                "for 90 %": _count(other) if said else "",
            }
        )
    caption = "What the seeds at hand see, and how many seeds would see the difference found."
    return Table(pd.DataFrame(rows), caption)
