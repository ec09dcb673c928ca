"""The report: one self-contained HTML file that says what a study found."""

import base64
from html import escape
from importlib.resources import files
from pathlib import Path

import pandas as pd

from soberlook.registry import BadInput

from .. import frame
from ..store import Store
from ..summary import (
    BOUNDS,
    SCORE,
    SCORES,
    SETTING,
    bounds_of,
    extremes,
    labelled,
    scores_of,
    summarize,
)
from .figures import agreement, distributions, reconstruction_against_kl, score_against_strength

MOST_SETTINGS = 8  # whose traversals are all shown; of more, the best setting of every model


def write_report(where: str | Path) -> str:
    """Write report.html into the store at `where`, from what is in it; give its place."""
    store = Store(where)
    runs = frame.load(where)
    if runs.empty:
        raise BadInput(f"{where}: no finished runs yet, nothing to report")
    pictures = frame.pictures(where, extremes(runs)["run_id"].tolist())
    bounds = frame.bounds(where)
    page = render(store.about(), runs, pictures, bounds, planned=len(store.planned()))
    return store.put_text("report.html", page)


def render(
    about: dict,
    runs: pd.DataFrame,
    pictures: pd.DataFrame,
    bounds: pd.DataFrame,
    *,
    planned: int,
) -> str:
    """The page as text. Everything that comes from data is escaped."""
    title, _, text = about["about"].partition("\n")
    scored = runs[runs[SCORE].notna()] if SCORE in runs else runs[:0]
    sections = [
        f"<h1>{escape(about['study'])}</h1>\n<p>{escape(title)}</p>",
        "".join(f'<p class="soft">{escape(p)}</p>' for p in text.strip().split("\n\n") if p),
        _findings(scored),
        _methods(runs, bounds),
        _figures(runs, bounds),
        _bounds(runs, bounds),
        _agreement(runs),
        _traversals(scored, pictures),
        _table(summarize(runs)),
        _costs(runs),
        _grounds(runs, max(planned, len(runs))),
    ]
    css = files(__name__).joinpath("report.css").read_text()
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(about["study"])} · soberlook</title>
<style>
{css}</style>
<main>
{chr(10).join(section for section in sections if section)}
</main>
</html>
"""


def _findings(scored):
    """A paragraph per dataset, made from its numbers."""
    paragraphs = []
    for dataset, some in labelled(scored).groupby("dataset", sort=False):
        medians = some.groupby(["model", "label"], sort=False)[SCORE].median()
        (model, label), best = medians.idxmax(), medians.max()
        seeds = some[(some["model"] == model) & (some["label"] == label)][SCORE]
        strong = f"<strong>{escape(model)}</strong> at {escape(label)}"
        text = f"On {escape(dataset)}, the best median MIG is <strong>{best:.2f}</strong>, "
        text += f"of {strong}. "
        others = medians.groupby(level="model").max().drop(model)
        if len(others):
            low, high = f"{others.min():.2f}", f"{others.max():.2f}"
            reach = low if low == high else f"{low} to {high}"
            text += f"The best settings of the other methods have {reach}. "
        elif len(medians) > 1:
            text += f"The weakest setting, {escape(medians.idxmin()[1])}, has {medians.min():.2f}. "
        if len(seeds) > 1:
            text += (
                f"The {len(seeds)} seeds of the best setting alone reach from {seeds.min():.2f} to "
                f"<strong>{seeds.max():.2f}</strong>: the same method, the same setting, another "
                "draw of luck."
            )
        else:
            text += "One seed says nothing about luck: run more."
        paragraphs.append(f'<p class="findings">{text}</p>')
    return "\n".join(paragraphs)


def _methods(runs, bounds):
    """Distributions of all scores by method, where there is more than one of either."""
    scores = scores_of(runs)
    if len(scores) < 2 and runs["model"].nunique() < 2 or not scores:
        return ""
    figures = []
    for dataset, some in runs.groupby("dataset", sort=False):
        figures.append(
            _figure(
                distributions(some, scores, bounds),
                f"Every run on {escape(dataset)}, all strengths and seeds of a method in one row; "
                "ticks are medians. Diamonds: floors and ceilings.",
            )
        )
    return "<h2>Methods</h2>\n" + "\n".join(figures)


def _figures(runs, bounds):
    """Every score against the strength, and reconstruction against KL."""
    figures = []
    for score in sorted(scores_of(runs), key=lambda score: score != SCORE):
        figure = _figure(
            score_against_strength(runs[runs[score].notna()], score, bounds),
            f"{SCORES[score]} (higher is better) against the strength of the method. Every dot is "
            "a run; a thin line joins the runs of one seed, the bold one medians. Broken lines: "
            "floors and ceilings.",
        )
        if figures:
            figure = f"<details><summary>{SCORES[score]}</summary>{figure}</details>"
        figures.append(figure)
    if {"kl", "reconstruction"} <= {*runs.columns}:
        done = runs[runs["kl"].notna() & runs["reconstruction"].notna()]
        if len(done):
            figures.append(
                _figure(
                    reconstruction_against_kl(done),
                    "What the codes cost against what they keep: lower left is better on both. "
                    "Averages over every image of the dataset.",
                )
            )
    if not figures:
        return "<p>No run has a score yet.</p>"
    layout = "pair" if runs.groupby(["dataset", "model"]).ngroups == 1 else "stack"
    return f'<h2>Strength and seed</h2>\n<div class="{layout}">' + "\n".join(figures) + "</div>"


def _bounds(runs, bounds):
    """Floors and ceilings of every score, and what the runs have between them."""
    rows = []
    for dataset, some in runs.groupby("dataset", sort=False):
        for score in scores_of(some):
            known = bounds_of(bounds, dataset, score)
            if not known:
                continue
            cells = [escape(dataset), SCORES[score]]
            cells += [_number(known.get(codes), ".3f") for codes in BOUNDS]
            cells += [_number(some[score].agg(how), ".3f") for how in ("median", "max")]
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    if not rows:
        return ""
    names = ["dataset", "score", *BOUNDS.values(), "runs, median", "best run"]
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        "<h2>Floors and ceilings</h2>\n<p>A useless code does not score 0 under every metric, nor "
        "a perfect one 1; a score means something between the two. Random codes know nothing. "
        "Rotated factors know everything, but every code mixes them all. The supervised encoder is "
        "the network of the runs, trained as long with the true factors as targets: how far one "
        "comes who is told what to look for, though a run may be above. True factors are what a "
        "metric says at its best.</p>\n"
        f'<div class="scroll"><table class="bounds"><thead><tr>{head}</tr></thead>\n<tbody>'
        + "\n".join(rows)
        + "</tbody></table></div>"
    )


def _agreement(runs):
    """Whether the scores rank runs alike."""
    scores = scores_of(runs)
    if len(scores) < 2 or len(runs) < 3:
        return ""
    figures = [
        _figure(
            agreement(some, scores),
            f"Spearman's rank correlation × 100 over the runs on {escape(dataset)}, all methods "
            "and strengths pooled.",
        )
        for dataset, some in runs.groupby("dataset", sort=False)
    ]
    return '<h2>Do the scores agree?</h2>\n<div class="agreement">' + "".join(figures) + "</div>"


def _figure(content, caption):
    """One picture, or several that flow side by side, over a caption that is HTML already."""
    if not isinstance(content, str):
        content = '<div class="panels">' + "".join(content) + "</div>"
    return f"<figure>{content}<figcaption>{caption}</figcaption></figure>"


def _traversals(scored, pictures):
    traversals = pictures[pictures["name"] == "traversal"].set_index("run_id")["png"]
    figures = []
    settings = "every setting"
    if scored["setting"].nunique() > MOST_SETTINGS:
        settings = "every method's best setting"
        scored = _best_settings(scored)
    for run in extremes(scored).itertuples():
        if run.run_id not in traversals.index:
            continue
        image = base64.b64encode(traversals[run.run_id]).decode()
        score = f"MIG {getattr(run, SCORE):.2f}"
        caption = escape(f"{run.model}, {run.label}: {run.which} seed ({run.seed}), {score}")
        figures.append(
            _figure(
                f'<img alt="Latent traversals of {caption}" src="data:image/png;base64,{image}">',
                caption,
            )
        )
    if not figures:
        return ""
    return (
        "<h2>What the latents do</h2>\n<p>Each row moves one latent from −2 to 2 and keeps the "
        "others; the latent with the highest KL is on top, and rows in which nothing moves are "
        "latents the model does not use. Best and worst seed of " + settings + ".</p>\n"
        '<div class="traversals">' + "\n".join(figures) + "</div>"
    )


def _best_settings(scored):
    """The runs of the setting with the best median score, of every dataset and model."""
    medians = scored.groupby(["dataset", "model", "setting"])[SCORE].median()
    best = medians.groupby(level=["dataset", "model"]).idxmax()
    return scored[scored["setting"].isin([setting for *_, setting in best])]


def _costs(runs):
    """What a run of every method costs."""
    columns = ["parameters", "updates", "images_seen", "train_seconds", "evaluate_seconds"]
    if runs["model"].nunique() < 2 or not {*columns} <= {*runs.columns}:
        return ""
    rows = []
    for model, some in runs.groupby("model"):
        cells = [escape(model)]
        for column in columns:
            how = ".2f" if column.endswith("seconds") else ",.0f"
            cells.append(_number(some[column].median(), how))
        cells.append(str(int((some["status"] != "done").sum())))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    names = ["model", "parameters", "updates", "images seen", "training, s", "scoring, s", "lost"]
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        "<h2>What a run costs</h2>\n<p>Medians; seconds are a run's share of its cohort's time."
        f'</p>\n<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>'
        + "\n".join(rows)
        + "</tbody></table></div>"
    )


def _table(table):
    names = {
        "dataset": "dataset",
        "model": "model",
        "label": "setting",
        "runs": "runs",
        "lost": "lost",
        f"{SCORE}_median": "MIG, median",
        "range": "lowest to highest",
        "reconstruction": "reconstruction",
        "kl": "KL",
        "active_units": "active units",
    }
    rows = []
    for record in table.to_dict("records"):
        cells = {name: record[name] for name in (*SETTING, "runs", "lost")}
        low, high = record.get(f"{SCORE}_min"), record.get(f"{SCORE}_max")
        cells[f"{SCORE}_median"] = _number(record.get(f"{SCORE}_median"), ".3f")
        cells["range"] = "" if pd.isna(low) else f"{low:.3f} to {high:.3f}"
        for name, how in (("reconstruction", ".2f"), ("kl", ".2f"), ("active_units", ".1f")):
            cells[name] = _number(record.get(name), how)
        rows.append("".join(f"<td>{escape(str(cells[name]))}</td>" for name in names))
    head = "".join(f"<th>{name}</th>" for name in names.values())
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        "<h2>Every setting</h2>\n<p>Medians over seeds; reconstruction and KL in nats per image. "
        "Lost runs failed or diverged.</p>\n"
        f'<div class="scroll"><table class="settings"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(value, how):
    return "" if value is None or pd.isna(value) else format(value, how)


def _grounds(runs, planned):
    """What the numbers rest on: counts, costs, versions, and what went wrong."""
    counts = runs["status"].value_counts()
    parts = [f"{count} {status}" for status, count in counts.items()]
    if planned > len(runs):
        parts.append(f"{planned - len(runs)} not finished")
    seconds = runs["train_seconds"].sum() + runs["evaluate_seconds"].sum()
    each = runs["train_seconds"].median()
    facts = {
        "runs": ", ".join(parts),
        "time": f"{seconds:,.0f} s in all, {each:.2f} s to train a run" if seconds else "unknown",
        "budget": _values(runs, "updates", "updates")
        + " of "
        + _values(runs, "batch_size", "images"),
        "network": _values(runs, "network") + ", " + _values(runs, "parameters", "parameters"),
        "device": _values(runs, "device"),
        "members": _values(runs, "mapping") + ", width " + _values(runs, "width"),
        "versions": f"soberlook {_values(runs, 'soberlook')} ({_values(runs, 'git_revision')}), "
        f"jax {_values(runs, 'jax')}, Python {_values(runs, 'python')}",
    }
    entries = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    reasons = runs.loc[runs["reason"].fillna("") != "", "reason"].value_counts()
    lines = "".join(
        f"<li>{escape(f'{count} × {reason}')}</li>" for reason, count in reasons.items()
    )
    trouble = f"<h2>What went wrong</h2>\n<ul>{lines}</ul>\n" if lines else ""
    return f"{trouble}<h2>What this rests on</h2>\n<dl>{entries}</dl>"


def _values(runs, column, unit=""):
    """The different values of a column, for a reader."""
    if column not in runs:
        return "unknown"
    values = runs[column].dropna().unique()
    shown = [f"{v:,.0f}" if isinstance(v, (int, float)) else str(v) for v in values[:4].tolist()]
    text = ", ".join(shown) + (", …" if len(values) > 4 else "")
    return f"{text} {unit}".strip() or "unknown"
