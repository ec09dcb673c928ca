"""Do lost runs decide?"""

import pandas as pd

from ..summary import SCORE, SCORES
from ..survivors import failure_rates, survivors
from .drawing import INK, WIDTH, axes, colour_of, marker_of, style
from .section import Picture, Section, Study, Table, percent

NAME, TITLE = "survivors", "Do lost runs decide?"
ABOUT = (
    "All other numbers count a run that diverged, or that a metric gave no number, with the "
    "metric's floor: what random codes score, where that is known, and 0 elsewhere. Beside them "
    "stand those of the survivors alone. Runs that failed, for reasons that are not their "
    "method's, count in neither. Shown is the interquartile mean. Intervals are 95 %, with seeds "
    "as clusters; failure rates have Wilson's."
)


def section(study: Study) -> Section:
    """How often methods lose runs, and every score with and without them."""
    if study.survivors.empty:
        return Section(NAME, TITLE, [], why="there are no runs")
    rates = failure_rates(study.survivors)
    table = survivors(study.survivors, study.scores, study.bounds)
    findings = [*_rates(rates), *_order(table, study.scores)]
    models = [*study.survivors["model"].unique()]
    groups = table.groupby(["dataset", "metric"], sort=False)
    pictures = [_picture(*key, own, models) for key, own in groups if own["lost"].any()]
    tables = [_table(rates)] if rates[["lost", "failed"]].any(axis=None) else []
    return Section(NAME, TITLE, findings, pictures, tables, about=ABOUT)


def _rates(rates):
    methods = rates[rates["label"] == ""]
    runs, lost, failed = (int(methods[name].sum()) for name in ("runs", "lost", "failed"))
    if failed:
        yield f"{failed:,} of {runs + failed:,} runs failed, and count nowhere."
    if lost:
        worst = methods.loc[methods["value"].idxmax()]
        yield (
            f"**{lost:,} of {runs:,}** runs diverged, most often those of {worst['model']} on "
            f"{worst['dataset']}: {percent(worst, '.1f')}."
        )
    elif runs:
        text = f"**No run was lost**: none of {runs:,} diverged"
        high = methods["high"].max()
        yield text + (
            "." if pd.isna(high) else f", so no method's rate is likely above {100 * high:.1f} %."
        )


def _order(table, scores):
    lost = table.groupby(["dataset", "metric"], sort=False)["lost"].transform("sum") > 0
    table = table[lost]
    if table.empty:
        return
    score = SCORE if SCORE in scores else scores[0]
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
            text += f"lost runs: with them {', '.join(before)}; survivors alone "
            yield text + f"{', '.join(after)}."
    if changed:
        yield (
            "Without lost runs the order of methods changes in "
            f"**{len(changed)} of {len(groups)}** pairs of a dataset and a score that lost any."
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
        lost = own["lost"].astype(str) + " of " + own["runs"].astype(str) + " lost"
        on.set_yticks(range(len(own)), own["model"] + "\n" + lost)
        on.plot([], [], "o-", color=INK, label="lost runs at the floor")
        on.plot([], [], "o-", color=INK, mfc="none", lw=0.8, label="survivors alone")
        on.set_ylim(len(own) - 0.5, -0.6)
        on.set_xlabel(name)
        figure.legend(loc="outside lower center", ncols=2, handlelength=1.6)
    most = own.loc[own["moved"].fillna(0).abs().idxmax()]
    alt = f"Without lost runs {name} on {dataset} moves most for {most['model']}, by "
    alt += f"{most['moved']:.3f}" if pd.notna(most["moved"]) else "an unknown amount"
    caption = f"{name} of every method on {dataset}, with lost runs at the floor and without them."
    return Picture(f"survivors_{dataset}_{metric}", figure, alt, caption, own, dataset, metric)


def _table(rates):
    worth = rates[(rates["label"] == "") | (rates["lost"] > 0) | (rates["failed"] > 0)]
    rows = [
        {
            "dataset": row["dataset"],
            "method": row["model"],
            "setting": row["label"] or "all",
            "runs": f"{row['runs']:,}",
            "diverged": f"{row['lost']:,}",
            "share": row["why"] if pd.isna(row["value"]) else percent(row, ".1f"),
            "failed": f"{row['failed']:,}",
        }
        for _, row in worth.iterrows()
    ]
    return Table(
        pd.DataFrame(rows), "Runs that diverged: every method, and settings that lost any."
    )
