"""What the descriptive sections of the report say and draw; poor studies do not stop them."""

import re
from importlib import import_module

import numpy as np
import pandas as pd
import planted
import pytest

from soberlook.results.grid import floored
from soberlook.results.report.drawing import to_svg
from soberlook.results.report.section import NOT_ENOUGH, Study
from soberlook.results.summary import labelled, scores_of

NAMES = ("distributions", "strength", "total_correlation", "agreement")
SECTIONS = [import_module(f"soberlook.results.report.{name}") for name in NAMES]
distributions, strength, total_correlation, agreement = SECTIONS
SHAPE = (2, 3, 4, 8)
TC = "gaussian_total_correlation"
BOUNDS = pd.DataFrame(
    [("d0", "random", "mig", 0.01), ("d0", "factors", "mig", 4.0), ("d0", "random", "sap", 0.0)],
    columns=["dataset", "codes", "metric", "value"],
)


def study_of(runs, bounds=BOUNDS):
    runs, scores = labelled(runs), scores_of(runs)
    return Study(floored(runs, scores, bounds), runs, pd.DataFrame(), bounds, scores)


@pytest.fixture(scope="module")
def runs():
    """MIG and SAP agree and rise with the strength; the second method is the best; TC falls for
    samples and rises for means, and reconstructions worsen."""
    rng = np.random.default_rng(0)
    steps = np.arange(SHAPE[2])[:, None] * 0.3
    best = np.array([0.0, 1.0, 0.0])[:, None, None]
    mig = 0.5 * rng.random(SHAPE) + steps + best
    columns = {"mig": mig, "sap": mig + 0.1 * rng.random(SHAPE), "modularity": rng.random(SHAPE)}
    columns[TC] = np.exp(steps + 0.1 * rng.random(SHAPE))
    columns[TC + "_sampled"] = np.exp(-steps - 0.1 * rng.random(SHAPE))
    columns["reconstruction"] = steps + rng.random(SHAPE)
    return planted.frame_of(columns)


def texts(section):
    yield from (section.why, section.about, *section.findings)
    for picture in section.pictures:
        yield from (picture.alt, picture.caption)
    for table in section.tables:
        assert all(isinstance(cell, str) for cell in table.data.to_numpy().ravel())
        yield from (table.caption, *table.data.to_numpy().ravel())


def check(section):
    """Its words have numbers in them, its pictures names, numbers and a size that a page bears."""
    assert bool(section.why) != bool(section.findings)
    for text in texts(section):
        assert not re.search(r"\b(nan|inf|None|NaT)\b", text), text
    names = [picture.name for picture in section.pictures]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[\w-]+", name) for name in names)
    assert all(len(picture.data) and len(picture.alt) > 30 for picture in section.pictures)
    for picture in (*section.pictures[:1], *section.pictures[1:][-1:]):  # drawing takes its time
        assert len(to_svg(picture.figure, picture.name, picture.alt)) < 60_000


@pytest.mark.parametrize("module", SECTIONS, ids=lambda module: module.NAME)
def test_a_whole_study(module, runs):
    section = module.section(study_of(runs))
    check(section)
    assert not section.why and {p.dataset for p in section.pictures} == {"d0", "d1"}
    first, again = (module.section(study_of(runs)) for _ in range(2))
    assert first.findings == again.findings
    one, other = (to_svg(each.pictures[0].figure, "x", "same") for each in (first, again))
    assert one == other


def poor(runs):
    lost = runs.assign(status="diverged")
    measured = ["mig", "sap", "modularity", TC, TC + "_sampled", "reconstruction"]
    lost[measured] = np.nan
    one = (runs["dataset"] == "d0") & (runs["model"] == planted.METHODS[0])
    return {
        "empty": runs[:0],
        "no columns": runs.drop(columns=measured),
        "one run": runs[:1],
        "one seed": runs[runs["seed"] == 0],
        "two seeds": runs[runs["seed"] < 2],
        "one setting": runs[one & (runs["strength"] == 1)],
        "one method": runs[one],
        "no strengths": runs[runs["strength"] == 1].assign(strength=np.nan, strength_name=None),
        "all diverged": lost,
        "one dataset diverged": pd.concat(
            [runs[runs["dataset"] == "d0"], lost[lost["dataset"] == "d1"]]
        ),
        "constant": runs.assign(**dict.fromkeys(measured, 0.3)),
        "zeros": runs.assign(**dict.fromkeys(measured, 0.0)),
        "a measure on one dataset": runs.assign(
            **{c: runs[c].where(runs["dataset"] == "d0") for c in ("sap", TC)}
        ),
        "unfinished": runs[(runs["model"] != planted.METHODS[2]) | (runs["seed"] < 3)],
    }


CASES = (
    "empty",
    "no columns",
    "one run",
    "one seed",
    "two seeds",
    "one setting",
    "one method",
    "no strengths",
    "all diverged",
    "one dataset diverged",
    "constant",
    "zeros",
    "a measure on one dataset",
    "unfinished",
)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("module", SECTIONS, ids=lambda module: module.NAME)
def test_poor_studies(module, case, runs):
    check(module.section(study_of(poor(runs)[case], pd.DataFrame())))


def test_what_they_find(runs):
    study = study_of(runs)
    found = {module.NAME: " ".join(module.section(study).findings) for module in SECTIONS}
    best, first = planted.METHODS[1], planted.METHODS[0]
    assert f"A run of another method beats one of {best}" in found["distributions"]
    assert (
        "MIG rises with the strength of 3 and falls with that of 0 of 3 methods;"
        in found["strength"]
    )
    assert "MIG and SAP agree most" in found["agreement"]
    assert "Modularity agrees least" in found["agreement"]
    names = " and ".join([", ".join(sorted(planted.METHODS[:2])), planted.METHODS[2]])
    assert (
        f"sampled codes falls with the strength of {names}; of mean" in found["total_correlation"]
    )
    assert "in **100 % [63 to 100]** of every method's runs" in found["total_correlation"]
    assert "loosens" not in found["total_correlation"]
    turned = runs.assign(reconstruction=-runs["reconstruction"])
    said = total_correlation.section(study_of(turned)).findings
    assert said[0].startswith(f"The strength of {first}, β, loosens as it rises")


def test_bounds_beyond_the_runs_are_named(runs):
    pictures = {p.name: p for p in strength.section(study_of(runs)).pictures}
    words = [text.get_text() for text in pictures["strength_d0_mig"].figure.axes[0].texts]
    assert words == ["random", "↑ factors 4.00"]
    drawn = {p.name: p for p in distributions.section(study_of(runs)).pictures}
    assert drawn["distributions_d0_mig"].data["model"].tolist()[-2:] == ["random", "factors"]


def test_a_study_of_one_seed_says_so(runs):
    one = study_of(runs[runs["seed"] == 0])
    assert NOT_ENOUGH in strength.section(one).findings[0]
    assert NOT_ENOUGH in agreement.section(one).findings[0]


def test_a_score_that_a_dataset_was_not_asked_for_is_not_0_there(runs):
    runs = runs.assign(sap=runs["sap"].where(runs["dataset"] == "d0"))
    for module in (distributions, strength):
        pictures = module.section(study_of(runs)).pictures
        assert [p.dataset for p in pictures if p.metric == "sap"] == ["d0"]


def test_of_luck_no_trend_is_called_clear():
    rng = np.random.default_rng(5)
    scores = rng.random((1, 6, 6, 8))
    said = strength.section(study_of(planted.frame_of({"mig": scores}))).findings[0]
    assert "MIG has no clear trend with the strength of any of 6 methods. From" in said
    scores[0, 0] += np.arange(6)[:, None]
    said = strength.section(study_of(planted.frame_of({"mig": scores}))).findings[0]
    assert "rises with the strength of 1 and falls with that of 0 of 6 methods: 0.9" in said
    assert "strongest" not in said


def test_of_one_pair_none_agrees_most(runs):
    study = study_of(runs.drop(columns="modularity"))
    text = " ".join(agreement.section(study).findings)
    assert "On d0, MIG and SAP go together by a rank correlation of **1.00" in text
    assert "and among runs that differ in their seed alone by 0.9" in text
    assert "most" not in text and "least" not in text


def test_where_more_runs_would_not_help_it_does_not_say_so(runs):
    alone = study_of(runs.drop(columns=["sap", "modularity"]))
    assert agreement.section(alone).answers == ["Nothing can be said: fewer than two scores."]
    for text in strength.section(study_of(runs.assign(mig=0.3))).findings:
        assert text.startswith("Nothing can be said on d") and "the score never varies" in text
    for text in strength.section(study_of(runs[runs["seed"] == 0])).findings:
        assert text.startswith(NOT_ENOUGH)
