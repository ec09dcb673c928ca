"""What does all this rest on?"""

import pandas as pd

from .section import Section, Study, Table

NAME, TITLE = "grounds", "What this rests on"
FACTS = {  # columns of runs, and their names
    "updates": "updates",
    "batch_size": "images an update",
    "network": "network",
    "parameters": "parameters",
    "likelihood": "likelihood",
    "precision": "precision",
    "device": "device",
    "mapping": "members mapped by",
    "width": "members at once",
    "soberlook": "soberlook",
    "git_revision": "revision",
    "jax": "jax",
    "python": "Python",
}
VERSIONS = ("likelihood", "device", "mapping", "soberlook", "git_revision", "jax", "python")
MOST = 6  # values of a fact that are named
ABOUT = (
    "Runs are equal in distribution, not bit by bit, between devices, mappings and versions. "
    "Reconstructions and ELBO of several likelihoods are no measure of each other. Of a metric "
    "whose version changed, rows of two versions are not the same number. Lost runs failed or "
    "diverged."
)


def section(study: Study) -> Section:
    """How many runs there are and how they ended, by which budget, network, device and versions."""
    runs = study.survivors
    if runs.empty:
        return Section(NAME, TITLE, [], why="there are no runs")
    counts = ", ".join(f"{n:,} {status}" for status, n in runs["status"].value_counts().items())
    cells = ("dataset", "model", "setting", "seed")
    sizes = [f"{runs[c].nunique():,} {c}s".replace("models", "methods") for c in cells]
    findings = [f"**{len(runs):,} runs** of {', '.join(sizes)}: {counts}."]
    lost = _lost(runs)
    if len(lost):
        worst = lost.iloc[0]
        text = "Lost were most" if len(lost) > 1 else "Lost were runs"
        text += f" of {worst['model']} on {worst['dataset']}: {worst['lost']} of {worst['runs']}"
        findings.append(f"{text} failed or diverged.")
    findings += _mixed(runs) + _mixed_metrics(study)
    facts = [
        {"fact": name, "value": _values(runs[column])}
        for column, name in FACTS.items()
        if column in runs and runs[column].notna().any()
    ]
    tables = [Table(pd.DataFrame(facts), "Budget, network, device and versions of the runs.")]
    if len(lost):
        tables.append(Table(lost.astype(str), "Runs that failed or diverged."))
    reasons = runs["reason"].fillna("") if "reason" in runs else pd.Series("", index=runs.index)
    reasons = reasons[reasons != ""].value_counts()
    if len(reasons):
        rows = pd.DataFrame({"runs": reasons.map("{:,}".format), "reason": reasons.index})
        tables.append(Table(rows.reset_index(drop=True), "What went wrong."))
    return Section(NAME, TITLE, findings, tables=tables, about=ABOUT)


def _lost(runs):
    """How many runs of each method and dataset failed or diverged, most first; none left out."""
    lost = (runs["status"] != "done").groupby([runs["dataset"], runs["model"]]).agg(["sum", "size"])
    lost = lost[lost["sum"] > 0].sort_values("sum", ascending=False, kind="stable").reset_index()
    return lost.rename(columns={"sum": "lost", "size": "runs"})


def _mixed(runs):
    """A sentence for each fact of provenance in which runs differ: how many have which, and which
    datasets and methods these are."""
    found = []
    for column in (c for c in VERSIONS if c in runs):
        values = runs[column].fillna("unknown").astype(str)
        counts = values.value_counts()
        if len(counts) < 2:
            continue
        parts = []
        for value, count in counts.head(MOST).items():
            own = runs[values == value]
            where = [_where(own, runs, c) for c in ("dataset", "model")]
            where = [text for text in where if text]
            parts.append(f"{value} ({count:,} runs{' of ' * bool(where)}{' and '.join(where)})")
        more = f" and {len(counts) - MOST} more" if len(counts) > MOST else ""
        found.append(f"**{FACTS[column]} is mixed**: {'; '.join(parts)}{more}.")
    return found


def _where(own, runs, column):
    """The datasets or methods of these runs, unless all are among them."""
    names = sorted(own[column].unique())
    return "" if len(names) == runs[column].nunique() else ", ".join(names)


def _mixed_metrics(study):
    """A sentence for each metric whose rows are of several versions."""
    if study.rows.empty:
        return []
    counts = study.rows.groupby(["metric", "version"])["run_id"].nunique()
    several = counts[counts.groupby(level="metric").transform("size") > 1]
    found = []
    for metric, own in several.groupby(level="metric"):
        parts = [f"{version} ({count:,} runs)" for (_, version), count in own.items()]
        found.append(f"**{metric} is of several versions**: {', '.join(parts)}.")
    return found


def _values(column):
    """The values of a column, for a reader."""
    values = column.dropna().drop_duplicates().tolist()
    shown = [f"{v:,.0f}" if isinstance(v, int | float) else str(v) for v in values[:MOST]]
    return ", ".join(shown) + (f" and {len(values) - MOST} more" if len(values) > MOST else "")
