"""Do the runs that diverged decide?"""

import pandas as pd

from ..summary import SCORES, leading
from ..survivors import failure_rates, survivors
from .drawing import INK, WIDTH, axes, colour_of, marker_of, style
from .section import CHOSEN, Picture, Section, Study, Table, percent

NAME, TITLE = "survivors", "Do the runs that diverged decide?"
ABOUT = (
    "All other numbers count a run that diverged, or of whose codes a metric could not be "
    "computed, with the metric's floor: what random codes score, where that is known, and 0 "
    "elsewhere. Beside them stand those of the survivors alone. Runs that failed, for reasons that "
    "are not their method's, count in neither. Shown is the interquartile mean. Intervals are "
    f"95 %, with seeds as clusters; shares that diverged have Wilson's. {CHOSEN}"
)


def section(study: Study) -> Section:
    """How often methods diverge, and every score with and without the runs that did."""
    if study.survivors.empty:
        return Section(NAME, TITLE, [], why="there are no runs")
    rates = failure_rates(study.survivors)
    table = survivors(study.survivors, study.scores, study.bounds)
    findings = [*_rates(rates), *_order(table, study.scores)]
    models = [*study.survivors["model"].unique()]
    groups = table.groupby(["dataset", "metric"], sort=False)
    pictures = [_picture(*key, own, models) for key, own in groups if own["floored"].any()]
    tables = [_table(rates)] if rates[["diverged", "failed"]].any(axis=None) else []
    return Section(NAME, TITLE, findings, pictures, tables, about=ABOUT)


def _rates(rates):
    methods = rates[rates["label"] == ""]
    runs, diverged, failed = (int(methods[name].sum()) for name in ("runs", "diverged", "failed"))
    if failed:
        yield f"{failed:,} of {runs + failed:,} runs failed, and count nowhere."
    if diverged:
        worst, most = methods.loc[methods["value"].idxmax()], "most often " * (len(methods) > 1)
        yield (
            f"**{diverged:,} of {runs:,}** runs diverged, {most}those of {worst['model']} on "
            f"{worst['dataset']}: {percent(worst, '.1f')}."
        )
    elif runs:
        text, high = f"**No run diverged** of {runs:,}", methods["high"].max()
        yield text + (
            "." if pd.isna(high) else f", so no method's rate is likely above {100 * high:.1f} %."
        )


def _order(table, scores):
    some = table.groupby(["dataset", "metric"], sort=False)["floored"].transform("sum") > 0
    table = table[some]
    if table.empty:
        return
    score = leading(scores)
    changed, groups = [], table.groupby(["dataset", "metric"], sort=False)
    for (dataset, metric), own in groups:
        own = own.dropna(subset="alone")
        if own["value"].rank().equals(own["alone"].rank()):
            continue
        changed.append((dataset, metric))
        if metric == score:
            before, after = (
                own.sort_values(name, ascending=False, kind="stable")["model"]
                for name in ("value", "alone")
            )
            text = f"On {dataset}, the order of methods by {SCORES.get(metric, metric)} rests on "
            text += f"runs at the floor: with them {', '.join(before)}; survivors alone "
            yield text + f"{', '.join(after)}."
    if changed:
        yield (
            "Without runs at the floor the order of methods changes in "
            f"**{len(changed)} of {len(groups)}** pairs of a dataset and a score that have any."
        )
    elif table["model"].nunique() > 1:
        yield "**No order of methods changes** when survivors alone count."


def _picture(dataset, metric, own, models):
    colours, markers, name = colour_of(models), marker_of(models), SCORES.get(metric, metric)
    with style():
        figure, on = axes(f"{name} on {dataset}", WIDTH, 1.1 + 0.36 * len(own))
        for place, (_, row) in enumerate(own.iterrows()):
            colour, marker = colours[row["model"]], markers[row["model"]]
            on.plot([row["low"], row["high"]], [place - 0.12] * 2, color=colour, lw=2.2)
            on.plot(row["value"], place - 0.12, marker, color=colour, ms=6, mew=0)
            on.plot([row["alone_low"], row["alone_high"]], [place + 0.2] * 2, color=colour, lw=0.8)
            on.plot(row["alone"], place + 0.2, marker, mfc="none", mec=colour, ms=5)
        floored = own["floored"].astype(str) + " of " + own["runs"].astype(str) + " at the floor"
        on.set_yticks(range(len(own)), own["model"] + "\n" + floored)
        on.plot([], [], "o-", color=INK, label="all, diverged runs at the floor")
        on.plot([], [], "o-", color=INK, mfc="none", lw=0.8, label="survivors alone")
        on.set_ylim(len(own) - 0.5, -0.6)
        on.set_xlabel(name)
        figure.legend(loc="outside lower center", ncols=2, handlelength=1.6)
    most = own.loc[own["moved"].fillna(0).abs().idxmax()]
    alt = f"Without runs at the floor {name} on {dataset} moves{' most' * (len(own) > 1)} for "
    alt += f"{most['model']}, by "
    alt += f"{most['moved']:.3f}" if pd.notna(most["moved"]) else "an unknown amount"
    caption = f"{name} of every method on {dataset}, with runs at the floor and without them."
    return Picture(f"survivors_{dataset}_{metric}", figure, alt, caption, own, dataset, metric)


def _table(rates):
    worth = rates[(rates["label"] == "") | (rates["diverged"] > 0) | (rates["failed"] > 0)]
    rows = [
        {
            "dataset": row["dataset"],
            "method": row["model"],
            "setting": row["label"] or "all",
            "runs": f"{row['runs']:,}",
            "diverged": f"{row['diverged']:,}",
            "share": row["why"] if pd.isna(row["value"]) else percent(row, ".1f"),
            "failed": f"{row['failed']:,}",
        }
        for _, row in worth.iterrows()
    ]
    return Table(
        pd.DataFrame(rows), "Runs that diverged: every method, and settings that lost any."
    )
