"""Which method leads, and can the others be told from it?"""

import pandas as pd

from ..compare_methods import compare_methods
from ..league import league
from ..summary import SCORES, leading
from .drawing import INK, WIDTH, axes, colour_of, marker_of, style
from .section import CHOSEN, Picture, Section, Study, Table, listed, say_interval
from .silence import silent

NAME, TITLE = "league", "Which method leads, and can the others be told from it?"
ABOUT = (
    "The interquartile mean is that of the middle half of a method's runs, all strengths and seeds "
    "(Agarwal et al., 2021). The best strength is cross-fitted: chosen on one half of the seeds, "
    "reported on the other, over many halves, because the best on the same seeds is partly the "
    "luckiest. Ranks possible: one more than the number of methods that are surely better, up to "
    "the number of those that are not surely worse; all of them hold together with a probability "
    "of at least 95 %, by construction more, so they are wide rather than wrong (after Mogstad et "
    "al., 2024). Differences are by the best strength; seeds are compared in pairs where their "
    "scores correlate. Diverged runs have the metric's floor; lost ones failed or diverged. "
    f"Intervals are 95 %, with seeds as clusters. {CHOSEN}"
)


def section(study: Study) -> Section:
    """A league per dataset and score, and every two methods beside each other."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    if study.runs["model"].nunique() < 2:
        return Section(NAME, TITLE, [], why="there is one method only")
    table = league(study.runs, study.scores)
    findings = [*_findings(table, study.scores), *_overall(table)]
    models = [*study.runs["model"].unique()]
    groups = table.dropna(subset="value").groupby(["dataset", "metric"], sort=False)
    pictures = [_picture(*key, own, models) for key, own in groups]
    tables = [_table(table), _pairs(compare_methods(study.runs, study.scores))]
    return Section(NAME, TITLE, findings, pictures, [t for t in tables if t], about=ABOUT)


def ranks_of(row) -> str:
    """The ranks that are possible, for a reader: "2", "1 to 4"."""
    if pd.isna(row["rank"]):
        return ""
    return f"{row['first']:.0f}" + (f" to {row['last']:.0f}" if row["last"] > row["first"] else "")


def _say(row, name="value", low="low", high="high"):
    if pd.isna(row[name]):
        return ""
    return f"{row[name]:.3f}{say_interval(row[low], row[high], '.3f')}"


def _findings(table, scores):
    score = leading(scores)
    for dataset, own in table[table["metric"] == score].groupby("dataset", sort=False):
        known = own[own["rank"].notna()]
        if len(known) < 2:
            why = "one method" if len(known) else "no run"
            yield silent(f"on {dataset}", f"{why} has {SCORES.get(score, score)}")
            continue
        if known["low"].isna().all():
            yield silent(f"on {dataset}", known.iloc[0]["why"])
            continue
        first = known.iloc[0]
        text = f"On {dataset}, **{first['model']}** has the highest interquartile mean of "
        text += f"{SCORES.get(score, score)}, {_say(first)}"
        rivals = known[(known["first"] == 1) & (known.index != known.index[0])]
        if rivals.empty:
            text += ", and it alone can be **first**."
        elif (known["first"] == 1).all() and (known["last"] == len(known)).all():
            text += ", but **no method can be told from another**: "
            text += f"every rank from 1 to {len(known)} is possible for each."
        else:
            text += f"; ranks {ranks_of(first)} are possible for it. "
            text += f"Just as well {listed([*rivals['model']])} could be first."
        yield text


def _overall(table):
    """Over all datasets and scores: how often one method leads, and what a naive choice adds."""
    keys = ["dataset", "metric"]
    ranked = table[table["rank"].notna()].groupby(keys, sort=False)
    several = ranked.filter(lambda own: len(own) > 1 and own["low"].notna().any())
    groups = several.groupby(keys, sort=False)  # of all that have a rank, with or without a spread
    if len(groups) > 1:
        alone = (groups["first"].agg(lambda ranks: (ranks == 1).sum()) == 1).sum()
        text = f"Over {len(groups)} pairs of a dataset and a score, one method alone can be first "
        yield text + f"in **{alone}**."
    said_more = (table["naive"] - table["best"]).dropna()
    if said_more.max() >= 0.0005:
        yield (
            "A strength that is chosen and reported on the same seeds scores higher than one that "
            "is chosen on half of them and reported on the others, by "
            f"{said_more.median():.3f} in the median, and by {said_more.max():.3f} at most: that "
            "is luck, and what choosing by half of the seeds costs."
        )


def _picture(dataset, metric, own, models):
    colours, markers, name = colour_of(models), marker_of(models), SCORES.get(metric, metric)
    with style():
        figure, on = axes(f"{name} on {dataset}", WIDTH, 1.15 + 0.32 * len(own))
        for place, (_, row) in enumerate(own.iterrows()):
            colour, marker = colours[row["model"]], markers[row["model"]]
            on.plot([row["low"], row["high"]], [place - 0.12] * 2, color=colour, lw=2.2)
            on.plot(row["value"], place - 0.12, marker, color=colour, ms=6, mew=0)
            on.plot([row["best_low"], row["best_high"]], [place + 0.2] * 2, color=colour, lw=0.8)
            on.plot(row["best"], place + 0.2, marker, mfc="none", mec=colour, ms=5)
            on.text(1.03, place, ranks_of(row), transform=on.get_yaxis_transform(), va="center")
        on.text(1.03, -0.75, "ranks", transform=on.get_yaxis_transform(), va="bottom")
        on.plot([], [], "o-", color=INK, label="interquartile mean, all strengths")
        on.plot([], [], "o-", color=INK, mfc="none", lw=0.8, label="best strength, cross-fitted")
        on.set_yticks(range(len(own)), own["model"])
        on.set_ylim(len(own) - 0.5, -0.6)
        on.set_xlabel(name)
        figure.legend(loc="outside lower center", ncols=2, handlelength=1.6)
    first = own.iloc[0]
    alt = f"{first['model']} has the highest interquartile mean of {name} on {dataset}, "
    alt += f"{_say(first)}; "
    alt += "ranks possible: " + ", ".join(f"{r['model']} {ranks_of(r)}" for _, r in own.iterrows())
    caption = f"{name} of every method on {dataset}, the highest first, and the ranks possible."
    return Picture(f"league_{dataset}_{metric}", figure, alt, caption, own, dataset, metric)


def _table(table):
    rows = []
    for _, row in table.iterrows():
        share = "" if pd.isna(row["best_share"]) else f", {100 * row['best_share']:.0f} % of halves"
        rows.append(
            {
                "dataset": row["dataset"],
                "metric": row["metric"],
                "method": row["model"],
                "ranks": ranks_of(row),
                "interquartile mean": _say(row) or row["why"],
                "mean": "" if pd.isna(row["mean"]) else f"{row['mean']:.3f}",
                "median": "" if pd.isna(row["median"]) else f"{row['median']:.3f}",
                "best strength": _say(row, "best", "best_low", "best_high"),
                "which": f"{row['best_label']}{share}" if row["best_label"] else "",
                "runs": f"{row['runs']:,}",
                "lost": f"{100 * row['lost']:.1f} %",
            }
        )
    return Table(pd.DataFrame(rows), "Every method on every dataset, by every score.")


def _pairs(pairs):
    if pairs.empty:
        return None
    rows = []
    for _, row in pairs.iterrows():
        better = ("better", "better_low", "better_high")
        chance = "" if pd.isna(row["better"]) else f"{100 * row['better']:.0f} %"
        if chance:
            chance += say_interval(*(100 * row[name] for name in better[1:]), ".0f")
        rows.append(
            {
                "dataset": row["dataset"],
                "metric": row["metric"],
                "methods": f"{row['model']} − {row['other']}",
                "difference": _say(row),
                "in sd": "" if pd.isna(row["effect"]) else f"{row['effect']:.2f}",
                "p, Holm": _p(row["p_holm"]) or row["why"],
                "p, false discovery rate": _p(row["p_fdr"]),
                "seeds": "in pairs" if row["paired"] else "apart",
                "chance to be better": chance,
            }
        )
    caption = (
        "Every two methods at their best strengths, cross-fitted. Holm's p holds for all pairs of "
        "a dataset and score together, the false discovery rate for this whole table."
    )
    return Table(pd.DataFrame(rows), caption)


def _p(p):
    if pd.isna(p):
        return ""
    return "< .001" if p < 0.001 else f"{p:.3f}"
