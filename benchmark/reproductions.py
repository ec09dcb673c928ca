"""The page of all claims: `docs/reproductions.md`, from what was run."""

from datetime import UTC, datetime

import pandas as pd

from .reproduce import Outcome, tell

HEAD = """# Claims put to the test

What papers say of their methods, each written down as data before it was run
(`benchmark/studies/claims/`), and what came out here: on small images or tables, with small
networks and short training. A claim that does not hold here may hold where it was made; one that
holds has survived seeds, not theory.

On one dataset and network a part of a claim *holds* where the whole interval of its statistic
lies beyond the margin, which was the smallest difference that would matter, and does *not hold*
where the whole interval lies on the other side. Neither is believed where a positive control,
something known, is not seen, nor the first unless every negative control is seen not to hold. A
claim *holds here* where all its parts do on every dataset and network, and Holm's p-value over all
claims is below .05. It *does not hold here* where some part does not on at least one dataset and
network, counted as one of all its parts there. Else one *cannot tell*. Intervals are at 95 %, of
the mean over seeds of a number within each seed. A seed that lost a run counts as the worst; where
more than one in twenty is lost, nothing is told. The seeds are from 100 on; what was chosen by a
pilot was chosen on seeds from 1000 on, which `--quick` looks at.
"""


def page(outcomes: list[Outcome], command: str) -> str:
    """Markdown: the verdicts as a table, then every claim with its numbers."""
    told = tell(outcomes)
    lines = [HEAD, f"Written by `{command}`.", ""]
    lines += ["| claim | source | verdict | p (Holm) |", "|---|---|---|---|"]
    for outcome, row in zip(outcomes, told.itertuples(), strict=True):
        claim, p = outcome.claim, "" if pd.isna(row.p_holm) else f"{row.p_holm:.2g}"
        link = f"[{claim.name}](#{claim.name})"
        why = f": {row.why}" if row.why else ""
        lines.append(f"| {link} | {_cell(claim.source)} | **{row.verdict}**{_cell(why)} | {p} |")
    for outcome, row in zip(outcomes, told.itertuples(), strict=True):
        lines += ["", *_section(outcome, row)]
    return "\n".join(lines) + "\n"


def _section(outcome, told):
    claim = outcome.claim
    why = f": {told.why}" if told.why else ""
    lines = [f"## {claim.name}", "", f"> {claim.sentence}", ">", f"> {claim.source}", ""]
    lines += [f"**{told.verdict[0].upper()}{told.verdict[1:]}**{why}.", "", claim.about, ""]
    lines += [_provenance(outcome), ""]
    lines += ["| | dataset | network | statistic | value | 95 % | margin | seeds | verdict |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    for row in outcome.answers.to_dict("records"):
        lost = f", {row['lost']} lost" if row["lost"] else ""
        cells = [row["role"], row["dataset"], row["network"], row["says"], _number(row["value"])]
        ends = " to ".join(filter(None, (_number(row["low"]), _number(row["high"]))))
        cells += [ends, _number(row["margin"]), f"{row['seeds']}{lost}", row["verdict"]]
        if row["why"] and not ends:
            cells[-1] += f": {row['why']}"
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return lines


def _provenance(outcome):
    """When the claim was written, when it was run, and what that took."""
    runs, claim = outcome.runs, outcome.claim
    networks = ", ".join(f"{seeds} seeds with {name}" for name, seeds in claim.networks.items())
    images = sorted({int(n) for n in runs["images_seen"]})
    seen = " to ".join(f"{n:,}" for n in dict.fromkeys((images[0], images[-1])))
    text = f"{len(runs):,} runs of {seen} images each, {networks}; "
    text += f"{int((runs['status'] != 'done').sum()):,} lost"
    revisions = sorted(runs["git_revision"].dropna().unique())
    text += f"; trained at revision {', '.join(revisions)}. " if revisions else ". "
    began = runs["begun"].min()
    if outcome.commit is None:
        return text + "The claim is in no commit: nothing shows that it came before its runs."
    text += f"The claim is as of commit {outcome.commit.revision}, "
    if outcome.commit.seconds <= began:
        return text + f"before its first run ({datetime.fromtimestamp(began, UTC):%Y-%m-%d})."
    return text + "**after its first run**: its file has changed since."


def _number(value):
    if value is None or value != value:
        return ""
    return f"{value:.3f}".replace("-", "−") if abs(value) < 100 else f"{value:,.1f}"


def _cell(text):
    return " ".join(str(text).split()).replace("|", "\\|")
