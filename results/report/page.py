"""A page from sections: HTML that needs nothing but itself. All that comes from data is escaped."""

import base64
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from ..published import SAID
from ..summary import SCORES, leading
from .drawing import to_svg
from .section import Section

MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
MOST_ROWS = 60  # that a table shows at once; longer ones are folded away


def render(
    title: str,
    about: Sequence[str],
    sections: Sequence[Section],
    *,
    missing: str = "",
    datasets: Sequence[str] = (),
    scores: Sequence[str] = (),
) -> str:
    """The page as text: `about` are paragraphs, `missing` says what of the study is not there yet.

    Readers can choose one of `datasets` and one of `scores`, where there are several; at first they
    see the first score.
    """
    body = [
        f"<h1>{escape(title)}</h1>",
        *(f'<p class="{"" if i == 0 else "soft"}">{escape(p)}</p>' for i, p in enumerate(about)),
        f'<p class="missing">{escape(missing)}</p>' if missing else "",
        _in_short(sections),
        _filters(datasets, scores),
        *map(_section, sections),
    ]
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · soberlook</title>
<link rel="icon" href="data:,">
<style>
{_own("report.css")}</style>
<main>
{chr(10).join(filter(None, body))}
</main>
<script>
{_own("report.js")}</script>
</html>
"""


def _own(name):
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _in_short(sections):
    """A table of contents, with the first answer to what the paper asks."""
    items = []
    for section in sections:
        answers = section.name in SAID and section.findings
        said = _marked(section.findings[0]) + " " if answers else ""
        items.append(f'<li>{said}<a href="#{section.name}">{escape(section.title)}</a></li>')
    return f'<ul class="short">{"".join(items)}</ul>'


def _filters(datasets, scores):
    """Two menus; without JavaScript they stay hidden and everything is shown."""
    menus = []
    for name, what, values, first in (
        ("dataset", "dataset", {d: d for d in datasets}, ""),
        ("metric", "score", {s: SCORES.get(s, s) for s in scores}, leading(scores)),
    ):
        options = f'<option value="">all {len(values)}</option>' + "".join(
            f'<option value="{escape(value)}">{escape(shown)}</option>'
            for value, shown in values.items()
        )
        menus.append(
            f'<label{" hidden" if len(values) < 2 else ""}>{what} <select name="{name}" '
            f'data-first="{escape(first)}" autocomplete="off">{options}</select></label>'
        )
    return f'<form id="filters" hidden>{"".join(menus)}</form>'


def _section(section: Section):
    parts = [f"<h2>{escape(section.title)}</h2>"]
    parts += [f'<p class="findings">{_marked(text)}</p>' for text in section.answers]
    if section.name in SAID:
        parts.append(f'<p class="paper">The paper: {escape(SAID[section.name])}</p>')
    if section.pictures:
        parts.append(f'<div class="figures">{"".join(map(_picture, section.pictures))}</div>')
    parts += map(_table, section.tables)
    if section.images:
        parts.append(f'<div class="images">{"".join(map(_image, section.images))}</div>')
    if section.about:
        about = f'<p class="soft">{_marked(section.about)}</p>'
        parts.append(f"<details><summary>How to read this</summary>{about}</details>")
    return f'<section id="{section.name}">\n' + "\n".join(parts) + "\n</section>"


def _picture(picture):
    svg = to_svg(picture.figure, picture.name, picture.alt)
    tags = _tags(picture.dataset, picture.metric)
    caption = escape(picture.caption)
    return f"<figure{tags}>{svg}<figcaption>{caption}</figcaption></figure>\n"


def _image(image):
    shown = "".join(
        f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for alt, png in image.pngs.items()
    )
    caption = f"<figcaption>{_marked(image.caption)}</figcaption>"
    return f"<figure{_tags(image.dataset)}>{shown}{caption}</figure>\n"


def _table(table):
    data = table.data
    texts = [c for c in data if not data[c].map(_is_number).all()]
    kind = {c: ' class="text"' if c in texts else "" for c in data}
    # `metric` is the column's name in a frame, which filters go by; a reader sees the score's.
    names = ["score" if c == "metric" else c for c in data]
    head = "".join(f"<th{kind[c]}>{escape(name)}</th>" for c, name in zip(data, names, strict=True))
    rows = []
    for record in data.to_dict("records"):
        cells = [
            f"<td{kind[c]}>{_marked(SCORES.get(v, v) if c == 'metric' else v)}</td>"
            for c, v in record.items()
        ]
        tags = _tags(record.get("dataset", ""), record.get("metric", ""))
        rows.append(f"<tr{tags}>{''.join(cells)}</tr>")
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    html = (
        f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>'
        + "\n".join(rows)
        + "</tbody></table></div>"
    )
    if len(rows) > MOST_ROWS:
        return f"<details><summary>All {len(rows):,} rows</summary>{html}</details>"
    return html


def _is_number(text):
    return not text or bool(re.fullmatch(r"[−+-]?[\d.,]+ ?%?( \[.*\])?|[\d.,]+ to [\d.,]+", text))


def _tags(dataset="", metric=""):
    """What the filters go by."""
    tags = {"dataset": dataset, "metric": metric}
    return "".join(f' data-{k}="{escape(v)}"' for k, v in tags.items() if v not in ("", "all"))


def _marked(text):
    """Plain text, escaped; **so** is bold, a number stays with its unit, and minus is minus."""
    text = re.sub(r"(\d) (%|×)", "\\1\N{NO-BREAK SPACE}\\2", MINUS.sub("−", escape(text)))
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
