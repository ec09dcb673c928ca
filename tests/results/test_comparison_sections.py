"""Sections on how methods compare, on good frames and poor ones."""

import re

import numpy as np
import pandas as pd
import pytest
from planted import effects, frame_of

from soberlook.results.grid import floored
from soberlook.results.report import league, power, profiles, survivors
from soberlook.results.report.section import Study
from soberlook.results.summary import labelled, scores_of

SECTIONS = [league, power, profiles, survivors]
NO_BOUNDS = pd.DataFrame(columns=["dataset", "codes", "metric", "value"])


def study(**values) -> Study:
    runs = labelled(frame_of(values))
    scores = scores_of(runs)
    return Study(floored(runs, scores), runs, pd.DataFrame(), NO_BOUNDS, scores)


def planted(shape=(2, 3, 3, 8), lost=0.0):
    rng = np.random.default_rng(0)
    values = 0.3 + 0.05 * effects(rng, shape, model=2, setting=1, seed=1)
    return np.where(rng.random(shape) < lost, np.nan, values)


@pytest.fixture(scope="module")
def whole():
    values = planted(lost=0.1)
    return study(mig=values, sap=values**2)


@pytest.mark.parametrize("module", SECTIONS)
def test_a_section_is_made_of_its_numbers(module, whole):
    section = module.section(whole)
    assert section.name == module.NAME and section.title == module.TITLE and not section.why
    assert len(section.pictures) == 4 and section.findings and section.about
    assert {(p.dataset, p.metric) for p in section.pictures} == {
        (d, m) for d in ("d0", "d1") for m in ("mig", "sap")
    }
    assert len({p.name for p in section.pictures}) == 4
    texts = [*section.findings, *(p.alt + p.caption for p in section.pictures)]
    for table in section.tables:
        assert table.data.map(lambda cell: isinstance(cell, str)).all(axis=None)
        texts += table.data.to_numpy().ravel().tolist()
    assert not any(re.search(r"\bnan\b|\binf\b", text) for text in texts)
    assert all(p.data["dataset"].eq(p.dataset).all() and len(p.data) for p in section.pictures)


POOR = {
    "one method": planted((2, 1, 3, 8)),
    "one seed": planted((2, 3, 3, 1)),
    "two seeds": planted((1, 2, 3, 2)),
    "one run": planted((1, 1, 1, 1)),
    "one strength": planted((1, 3, 1, 5)),
    "all scores the same": np.full((1, 3, 2, 5), 0.2),
    "all runs lost": np.full((2, 3, 2, 5), np.nan),
    "all runs of a method lost": np.where(np.arange(3)[:, None, None] == 1, np.nan, planted()),
    "a dataset with one method": np.where(
        np.arange(6).reshape(2, 3)[..., None, None] > 3, np.nan, planted()
    ),
}


@pytest.mark.parametrize("module", SECTIONS)
@pytest.mark.parametrize("case", POOR)
def test_poor_frames_say_what_they_can(module, case):
    made = study(mig=POOR[case])
    if case == "a dataset with one method":  # the others have not run yet
        done = made.survivors["mig"].notna()
        made = made._replace(runs=made.runs[done], survivors=made.survivors[done])
    section = module.section(made)
    assert section.findings or section.why
    texts = [*section.findings, section.why, *(p.alt for p in section.pictures)]
    for table in section.tables:
        texts += table.data.to_numpy().ravel().tolist()
    assert not any(re.search(r"\bnan\b|\binf\b", text) for text in texts)


@pytest.mark.parametrize("module", SECTIONS)
def test_no_run_and_no_score(module):
    empty = study(mig=planted())
    empty = empty._replace(runs=empty.runs[:0], survivors=empty.survivors[:0], scores=[])
    assert module.section(empty).why
    none = study(kl=planted())
    section = module.section(none)
    assert section.why == "no run has a score" or module is survivors


def test_what_the_findings_say(whole):
    alike = study(mig=0.3 + np.random.default_rng(0).normal(0, 0.05, (1, 4, 2, 6)))
    assert "**no method can be told from another**" in league.section(alike).findings[0]
    apart = planted((1, 3, 2, 8))
    apart[0, 2] += 2
    first = league.section(study(mig=apart)).findings[0]
    assert "**beta_vae**" in first and "it alone can be **first**" in first
    ahead = profiles.section(study(mig=apart)).findings[0]
    assert "The curve of beta_vae is nowhere below another's." in ahead
    kept = survivors.section(study(mig=apart))
    assert kept.findings[0].startswith("**No run was lost**: none of 48") and not kept.pictures
    assert re.match(r"\*\*\d+ of 144\*\* runs diverged", survivors.section(whole).findings[0])


def test_methods_without_survivors_are_not_said_to_change_places():
    lost = study(mig=POOR["all runs of a method lost"])
    assert survivors.section(lost).findings[-1].startswith("**No order of methods changes**")


def test_what_ten_seeds_see():
    said = power.section(study(mig=planted((1, 2, 2, 10)))).findings[0]
    assert said.startswith("With 10 seeds a method, a test sees differences of **1.32** standard")
