import itertools

import numpy as np
import pandas as pd
import planted
import pytest

from soberlook.registry import BadInput
from soberlook.results.report.section import Study
from soberlook.results.report.transfer import section
from soberlook.results.summary import labelled
from soberlook.results.transfer import transfer

SCORES = ["mig", "sap"]


def study(rng, shape=(2, 3, 2, 10)):
    """Two scores on two datasets, which agree in part on what is a good setting."""
    d, m, k, _ = shape
    common = planted.effects(rng, (1, m, k, 1), luck=0.7)
    expected = {}
    for score in SCORES:
        of_data = planted.effects(rng, (d, 1, 1, 1), luck=1.0)
        expected[score] = common + of_data + planted.effects(rng, (d, m, k, 1), luck=0.7)
    return expected


def runs_of(rng, expected, seeds=10):
    shape = (*next(iter(expected.values())).shape[:3], seeds)
    common = planted.effects(rng, shape, seed=0.5, luck=0.7)
    return {s: e + common + planted.effects(rng, shape, luck=0.7) for s, e in expected.items()}


def truth(columns):
    """Of very many seeds, [d, d, score, score]: who is chosen and who wins are independent."""
    values = np.stack([columns[s] for s in SCORES], axis=1)  # [d, score, m, k, seeds]
    values = values.reshape(*values.shape[:2], -1, values.shape[-1])
    settings = values.shape[2]
    chosen = values.argmax(axis=2)
    chosen = np.stack([(chosen == i).mean(axis=-1) for i in range(settings)], axis=-1)
    ranks = values.argsort(axis=2).argsort(axis=2) + 1
    return np.einsum("ami,bni->abmn", chosen, ranks.mean(axis=-1) / settings)


def means(by_cell):
    """The four numbers, as the rows of `transfer` are: data, then score."""
    same = np.eye(2, dtype=bool)
    return [by_cell[d][:, s].mean() for d in (same, ~same) for s in (same, ~same)]


def covered(rng, off=0.0):
    """`off` is added to the planted values: with it, intervals should not contain them."""
    expected = study(rng)
    by_cell = truth(runs_of(rng, expected, 4_000)) + off
    found = transfer(planted.frame_of(runs_of(rng, expected)), SCORES)
    overall = found[found["dataset"] == "all"]
    hits = (overall["low"] <= means(by_cell)) & (means(by_cell) <= overall["high"])
    names = overall["by_score"] + " score, " + overall["by_data"] + " data"
    kinds = dict(zip(names, hits.astype(float), strict=True))
    pairs = found[(found["dataset"] != "all") & (found["by_score"] == "same")]
    planted_ = [np.trace(by_cell[a, b]) / 2 for a, b in itertools.product((0, 1), repeat=2)]
    hits = (pairs["low"] <= planted_) & (planted_ <= pairs["high"])
    return kinds | {"from a dataset to a dataset": float(hits.mean())}


def test_intervals_cover_what_was_planted():
    found = pd.DataFrame([covered(np.random.default_rng([i, 9])) for i in range(50)])
    assert (found.mean() >= 0.9).all(), found.mean()


def test_intervals_do_not_contain_what_is_far_off():
    found = pd.DataFrame([covered(np.random.default_rng([i, 9]), off=0.3) for i in range(10)])
    assert (found.mean() <= 0.3).all(), found.mean()


def by_hand(values, a, b, m, n):
    """Every trial, one after another, of values [d, score, settings, seeds]."""
    wins, half, trials = 0.0, 0.0, 0
    settings, seeds = values.shape[2:]
    for s, t in itertools.permutations(range(seeds), 2):
        best = values[a, m, :, s].argmax()
        for rival in range(settings):
            own, other = values[b, n, best, t], values[b, n, rival, t]
            wins, half, trials = wins + (own >= other), half + (own > other), trials + 1
            half += 0.5 * (own == other)
    return wins / trials, half / trials


def test_it_is_every_trial_there_is():
    rng = np.random.default_rng(1)
    columns = runs_of(rng, study(rng), 4)
    found = transfer(planted.frame_of(columns), SCORES).set_index(["dataset", "to", "by_score"])
    values = np.stack([columns[s] for s in SCORES], axis=1).reshape(2, 2, 6, 4)
    for (a, b), score in itertools.product(itertools.product((0, 1), repeat=2), ("same", "other")):
        cells = [(0, 0), (1, 1)] if score == "same" else [(0, 1), (1, 0)]
        want = np.mean([by_hand(values, a, b, m, n) for m, n in cells], axis=0)
        row = found.loc[(f"d{a}", f"d{b}", score)]
        np.testing.assert_allclose([row["value"], row["half"]], want)
        assert row["chance"] == pytest.approx(7 / 12)
    overall = found.loc[("all", "all", "same")]
    pairs = found.loc[[("d0", "d1", "same"), ("d1", "d0", "same")], "value"]
    assert overall.set_index("by_data").loc["other", "value"] == pytest.approx(pairs.mean())


def test_known_answers():
    """Three settings whose order every seed keeps on d0, and turns round on d1."""
    order = np.array([0.1, 0.2, 0.3]).reshape(1, 1, 3, 1)
    scores = np.concatenate([order, order[:, :, ::-1]]) + np.zeros((2, 1, 3, 4))
    found = transfer(planted.frame_of({"mig": scores})).set_index(["dataset", "to", "by_score"])
    assert found.loc[("d0", "d0", "same"), "value"] == 1
    assert found.loc[("d0", "d1", "same"), "value"] == pytest.approx(1 / 3)  # only against itself
    assert found.loc[("d0", "d1", "same"), "half"] == pytest.approx(1 / 6)
    assert set(found.loc[(slice(None), slice(None), "other"), "why"]) == {"one score"}
    alike = found.loc[("d0", "d0", "same")]
    assert np.isnan(alike["low"]) and alike["why"] == "every seed says the same"


def test_what_is_best_together_is_taken_as_often():
    """Two best settings on d0; on d1 one of the two is best, the other worst."""
    first, then = np.array([1.0, 1, 0]), np.array([2.0, 0, 1])
    scores = np.stack([first, then]).reshape(2, 1, 3, 1) + np.zeros((2, 1, 3, 3))
    found = transfer(planted.frame_of({"mig": scores})).set_index(["dataset", "to", "by_score"])
    assert found.loc[("d0", "d1", "same"), "value"] == pytest.approx((1 + 1 / 3) / 2)
    assert found.loc[("d0", "d0", "same"), "half"] == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_luck_alone_does_not_carry():
    rng = np.random.default_rng(3)
    columns = {s: planted.effects(rng, (3, 6, 6, 10), seed=1) for s in SCORES}
    found = transfer(planted.frame_of(columns), SCORES)
    overall = found[found["dataset"] == "all"]
    assert overall["half"].between(0.47, 0.53).all()
    assert ((overall["low"] < overall["chance"]) & (overall["chance"] < overall["high"])).all()


def test_settings_are_matched_by_their_strength_and_missing_runs_are_no_trials():
    rng = np.random.default_rng(4)
    runs = planted.frame_of(runs_of(rng, study(rng), 5))
    want = transfer(runs, SCORES)
    alone = runs[runs["dataset"] == "d0"].assign(model="new", setting="of-d0-alone", strength=9.0)
    alone = alone.drop_duplicates(["dataset", "seed"]).assign(mig=99.0, sap=99.0)
    more = transfer(pd.concat([runs, alone], ignore_index=True), SCORES)
    other = (want["dataset"] != "all") & (want["by_data"] == "other")
    pd.testing.assert_frame_equal(more[other], want[other])
    assert (more.loc[~other, "value"] != want.loc[~other, "value"]).any()
    fewer = transfer(runs[rng.random(len(runs)) < 0.8], SCORES)
    assert fewer["value"].between(0, 1).all() and (abs(fewer["value"] - want["value"]) < 0.4).all()


POOR = {
    "empty": lambda runs: runs[:0],
    "one seed": lambda runs: runs[runs["seed"] == 0],
    "two seeds": lambda runs: runs[runs["seed"] < 2],
    "one dataset": lambda runs: runs[runs["dataset"] == "d0"],
    "one setting": lambda runs: runs[runs["strength"] + runs["model"].str.len() == 13],
    "one run": lambda runs: runs[:1],
    "constant": lambda runs: runs.assign(mig=0.25, sap=0.5),
    "one constant": lambda runs: runs.assign(mig=0.25),
    "all diverged": lambda runs: runs.assign(mig=np.nan, sap=np.nan, status="diverged"),
    "a score that one dataset lacks": lambda runs: runs.assign(
        sap=runs["sap"].where(runs["dataset"] == "d1")
    ),
    "nothing in common": lambda runs: runs[(runs["dataset"] == "d0") == (runs["strength"] == 1)],
}


@pytest.mark.parametrize("what", POOR)
def test_poor_frames_say_why(what):
    rng = np.random.default_rng(5)
    runs = POOR[what](planted.frame_of(runs_of(rng, study(rng), 4)))
    found = transfer(runs, SCORES)
    assert not np.isinf(found[["value", "low", "high"]].to_numpy(float)).any()
    assert (found["why"] != "").equals(found[["value", "low", "high"]].isna().any(axis=1))
    shown = section(Study(labelled(runs), labelled(runs), pd.DataFrame(), pd.DataFrame(), SCORES))
    assert bool(shown.why) != bool(shown.findings)
    assert not any("nan" in text for text in shown.findings)
    for table in shown.tables:
        assert not table.data.isna().any(axis=None) and not (table.data == "nan").any(axis=None)


def test_whys():
    rng = np.random.default_rng(6)
    runs = planted.frame_of(runs_of(rng, study(rng), 4))

    def why(what, data="other"):
        found = transfer(POOR[what](runs), SCORES)
        return (
            found[(found["dataset"] == "all") & (found["by_data"] == data)]["why"].unique().tolist()
        )

    assert why("one seed") == ["fewer than two seeds"] and why("one dataset") == ["one dataset"]
    assert why("constant", "same") == ["the scores never vary"]
    assert why("nothing in common") == ["fewer than two settings to choose from"]
    assert why("two seeds") == ["2 seeds give no interval"]
    with pytest.raises(BadInput, match="seed"):
        transfer(runs.drop(columns="seed"))


def test_the_section():
    rng = np.random.default_rng(7)
    runs = labelled(planted.frame_of(runs_of(rng, study(rng))))
    shown = section(Study(runs, runs, pd.DataFrame(), pd.DataFrame(), SCORES))
    value = transfer(runs, SCORES)["value"].iloc[0]
    assert f"by the same score on the same dataset, in **{100 * value:.0f} %" in shown.findings[0]
    assert "(the paper: 80.7 %)" in shown.findings[0]
    assert [p.dataset for p in shown.pictures] == ["", "d0", "d1"]
    assert section(Study(runs, runs, runs, runs, [])).why == "no run has a score"
