"""What does a score say at worst, and at best?"""

import pandas as pd

from ..summary import BOUNDS, SCORES, bounds_of
from .section import Section, Study, Table

NAME, TITLE = "bounds", "Floors and ceilings"
HIGH = 0.5  # of what the true factors score: that random codes have more is worth a word
ABOUT = (
    "A useless code does not score 0 under every metric, nor a perfect one 1; a score means "
    "something between the two. Random codes know nothing. Rotated factors know everything, but "
    "every code mixes them all. The supervised encoder is the network of the runs, trained as long "
    "with the true factors as targets: how far one comes who is told what to look for; a run may "
    "be above. True factors are what a metric says at its best. Runs that diverged count as "
    "random codes."
)


def section(study: Study) -> Section:
    """What every score says of codes whose worth is known, beside the runs' median and best."""
    if not study.scores or study.bounds.empty:
        why = "no floors and ceilings were computed" if study.scores else "no run has a score"
        return Section(NAME, TITLE, [], why=why)
    rows, findings = [], []
    for dataset, runs in study.runs.groupby("dataset", sort=False):
        bounds = {score: bounds_of(study.bounds, dataset, score) for score in study.scores}
        bounds = {s: known for s, known in bounds.items() if known and runs[s].notna().any()}
        for score, known in bounds.items():
            numbers = {name: known.get(codes) for codes, name in BOUNDS.items()}
            numbers |= {"runs, median": runs[score].median(), "best run": runs[score].max()}
            said = {name: "" if x is None else f"{x:.3f}" for name, x in numbers.items()}
            rows.append({"dataset": dataset, "metric": score} | said)
        findings += _findings(dataset, runs, bounds)
    if not rows:
        return Section(NAME, TITLE, [], why="no floors and ceilings were computed of these scores")
    caption = "Scores of codes whose worth is known, and of the runs."
    return Section(NAME, TITLE, findings, tables=[Table(pd.DataFrame(rows), caption)], about=ABOUT)


def _findings(dataset, runs, bounds):
    """Which scores the runs have least of what can be had, and which useless codes have too."""
    found = []
    told = {s: known for s, known in bounds.items() if {"random", "supervised"} <= {*known}}
    shares = {
        score: (runs[score].median() - known["random"]) / (known["supervised"] - known["random"])
        for score, known in told.items()
        if known["supervised"] > known["random"]
    }
    if shares:
        least, most = (pick(shares, key=shares.get) for pick in (min, max))
        text = f"On {dataset}, of the way from random codes to the supervised encoder the median "
        text += f"run has come **{100 * shares[most]:.0f} %** by {SCORES[most]}"
        if most != least:
            text += f" and **{100 * shares[least]:.0f} %** by {SCORES[least]}"
        found.append(text + ".")
    blind = [SCORES[score] for score in told if score not in shares]
    if blind:
        text = f"On {dataset}, even a supervised encoder has no more than random codes by "
        found.append(text + ", ".join(blind) + ".")
    high = [
        f"{known['random']:.2f} in {SCORES[score]} (of {known['factors']:.2f})"
        for score, known in bounds.items()
        if {"random", "factors"} <= {*known} and known["random"] > HIGH * known["factors"]
    ]
    if high:
        found.append(f"On {dataset}, random codes alone have {', '.join(high)}.")
    for score in [] if found else [*bounds][:1]:
        found.append(f"On {dataset}, the best run has {runs[score].max():.2f} in {SCORES[score]}.")
    return found
