"""The report: one self-contained HTML file that says what a study found, question by question."""

import shlex
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from soberlook.registry import BadInput

from .. import frame
from ..grid import floored
from ..published import comparable
from ..showcase import showcase
from ..store import Store
from ..summary import labelled, leading, scores_of
from ..transfer import transfer as transfer_of_settings
from ..variance import variance_explained
from . import (
    agreement,
    bounds,
    carry_over,
    costs,
    distributions,
    downstream,
    frontier,
    grounds,
    images,
    impossibility,
    league,
    power,
    profiles,
    selection,
    settings,
    strength,
    survivors,
    total_correlation,
    transfer,
    variance,
)
from .drawing import to_file
from .markdown import findings, headlines
from .page import render
from .section import Section, Study, file_name

# In the order in which the page asks them.
QUESTIONS = (
    distributions,
    strength,
    variance,
    league,
    profiles,
    power,
    agreement,
    selection,
    transfer,
    carry_over,
    total_correlation,
    downstream,
    frontier,
    impossibility,
    survivors,
    bounds,
    settings,
    costs,
    grounds,
)


class ReportWarning(UserWarning):
    """A question of the report could not be answered."""


def write_report(where: str | Path, figures: str | Path = "") -> str:
    """Write report.html into the store at `where`, from what is in it; give its place.

    With `figures`, a local folder, each figure is also written there as SVG, PDF and CSV.
    """
    study, about, planned, drawings = read(where)
    sections = answer(study, drawings)
    place = Store(where).put_text("report.html", page_of(about, study, sections, planned))
    if figures:
        write_figures(sections, Path(figures))
    return place


def write_findings(where: str | Path, file: str | Path = "") -> str:
    """The findings of the store at `where` beside the paper's, as Markdown; also into a `file`."""
    study, about, planned, drawings = read(where)
    title = about["about"].partition("\n")[0]
    scores = comparable(study.scores)
    explained = variance_explained(study.runs, scores)
    moved = transfer_of_settings(study.runs, scores)
    sections = [headlines(explained, moved), *answer(study, drawings)]
    paths = [shlex.quote(str(path)) for path in (where, file) if str(path)]
    command = f"soberlook findings {' --to '.join(paths)}"
    text = " ".join(filter(None, [title, _missing(study.survivors, planned)]))
    page = findings(about["study"], text, study, sections, command)
    if file:
        try:
            Path(file).write_text(page, encoding="utf-8")
        except OSError as error:
            raise BadInput(f"--to must be a file to write, {error}") from None
    return page


def read(where: str | Path) -> tuple[Study, dict, dict, pd.DataFrame]:
    """What a store holds: the study, its name and text, the runs it was to have, and pictures."""
    store = Store(where)
    runs = frame.load(where)
    if runs.empty:
        raise BadInput(f"{where}: no finished runs yet, nothing to report")
    rows = frame.rows(where, metrics=scores_of(runs))
    study = study_of(runs, rows, frame.bounds(where))
    shown = showcase(study.survivors, leading(study.scores))["run_id"].tolist()
    return study, store.about(), store.planned(), frame.pictures(where, shown)


def study_of(runs: pd.DataFrame, rows: pd.DataFrame, floors: pd.DataFrame) -> Study:
    """Frames of any origin as sections take them."""
    runs, floors = labelled(_printable(runs)), _printable(floors)
    scores = scores_of(runs)
    return Study(floored(runs, scores, floors), runs, rows, floors, scores)


def _printable(frame):
    """The frame with names that can be printed: data and models are named by whom they are from."""
    names = [column for column in ("dataset", "model") if column in frame]
    return frame.assign(
        **{c: frame[c].str.replace(r"[\x00-\x1f\x7f]", "", regex=True) for c in names}
    )


def answer(study: Study, drawings: pd.DataFrame) -> list[Section]:
    """All sections. One that fails says so, and is a `ReportWarning`: the others are not lost."""
    sections = [
        _asked(module.__name__.rpartition(".")[-1], lambda m=module: m.section(study))
        for module in QUESTIONS
    ]
    sections.insert(-4, _asked("images", lambda: images.section(study, drawings)))
    return [
        section._replace(pictures=[p._replace(name=file_name(p.name)) for p in section.pictures])
        for section in sections
    ]


def page_of(about: dict, study: Study, sections: list[Section], planned: dict) -> str:
    """The page as text."""
    title, _, text = about["about"].partition("\n")
    paragraphs = [title, *filter(None, text.strip().split("\n\n"))]
    names = sorted(study.survivors["dataset"].unique())
    missing = _missing(study.survivors, planned)
    choices = {"datasets": names, "scores": study.scores}
    return render(about["study"], paragraphs, sections, missing=missing, **choices)


def write_figures(sections: list[Section], folder: Path):
    """Each figure of these sections as NAME.svg, NAME.pdf and NAME.csv in a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in (picture for section in sections for picture in section.pictures):
            for kind in ("svg", "pdf"):
                (folder / f"{picture.name}.{kind}").write_bytes(to_file(picture.figure, kind))
            picture.data.to_csv(folder / f"{picture.name}.csv", index=False)
    except OSError as error:
        raise BadInput(f"--figures must be a folder to write to, {error}") from None


def _asked(name: str, ask: Callable[[], Section]) -> Section:
    try:
        return ask()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error}"
        place = f"{Path(last.filename).name}, line {last.lineno}"
        warnings.warn(f"report, {name}: {reason} ({place})", ReportWarning, stacklevel=2)
        return Section(name, name.replace("_", " ").capitalize(), [f"This part failed, {reason}"])


def _missing(runs, planned):
    """What of a study is not there yet, in a sentence; empty where all is."""
    there = set(runs["run_id"])
    left = Counter(cell for run_id, cell in planned.items() if run_id not in there)
    if not left:
        return ""
    most = "; ".join(f"{n:,} of {m} on {d}" for (d, m), n in left.most_common(4))
    more = f"; and {len(left) - 4} more" if len(left) > 4 else ""
    total = len(there) + left.total()
    return (
        f"{left.total():,} of {total:,} runs are not finished: {most}{more}. All below is of the "
        "others."
    )


def nothing() -> tuple[pd.DataFrame, pd.DataFrame]:
    """No pictures and no bounds."""
    columns = ["run_id", "name", "png"], ["dataset", "codes", "updates", "metric", "value"]
    return pd.DataFrame(columns=columns[0]), pd.DataFrame(columns=columns[1])
