"""Sections of the report about what scores are worth and what all rests on."""

import numpy as np
import pandas as pd
import planted
import pytest

from soberlook.results.grid import floored
from soberlook.results.report import (
    bounds,
    costs,
    downstream,
    drawing,
    frontier,
    grounds,
    impossibility,
    settings,
)
from soberlook.results.report.section import Study
from soberlook.results.summary import labelled, scores_of

MODULES = (bounds, costs, downstream, frontier, grounds, impossibility, settings)
ASKED = ("mig", "sap", "mig_rotated", "sap_rotated", "reconstruction", "kl")
ASKED += ("dci_informativeness_100", "dci_informativeness_1000", "udr_lasso")


def made(shape=(2, 3, 3, 6)):
    """A study in which everything can be asked; one run diverged."""
    rng = np.random.default_rng(0)
    columns = {c: 0.5 + 0.05 * planted.effects(rng, shape, setting=1) for c in ASKED}
    columns["mig_rotated"] = 0.3 * columns["mig"]
    for values in columns.values():
        values[0, 0, 0, 0] = np.nan
    return planted.frame_of(columns)


def known(runs, **values):
    """Bounds of MIG on every dataset."""
    table = [(d, codes, "mig", v) for d in runs["dataset"].unique() for codes, v in values.items()]
    return pd.DataFrame(table, columns=["dataset", "codes", "metric", "value"])


def study(runs, rows=None, bounds=None):
    runs, scores = labelled(runs), scores_of(runs)
    nothing = pd.DataFrame({"metric": [], "version": [], "run_id": []})
    bounds = pd.DataFrame() if bounds is None else bounds
    return Study(
        floored(runs, scores, bounds), runs, nothing if rows is None else rows, bounds, scores
    )


def read(section):
    """All that a reader sees."""
    parts = [*section.findings, section.why, section.about]
    for picture in section.pictures:
        parts += [picture.alt, picture.caption]
    for table in section.tables:
        assert table.data.map(lambda cell: isinstance(cell, str)).all(axis=None), section.name
        parts += [table.caption, table.data.to_csv()]
    return "\n".join(parts)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.NAME)
def test_a_whole_study(module):
    runs = made()
    found = module.section(study(runs, bounds=known(runs, random=0.1, supervised=0.9, factors=1.0)))
    text = read(found)
    assert found.findings and not found.why and "nan" not in text and "inf " not in text
    names = [picture.name for picture in found.pictures]
    assert len({*names}) == len(names)
    for picture in found.pictures[:4]:
        svg = drawing.to_svg(picture.figure, picture.name, picture.alt)
        assert len(svg) < 60_000 and picture.dataset in ("d0", "d1") and len(picture.data)
    again = module.section(study(runs, bounds=known(runs, random=0.1, supervised=0.9, factors=1.0)))
    assert read(again) == text


def poor():
    runs = made()
    yield "empty", runs[:0]
    yield "one run", runs[5:6]
    yield "one seed", runs[runs["seed"] == 1]
    yield "one setting", runs[runs["setting"] == "0-1-1"]
    yield "one method", runs[(runs["model"] == runs["model"].iloc[0]) & (runs["dataset"] == "d1")]
    yield "no score", runs.drop(columns=["mig", "sap"])
    yield "nothing measured", runs.drop(columns=[*ASKED])
    yield "all diverged", runs.assign(**dict.fromkeys(ASKED, np.nan), status="diverged")
    yield "constant", runs.assign(**dict.fromkeys(ASKED, 0.5))
    yield "zero", runs.assign(**dict.fromkeys(ASKED, 0.0))
    part = runs["dataset"] == "d1"
    yield "a score that one dataset lacks", runs.assign(mig=runs["mig"].where(part))
    yield "half", runs.assign(**{c: runs[c].where(part) for c in ASKED[2:]})
    failed = {"train_seconds": np.nan, "evaluate_seconds": np.nan, "status": "failed"}
    yield "failed", runs.assign(**dict.fromkeys(ASKED, np.nan), **failed)
    part = {c: runs[c].where(part) for c in ("sap", "reconstruction", "mig_rotated")}
    yield "measures on one dataset", runs.assign(**part)
    yield "several likelihoods", runs.assign(likelihood=np.where(runs["seed"] < 3, "a", "b"))
    yield "no provenance", runs.drop(columns=["jax", "device", "reason", "train_seconds"])


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.NAME)
@pytest.mark.parametrize("runs", [pytest.param(r, id=name) for name, r in poor()])
def test_poor_studies_say_why(module, runs):
    found = module.section(study(runs, bounds=known(runs, random=0.5, supervised=0.5)))
    text = read(found)
    assert bool(found.why) != bool(found.findings), found
    assert "nan" not in text and "inf " not in text and "None" not in text


def test_floors_and_ceilings():
    runs = made()
    table = known(runs, random=0.6, rotated=0.2, supervised=0.9, factors=1.0, unheard_of=0.3)
    found = bounds.section(study(runs, bounds=table))
    row = found.tables[0].data.iloc[0]
    scores = floored(runs, ["mig"], table).loc[runs["dataset"] == "d0", "mig"]
    median, best = scores.median(), scores.max()
    assert row.tolist()[:6] == ["d0", "mig", "0.600", "0.200", "0.900", "1.000"]
    assert abs(float(row["runs, median"]) - median) < 5e-4 and row["best run"] == f"{best:.3f}"
    assert "random codes alone have 0.60 in MIG (of 1.00)" in found.findings[1]
    few = bounds.section(study(runs, bounds=known(runs, factors=1.0)))
    assert few.findings[0] == f"On d0, the best run has {best:.2f} in MIG."
    low = bounds.section(study(runs, bounds=known(runs, random=0.5, supervised=0.5)))
    assert "even a supervised encoder has no more than random codes by MIG" in low.findings[0]
    assert bounds.section(study(runs)).why == "no floors and ceilings were computed"


def test_costs():
    runs = made((1, 2, 1, 3)).assign(train_seconds=[1.0, 2, 3, 8, 8, 8], evaluate_seconds=5.0)
    found = costs.section(study(runs))
    table = found.tables[0].data.set_index("model")
    assert table["training, s"].tolist() == ["2.00", "8.00"]
    assert table["lost"].tolist() == ["1", "0"] and table["images seen"].iloc[0] == "64,000"
    assert found.findings[0].startswith("6 runs took **60 s**, 50 % of it to score them")
    assert "beta_tcvae takes 4.0 times as long as one of annealed_vae" in found.findings[1]


def test_grounds_name_what_is_mixed_and_where():
    runs = made((2, 1, 1, 2))
    runs["jax"] = runs["dataset"].map({"d0": "1", "d1": "2"})
    rows = pd.DataFrame({"run_id": ["a", "b", "c"], "metric": ["mig", "mig", "sap"]})
    found = grounds.section(study(runs, rows=rows.assign(version=[1, 2, 1])))
    assert "4 runs" in found.findings[0] and "3 done, 1 diverged" in found.findings[0]
    text = "\n".join(found.findings)
    assert "**jax is mixed**: 1 (2 runs of d0); 2 (2 runs of d1)." in text
    assert "**mig is of several versions**: 1 (1 runs), 2 (1 runs)." in text
    assert "python" not in text.lower() and "sap" not in text
    assert "not finite after update 900" in found.tables[-1].data["reason"].iloc[0]


def test_grounds_name_likelihoods_and_what_was_lost():
    runs = made((1, 2, 1, 4)).assign(likelihood=["bernoulli"] * 4 + ["gaussian"] * 4)
    said = grounds.section(study(runs)).findings
    assert "Lost were runs of annealed_vae on d0: 1 of 4 failed or diverged." in said
    mixed = "**likelihood is mixed**: bernoulli (4 runs of annealed_vae); gaussian (4 runs of beta"
    assert any(text.startswith(mixed) for text in said)
    runs.loc[[6, 7], "status"] = "failed"
    said = grounds.section(study(runs)).findings
    assert "Lost were most of beta_tcvae on d0: 2 of 4 failed or diverged." in said


def test_settings():
    found = settings.section(study(made())).tables[0].data
    assert len(found) == 18 and found["setting"].iloc[0] == "β = 1"
    assert found["lost"].tolist() == ["1"] + ["0"] * 17 and (found["runs"] == "6").all()
    assert " to " in found["lowest to highest"].iloc[0]


def test_what_is_said_is_the_number():
    runs = made()
    found = impossibility.section(study(runs))
    assert "70 % [70 to 70] of the score is lost" in found.findings[0]
    assert len(found.pictures) == 2
    use = downstream.section(study(runs))
    assert any("DCI's trees from 1,000 labels" in text for text in use.findings)
    assert {p.metric for p in use.pictures} == {"", "mig"}
    trade = frontier.section(study(runs))
    assert {p.metric for p in trade.pictures} == {"", "mig", "sap"}
    assert "reconstruction and MIG" in trade.findings[0]


def test_reconstructions_of_several_likelihoods_are_not_compared():
    runs = made()
    mixed = (runs["dataset"] == "d0") & (runs["model"] == "beta_vae")
    runs["likelihood"] = np.where(mixed, "gaussian", "bernoulli")
    found = frontier.section(study(runs))
    assert found.findings[0] == (
        "Nothing can be said on d0: its runs have several likelihoods, bernoulli, gaussian."
    )
    assert "reaches" in found.findings[1] and {p.dataset for p in found.pictures} == {"d1"}
    use = downstream.section(study(runs))
    said = "Nothing can be said on d0 of reconstruction and ELBO: its runs have several likelihoods"
    assert sum(text.startswith(said) for text in use.findings) == 1
    drawn = {p.dataset: p.data.dropna(subset="value") for p in use.pictures if "unlab" in p.name}
    assert {*drawn["d0"]["first"]} == {"kl", "udr_lasso"}
    assert {*drawn["d1"]["first"]} == {"kl", "udr_lasso", "reconstruction", "elbo"}


def test_one_seed_says_so_beside_what_methods_reach():
    runs = made()
    found = frontier.section(study(runs[runs["seed"] == 1]))
    assert all("(one seed, so luck is not told from method)" in text for text in found.findings)
    assert "one seed" not in " ".join(frontier.section(study(runs)).findings)


def test_of_one_number_none_goes_along_most():
    runs = made().drop(columns=["reconstruction", "udr_lasso"])
    text = " ".join(downstream.section(study(runs)).findings)
    assert "On d0, KL goes along with it: " in text and "most" not in text
