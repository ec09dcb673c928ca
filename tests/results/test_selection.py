import numpy as np
import pandas as pd
import planted
import pytest

from soberlook.registry import BadInput
from soberlook.results.report.section import Study
from soberlook.results.report.selection import section
from soberlook.results.selection import selection
from soberlook.results.summary import labelled

SHAPE = (1, 6, 6)
NUMBERS = ["reconstruction", "udr_lasso"]  # less is better, more is better


def study(rng):
    """Expected values [1, m, k, 1] of settings."""
    score = planted.effects(rng, (*SHAPE, 1), luck=0.7)
    udr = 0.7 * score + planted.effects(rng, (*SHAPE, 1), luck=0.5)
    return {"mig": score, "udr_lasso": udr, "reconstruction": planted.effects(rng, (*SHAPE, 1))}


def runs_of(rng, expected, seeds=10):
    """UDR knows something of a run's luck, reconstruction nothing."""
    luck = planted.effects(rng, (*SHAPE, seeds), luck=0.6)
    of_seed = planted.effects(rng, (*SHAPE, seeds), seed=0.4, luck=0)
    found = {"mig": expected["mig"] + of_seed + luck}
    found["udr_lasso"] = expected["udr_lasso"] + 0.5 * luck
    found["udr_lasso"] += planted.effects(rng, (*SHAPE, seeds), luck=0.5)
    noise = planted.effects(rng, (*SHAPE, seeds), seed=0.4, luck=0.6)
    return found | {"reconstruction": expected["reconstruction"] + noise}


def of_runs(columns):
    """Share of the way, and regret, of choosing by each number; of very many seeds, [2, 2]."""
    score = columns["mig"].reshape(36, -1)
    random, best = score.mean(), score.max(axis=0).mean()
    found = []
    for number, sign in (("reconstruction", -1), ("udr_lasso", 1)):
        at = (sign * columns[number]).reshape(36, -1).argmax(axis=0)
        chosen = score[at, np.arange(score.shape[1])].mean()
        found.append([(chosen - random) / (best - random), best - chosen])
    return np.array(found)


def of_settings(own, many):
    """The same, and by the score, of the settings that these seeds choose: medians over all others,
    judged by very many."""
    score = many["mig"].reshape(36, -1)
    random, best = score.mean(), score.max(axis=0).mean()
    found = []
    for number, sign in (("reconstruction", -1), ("udr_lasso", 1), ("mig", 1)):
        values = (sign * own[number]).reshape(36, -1)
        others = [np.median(np.delete(values, s, axis=1), axis=1) for s in range(values.shape[1])]
        chosen = np.mean([score[median.argmax()].mean() for median in others])
        found.append([(chosen - random) / (best - random), best - chosen])
    return np.array(found)


def covered(rng, off=0.0):
    """`off` is added to the planted values: with it, intervals should not contain them."""
    expected = study(rng)
    many = runs_of(rng, expected, 9_000)
    own = runs_of(rng, expected)
    truth = np.concatenate([of_runs(many), of_settings(own, many)]) + off
    found = selection(planted.frame_of(own), ["mig"])
    found = found[found["model"] == "all"].assign(way=truth[:, 0], lost=truth[:, 1])
    found = found[found["by"] != "labels"]
    way = (found["low"] <= found["way"]) & (found["way"] <= found["high"])
    regret = (found["regret_low"] <= found["lost"]) & (found["lost"] <= found["regret_high"])
    ways, regrets = way.groupby(found["how"]), regret.groupby(found["how"])
    kinds = {f"way, of a {how}": float(own.mean()) for how, own in ways}
    return kinds | {f"regret, of a {how}": float(own.mean()) for how, own in regrets}


def test_intervals_cover_what_was_planted():
    found = pd.DataFrame([covered(np.random.default_rng([i, 13])) for i in range(40)])
    assert (found.mean() >= 0.9).all(), found.mean()
    wrong = pd.DataFrame([covered(np.random.default_rng([i, 13]), off=3.0) for i in range(5)])
    assert (wrong.mean() <= 0.1).all(), wrong.mean()


def of_all(runs, scores=None):
    found = selection(runs, scores)
    return found[found["model"] == "all"].set_index(["by", "how"])


def test_known_answers():
    """Three settings and three seeds, by hand. In the first seed reconstruction chooses the best
    run, in the others the middle one."""
    mig = np.array([[0.1, 0.2, 0.3], [0.2, 0.4, 0.6], [0.0, 0.1, 0.5]]).T
    reconstruction = np.array([[5, 4, 3], [5, 1, 2], [5, 1, 2.0]]).T
    shape = (1, 1, 3, 3)
    columns = {"mig": mig.reshape(shape), "reconstruction": reconstruction.reshape(shape)}
    runs = planted.frame_of(columns)
    row = of_all(runs).loc[("reconstruction", "run")]
    assert row["chosen"] == pytest.approx((0.3 + 0.4 + 0.1) / 3)
    assert row["random"] == pytest.approx((0.2 + 0.4 + 0.2) / 3)
    assert row["best"] == pytest.approx((0.3 + 0.6 + 0.5) / 3)
    assert row["worst"] == pytest.approx((0.1 + 0.2 + 0.0) / 3)
    assert row["regret"] == pytest.approx(0.2) and row["value"] == pytest.approx(0, abs=1e-12)
    # Medians over the two others: 5, 1, 2 for the first seed; 5, 2.5, 2.5 for the second and third.
    row = of_all(runs).loc[("reconstruction", "setting")]
    chosen = [0.2, (0.4 + 0.6) / 2, (0.1 + 0.5) / 2]
    assert row["chosen"] == pytest.approx(np.mean(chosen))
    row = of_all(runs).loc[("labels", "setting")]
    assert row["chosen"] == pytest.approx(row["best"]) and row["value"] == pytest.approx(1)
    assert row["why"] == "for comparison, without an interval"


def test_the_best_is_a_number_of_its_kind():
    """More UDR and ELBO are better, less of the others: each that is the score, or minus it, gets
    all of the way; turned round, each goes to the worst."""
    rng = np.random.default_rng(0)
    score = planted.effects(rng, (1, 2, 3, 5), model=1)
    for sign, end in ((1, "best"), (-1, "worst")):
        columns = {"mig": score, "udr_lasso": sign * score, "elbo": sign * score}
        for name in ("reconstruction", "kl", "gaussian_total_correlation_sampled"):
            columns[name] = -sign * score
        runs = of_all(planted.frame_of(columns)).xs("run", level="how")
        assert len(runs) == 5 and np.allclose(runs["chosen"], runs[end])
    assert (runs["regret"] > 0).all() and (runs["value"] < 0).all()


def test_a_number_that_knows_nothing_chooses_at_random():
    rng = np.random.default_rng(1)
    columns = {"mig": planted.effects(rng, (1, 6, 6, 50), setting=1, seed=1)}
    columns["udr_lasso"] = planted.effects(rng, (1, 6, 6, 50))
    row = of_all(planted.frame_of(columns)).loc[("udr_lasso", "run")]
    assert abs(row["value"]) < 0.15 and row["low"] < 0 < row["high"]
    assert row["chosen"] == pytest.approx(row["random"], abs=0.4)


def test_equal_numbers_are_taken_as_often_and_missing_ones_never():
    mig = np.array([[0.2, 0.4, 0.9]]).T + np.zeros((3, 4))
    udr = np.array([[0.5, 0.5, np.nan]]).T + np.zeros((3, 4))
    shape = (1, 1, 3, 4)
    runs = planted.frame_of({"mig": mig.reshape(shape), "udr_lasso": udr.reshape(shape)})
    row = of_all(runs).loc[("udr_lasso", "run")]
    assert row["chosen"] == pytest.approx(0.3) and row["best"] == pytest.approx(0.4)
    assert row["why"] == "every seed says the same"


POOR = {
    "empty": lambda runs: runs[:0],
    "one seed": lambda runs: runs[runs["seed"] == 0],
    "two seeds": lambda runs: runs[runs["seed"] < 2],
    "one setting": lambda runs: runs[runs["setting"] == "0-0-0"],
    "one run": lambda runs: runs[:1],
    "constant": lambda runs: runs.assign(mig=0.25),
    "constant number": lambda runs: runs.assign(udr_lasso=0.0),
    "no number": lambda runs: runs.drop(columns=NUMBERS),
    "all diverged": lambda runs: runs.assign(mig=0.0, udr_lasso=np.nan, reconstruction=np.nan),
    "no score": lambda runs: runs.assign(mig=np.nan),
    "half": lambda runs: runs[np.arange(len(runs)) % 7 < 3],
    "numbers that one dataset lacks": lambda runs: runs.assign(
        dataset=np.where(runs["strength"] < 4, "d0", "d1"),
        **{name: runs[name].where(runs["strength"] < 4) for name in NUMBERS},
    ),
    "several likelihoods": lambda runs: runs.assign(
        likelihood=np.where(runs["model"] == "beta_vae", "gaussian", "bernoulli"), udr_lasso=np.nan
    ),
    "a score that one dataset lacks": lambda runs: runs.assign(
        mig=runs["mig"].where(runs["strength"] < 4),
        dataset=np.where(runs["strength"] < 4, "d0", "d1"),
    ),
}


@pytest.mark.parametrize("what", POOR)
def test_poor_frames_say_why(what):
    rng = np.random.default_rng(5)
    runs = POOR[what](planted.frame_of(runs_of(rng, study(rng), 4)))
    found = selection(runs, ["mig"])
    numbers = ["value", "low", "high"]
    assert not np.isinf(found[numbers].to_numpy(float)).any()
    assert (found["why"] != "").equals(found[numbers].isna().any(axis=1))
    assert found.loc[found["best"].isna(), "chosen"].isna().all()
    runs = labelled(runs)
    shown = section(Study(runs, runs, pd.DataFrame(), pd.DataFrame(), ["mig"]))
    assert bool(shown.why) != bool(shown.findings)
    assert not any("nan" in text for text in shown.findings)
    for table in shown.tables:
        assert not table.data.isna().any(axis=None) and not (table.data == "nan").any(axis=None)


def test_columns_that_are_missing_are_named():
    rng = np.random.default_rng(6)
    runs = planted.frame_of(runs_of(rng, study(rng), 4))
    with pytest.raises(BadInput, match="seed"):
        selection(runs.drop(columns="seed"))
    with pytest.raises(BadInput, match="sap"):
        selection(runs, ["sap"])


def test_the_section():
    rng = np.random.default_rng(7)
    runs = labelled(planted.frame_of(runs_of(rng, study(rng))))
    shown = section(Study(runs, runs, pd.DataFrame(), pd.DataFrame(), ["mig"]))
    best = of_all(runs).xs("run", level="how")["value"].max()
    assert f"**{100 * best:.0f} % [" in shown.findings[0]
    assert {p.dataset for p in shown.pictures} == {"d0"}
    assert section(Study(runs, runs, runs, runs, [])).why == "no run has a score"
    assert section(Study(runs.drop(columns=NUMBERS), runs, runs, runs, ["mig"])).why


def test_reconstructions_of_several_likelihoods_choose_nothing():
    rng = np.random.default_rng(8)
    runs = labelled(planted.frame_of(runs_of(rng, study(rng)))).assign(kl=1.0)
    mixed = runs.assign(likelihood=np.where(runs["model"] == "beta_vae", "gaussian", "bernoulli"))
    found, alike = of_all(mixed), of_all(mixed.assign(likelihood="gaussian"))
    for by in ("reconstruction", "elbo"):
        rows = found.loc[by]
        assert rows["value"].isna().all() and alike.loc[by, "value"].notna().all()
        assert set(rows["why"]) == {"its runs have several likelihoods, bernoulli, gaussian"}
    pd.testing.assert_series_equal(found.loc["udr_lasso", "low"], alike.loc["udr_lasso", "low"])
    nothing = pd.DataFrame()
    shown = section(Study(mixed, mixed, nothing, nothing, ["mig"]))
    assert "UDR" in shown.findings[0] and "reconstruction" not in shown.findings[0]


def test_numbers_that_one_dataset_lacks_stop_no_other():
    """On the second dataset labels alone can choose: it has no picture, and a reason."""
    rng = np.random.default_rng(9)
    both = [planted.frame_of(runs_of(rng, study(rng))) for _ in range(2)]
    lacking = both[1].assign(**dict.fromkeys(NUMBERS, np.nan), dataset="d1")
    runs = labelled(pd.concat([both[0], lacking.assign(setting="1" + lacking["setting"])]))
    shown = section(Study(runs, runs, pd.DataFrame(), pd.DataFrame(), ["mig"]))
    assert {p.dataset for p in shown.pictures} == {"d0"}
    assert shown.findings[1] == "Nothing can be said on d1: no run has both."
