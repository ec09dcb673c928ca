"""What does a run cost?"""

import pandas as pd

from .section import Section, Study, Table

NAME, TITLE = "costs", "What a run costs"
COLUMNS = {  # medians of a method, their names and how they are written
    "parameters": ("parameters", ",.0f"),
    "updates": ("updates", ",.0f"),
    "images_seen": ("images seen", ",.0f"),
    "train_seconds": ("training, s", ".2f"),
    "evaluate_seconds": ("scoring, s", ".2f"),
}
TIMES = ["train_seconds", "evaluate_seconds"]
ABOUT = (
    "Medians over the runs of a method. Seconds are a run's share of the time of the runs it was "
    "trained with, compiling included; hours are those of one device after another."
)


def section(study: Study) -> Section:
    """Parameters, updates, images and seconds of a run by method, and the study's hours."""
    runs = study.survivors
    known = [c for c in COLUMNS if c in runs and runs[c].notna().any()]
    if not known:
        return Section(NAME, TITLE, [], why="no run says what it cost")
    rows = []
    for model, some in runs.groupby("model"):
        cells = {"model": model, "runs": f"{len(some):,}"}
        for column in known:
            name, how = COLUMNS[column]
            median = some[column].median()
            cells[name] = "" if pd.isna(median) else format(median, how)
        cells["lost"] = f"{(some['status'] != 'done').sum():,}"
        rows.append(cells)
    table = Table(
        pd.DataFrame(rows), "What a run of each method costs; lost ones failed or diverged."
    )
    return Section(NAME, TITLE, _findings(runs, known), tables=[table], about=ABOUT)


def _findings(runs, known):
    times = [column for column in TIMES if column in known]
    if not times:
        return ["No run says how long it took."]
    totals = runs[times].sum()
    text = f"{len(runs):,} runs took **{_hours(totals.sum())}**"
    if len(times) == 2:
        share = totals["evaluate_seconds"] / totals.sum() if totals.sum() else 0
        text += f", {100 * share:.0f} % of it to score them"
    found = [f"{text}; a run takes {runs[times].sum(axis=1, min_count=1).median():,.1f} s."]
    if "train_seconds" in known:
        medians = runs.groupby("model")["train_seconds"].median().dropna().sort_values()
        if len(medians) > 1 and medians.iloc[0] > 0:
            ratio = medians.iloc[-1] / medians.iloc[0]
            text = f"To train a run of {medians.index[-1]} takes {ratio:.1f} times as long as one "
            found.append(text + f"of {medians.index[0]}.")
    return found


def _hours(seconds):
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds:,.0f} s"
