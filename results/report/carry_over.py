"""Do datasets and scores agree on which settings are good?"""

import numpy as np

from ..carry_over import carry_over
from ..summary import SCORES, leading
from .drawing import heatmap, style
from .section import CHOSEN, Picture, Section, Study, Table, listed, number
from .silence import silence, silent

NAME, TITLE = "carry_over", "Do datasets, and scores, agree on which settings are good?"
ABOUT = (
    "Rank correlations over settings, from −1 to 1. The paper correlates medians over seeds; with "
    "few seeds the luck that is left in a median makes that number smaller. The numbers of figures "
    "and sentences are what very many seeds would give: settings are ranked within each seed, and "
    "ranks of one seed are compared with those of others only. The tables have both. Intervals are "
    "95 %, each seed left out in turn. Where luck hides what the settings differ by there is no "
    f"number. {CHOSEN}"
)


def section(study: Study) -> Section:
    """Figures 4, 17 and 18 of the paper: a heatmap of datasets per score, one of scores per
    dataset, and what they say."""
    if not study.scores:
        return Section(NAME, TITLE, [], why="no run has a score")
    found = carry_over(study.runs, study.scores)
    if found["value"].isna().all():
        why = silence(found["why"]) or "one dataset and one score"
        return Section(NAME, TITLE, [], why=why)
    pictures = []
    of_data, of_scores = (found[found["kind"] == kind] for kind in ("datasets", "scores"))
    for metric, own in of_data.groupby("metric", sort=False):
        pictures.append(_of_datasets(metric, own))
    for dataset, own in of_scores.groupby("dataset", sort=False):
        pictures.append(_of_scores(dataset, own))
    findings = _findings(of_data, of_scores, study.scores)
    return Section(NAME, TITLE, findings, [p for p in pictures if p], _tables(found), about=ABOUT)


def _findings(of_data, of_scores, scores):
    score, found = leading(scores), []
    own = of_data[of_data["metric"] == score]
    if len(own):
        names = own["dataset"] + " and " + own["to_dataset"]
        found.append(_most_and_least(f"By {SCORES[score]}", own.assign(name=names)))
    for dataset, own in of_scores.groupby("dataset", sort=False):
        names = own["metric"].map(SCORES) + " and " + own["to_metric"].map(SCORES)
        found.append(_most_and_least(f"On {dataset}", own.assign(name=names)))
    return found


def _most_and_least(where, own):
    """A sentence on the pairs that agree most and least, or on the only one."""
    said = own[own["value"].notna()].sort_values("value", kind="stable")
    unsaid = own.loc[own["value"].isna(), "why"].value_counts()
    if said.empty:
        return silent(f"{where[0].lower()}{where[1:]}", "; ".join(sorted(unsaid.index)))
    most, least = said.iloc[-1], said.iloc[0]
    text = f"{where}, {most['name']} agree{' most' * (len(said) > 1)} on which settings are good, "
    text += f"with a rank correlation of **{number(most)}**"
    if len(said) > 1:
        text += f"; {least['name']} least, **{number(least)}**"
    if len(unsaid):
        reasons = listed(f"{why} ({count})" for why, count in unsaid.items())
        text += f"; nothing can be said of {unsaid.sum()} more: {reasons}"
    return f"{text}."


def _square(own, first, second, names):
    """[names, names] of `value`, 1 with itself."""
    square = np.eye(len(names))
    place = {name: i for i, name in enumerate(names)}
    for row in own.itertuples():
        i, j = place[getattr(row, first)], place[getattr(row, second)]
        square[i, j] = square[j, i] = row.value
    return square


def _of_datasets(metric, own):
    names = list(dict.fromkeys([*own["dataset"], *own["to_dataset"]]))
    square = _square(own, "dataset", "to_dataset", names)
    caption = f"Rank correlation × 100 of the settings' {SCORES[metric]} on every two datasets."
    name = f"carry_over_{metric}"
    return _picture(name, SCORES[metric], square, names, own, caption, {"metric": metric})


def _of_scores(dataset, own):
    metrics = list(dict.fromkeys([*own["metric"], *own["to_metric"]]))
    square = _square(own, "metric", "to_metric", metrics)
    caption = f"Rank correlation × 100 of the settings' scores on {dataset}, for every two scores."
    names = [SCORES[metric] for metric in metrics]
    name = f"carry_over_scores_{dataset}"
    return _picture(name, dataset, square, names, own, caption, {"dataset": dataset})


def _picture(name, title, square, names, own, caption, tags):
    values = own["value"].dropna()
    if values.empty:
        return None
    with style():
        figure = heatmap(title, square, names, names)
    reach = f"{values.min():.2f}" + (f" to {values.max():.2f}" if len(values) > 1 else "")
    alt = f"{title}: which settings are good agrees with a rank correlation of {reach}"
    caption += " Empty where nothing can be said." if len(values) < len(own) else ""
    return Picture(name, figure, alt, caption, own, **tags)


def _tables(found):
    """A table of every two datasets, and one of every two scores."""
    said = found.copy()
    said["value"] = [
        row["why"] if np.isnan(row["value"]) else number(row) for row in found.to_dict("records")
    ]
    said["medians"] = said["medians"].map("{:.2f}".format).where(said["medians"].notna(), "")
    said["to_metric"] = said["to_metric"].replace(SCORES)
    names = {"medians": "of medians", "value": "of very many seeds", "settings": "settings"}
    tables = []
    for kind, keys, caption in (
        ("datasets", ["metric", "dataset", "to_dataset"], "Rank correlation of two datasets."),
        ("scores", ["dataset", "metric", "to_metric"], "Rank correlation of two scores."),
    ):
        own = said.loc[said["kind"] == kind, [*keys, *names]].astype(str)
        own = own.rename(columns=names | {"to_dataset": "and", "to_metric": "and"})
        tables.append(Table(own.reset_index(drop=True), caption))
    return [table for table in tables if len(table.data)]
