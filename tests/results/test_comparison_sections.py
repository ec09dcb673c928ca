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


LACKING = {"sap": np.where(np.arange(2)[:, None, None, None] == 1, np.nan, planted())}


@pytest.mark.parametrize("module", SECTIONS)
@pytest.mark.parametrize("leading", [{"mig": planted()}, {}])
def test_a_score_that_one_dataset_lacks_is_not_its_floor(module, leading):
    """Nobody asked for it there: all runs are done, and none has it."""
    made = study(**leading, **LACKING)
    runs = made.survivors.assign(status="done")
    made = made._replace(runs=floored(runs, made.scores), survivors=runs)
    section = module.section(made)
    assert not any(p.dataset == "d1" and p.metric == "sap" for p in section.pictures)
    assert not any("0.000" in text and "d1" in text for text in section.findings)
    if not leading and module is not survivors:
        silent = [text for text in section.findings if "on d1" in text]
        assert len(silent) == 1 and silent[0].startswith(("Nothing can be said", "Not enough"))


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
    if module is not survivors:  # that tells how many diverged all the same
        assert section.why == "no run has a score"
        return
    assert section.findings[0].startswith("**No run diverged** of 144, so no method's rate is ")
    assert not section.pictures and not section.tables


def test_what_the_findings_say(whole):
    alike = study(mig=0.3 + np.random.default_rng(0).normal(0, 0.05, (1, 4, 2, 6)))
    assert "**no method can be told from another**" in league.section(alike).findings[0]
    apart = planted((1, 3, 2, 8))
    apart[0, 2] += 2
    first = league.section(study(mig=apart)).findings[0]
    assert "**beta_vae** has the highest interquartile mean of MIG, " in first
    assert "it alone can be **first**" in first
    ahead = profiles.section(study(mig=apart)).findings[0]
    assert "The curve of beta_vae is below another's at none of 41 thresholds." in ahead
    kept = survivors.section(study(mig=apart))
    assert kept.findings[0].startswith("**No run diverged** of 48,") and not kept.pictures
    assert re.match(r"\*\*\d+ of 144\*\* runs diverged", survivors.section(whole).findings[0])


def test_methods_without_survivors_are_not_said_to_change_places():
    lost = study(mig=POOR["all runs of a method lost"])
    assert survivors.section(lost).findings[-1].startswith("**No order of methods changes**")


def test_what_ten_seeds_see():
    said = power.section(study(mig=planted((1, 2, 2, 10)))).findings[0]
    assert said.startswith("With 10 seeds a method, a test sees differences of **1.32** standard")


def test_reasons_that_more_runs_take_away_and_others():
    one = study(mig=POOR["one seed"])
    assert league.section(one).findings[0] == "Not enough runs to say on d0: one seed."
    flat = study(mig=POOR["all scores the same"])
    said = "Nothing can be said on d0: every seed says the same."
    assert league.section(flat).findings[0] == said
    assert power.section(one).why == "Not enough runs to say: too few runs"
    assert power.section(flat).why == "every seed says the same"


def test_profiles_where_many_runs_score_the_same():
    """Most runs at the floor, or at the ceiling: the share that is said is the share there is."""
    rng = np.random.default_rng(0)
    low = np.where(rng.random((1, 2, 3, 10)) < 0.7, 0.0, rng.random((1, 2, 3, 10)))
    said = profiles.section(study(mig=low)).findings[0]
    share = 100 * (low > 0).mean()
    assert said.startswith(f"{share:.0f} % of all runs on d0 have a MIG above 0.000: of ")
    full = np.where(rng.random((1, 2, 3, 10)) < 0.7, 1.0, rng.random((1, 2, 3, 10)))
    said = profiles.section(study(mig=full)).findings[0]
    below = full[full < 1].max()
    assert said.startswith(f"{100 * (full == 1).mean():.0f} % of all runs on d0 have a MIG above ")
    assert f"above {below:.3f}: of " in said
    same = np.tile(rng.random((1, 1, 3, 10)), (1, 2, 1, 1))
    said = profiles.section(study(mig=same)).findings[0]
    assert "curves of annealed_vae and beta_tcvae are the same, and below another's" in said
    crossing = np.stack([np.full((3, 10), 0.5), np.tile(np.arange(10) / 10, (3, 1))])[None]
    assert "the curves cross" in profiles.section(study(mig=crossing)).findings[0]


def test_a_leader_without_a_spread_counts_among_those_who_can_be_first():
    """Every run of it is the same, so it has no interval; but it has a rank."""
    values = planted((2, 2, 2, 8))
    values[:, 1] = values.max() + 1
    said = " ".join(league.section(study(mig=values)).findings)
    assert "one method alone can be first in **2**" in said
    values[:, 1] = values[:, 0].mean(axis=(1, 2), keepdims=True) + 1e-3
    said = " ".join(league.section(study(mig=values)).findings)
    assert "one method alone can be first in **0**" in said


def test_what_choosing_on_the_same_seeds_adds_is_not_called_luck_alone(whole):
    said = " ".join(league.section(whole).findings)
    assert "and what choosing by half of the seeds costs" in said


def test_one_pair_is_not_the_closest():
    said = power.section(study(mig=planted((1, 2, 2, 10)))).findings[-1]
    assert said.startswith("On d0, annealed_vae and beta_tcvae differ in MIG by **")
    assert "closest" not in said


def test_a_run_that_failed_did_not_diverge():
    made = study(mig=planted((1, 2, 2, 6)))
    runs = made.survivors.copy()
    runs.loc[3, ["status", "mig"]] = ["failed", np.nan]
    made = made._replace(runs=floored(runs, ["mig"]), survivors=runs)
    said = survivors.section(made).findings
    assert said[0] == "1 of 24 runs failed, and count nowhere."
    assert said[1].startswith("**No run diverged** of 23,")
