"""The report: one self-contained HTML file that says what a study found."""

import base64
from html import escape
from importlib.resources import files
from pathlib import Path

import pandas as pd

from soberlook.registry import BadInput

from . import frame
from .figures import reconstruction_against_kl, score_against_strength
from .store import Store
from .summary import SCORE, SETTING, extremes, labelled, summarize


def write_report(where: str | Path) -> str:
    """Write report.html into the store at `where`, from what is in it; give its place."""
    store = Store(where)
    runs = frame.load(where)
    if runs.empty:
        raise BadInput(f"{where}: no finished runs yet, nothing to report")
    pictures = frame.pictures(where, extremes(runs)["run_id"].tolist())
    page = render(store.about(), runs, pictures, planned=len(store.planned()))
    return store.put_text("report.html", page)


def render(about: dict, runs: pd.DataFrame, pictures: pd.DataFrame, *, planned: int) -> str:
    """The page as text. Everything that comes from data is escaped."""
    title, _, text = about["about"].partition("\n")
    scored = runs[runs[SCORE].notna()] if SCORE in runs else runs[:0]
    sections = [
        f"<h1>{escape(about['study'])}</h1>\n<p>{escape(title)}</p>",
        "".join(f'<p class="soft">{escape(p)}</p>' for p in text.strip().split("\n\n") if p),
        _findings(scored),
        _figures(runs, scored),
        _traversals(scored, pictures),
        _table(summarize(runs)),
        _grounds(runs, max(planned, len(runs))),
    ]
    css = files("soberlook.results").joinpath("report.css").read_text()
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
    """A sentence per dataset and model, made from its numbers."""
    sentences = []
    for (dataset, model), some in labelled(scored).groupby(["dataset", "model"], sort=False):
        settings = some.groupby("label", sort=False)[SCORE]
        medians = settings.median()
        best, worst = medians.idxmax(), medians.idxmin()
        at_best = settings.get_group(best)
        sentence = f"On {escape(dataset)}, the median MIG of <strong>{escape(model)}</strong> "
        if len(medians) > 1:
            sentence += (
                f"goes from {medians[worst]:.2f} at {escape(worst)} to "
                f"<strong>{medians[best]:.2f}</strong> at {escape(best)}. "
            )
        else:
            sentence += f"is <strong>{medians[best]:.2f}</strong>. "
        if len(at_best) > 1:
            sentence += (
                f"There, {len(at_best)} seeds reach from {at_best.min():.2f} to "
                f"<strong>{at_best.max():.2f}</strong>: the same method, the same setting, "
                "another draw of luck."
            )
        else:
            sentence += "One seed says nothing about luck: run more."
        sentences.append(f'<p class="findings">{sentence}</p>')
    return "\n".join(sentences)


def _figures(runs, scored):
    figures = []
    if len(scored):
        figures.append(
            _figure(
                score_against_strength(scored),
                "Mutual information gap (higher is better) against the strength of the method. "
                "Every dot is a run; a thin line joins the runs of one seed, the bold one medians.",
            )
        )
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
    return '<h2>Strength and seed</h2>\n<div class="pair">' + "\n".join(figures) + "</div>"


def _figure(content, caption):
    return f"<figure>{content}<figcaption>{caption}</figcaption></figure>"


def _traversals(scored, pictures):
    traversals = pictures[pictures["name"] == "traversal"].set_index("run_id")["png"]
    figures = []
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
        "latents the model does not use. Best and worst seed of every setting.</p>\n"
        '<div class="traversals">' + "\n".join(figures) + "</div>"
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
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'
        "</div>"
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
