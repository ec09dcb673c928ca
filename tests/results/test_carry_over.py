import numpy as np
import pandas as pd
import planted
import pytest
from scipy.stats import rankdata, spearmanr

from soberlook.registry import BadInput
from soberlook.results.carry_over import carry_over
from soberlook.results.report.carry_over import section
from soberlook.results.report.section import Study
from soberlook.results.summary import labelled

SCORES = ["mig", "sap"]
SHAPE = (2, 6, 6)


def study(rng):
    """Expected scores [d, m, k, 1] of settings, alike in part between datasets and scores."""
    common = planted.effects(rng, (1, 6, 6, 1), luck=0.8)
    return {s: common + planted.effects(rng, (*SHAPE, 1), luck=0.6) for s in SCORES}


def runs_of(rng, expected, seeds=10):
    """Luck that two scores, and two datasets, share in part."""
    common = planted.effects(rng, (1, 6, 6, seeds), seed=0.5, luck=0.5)
    common = common + planted.effects(rng, (*SHAPE, seeds), luck=0.4)
    return {
        s: e + common + planted.effects(rng, (*SHAPE, seeds), luck=0.4) for s, e in expected.items()
    }


def truth(columns):
    """Correlations of expected ranks, of very many seeds: in the order of the rows."""
    table = np.stack([columns[s] for s in SCORES], axis=1)  # [d, score, m, k, seeds]
    table = table.reshape(2, 2, 36, -1)
    expected = rankdata(table, axis=2).mean(axis=-1)
    pairs = [(expected[0, m], expected[1, m]) for m in range(2)]
    pairs += [(expected[d, 0], expected[d, 1]) for d in range(2)]
    return np.array([np.corrcoef(*pair)[0, 1] for pair in pairs])


def covered(rng, off=0.0):
    """`off` is added to the planted values: with it, intervals should not contain them."""
    expected = study(rng)
    planted_ = truth(runs_of(rng, expected, 1_000)) + off
    found = carry_over(planted.frame_of(runs_of(rng, expected)), SCORES)
    inside = (found["low"] <= planted_) & (planted_ <= found["high"])
    return {f"of two {kind}": float(own.mean()) for kind, own in inside.groupby(found["kind"])}


def test_intervals_cover_what_was_planted():
    found = pd.DataFrame([covered(np.random.default_rng([i, 11])) for i in range(40)])
    assert (found.mean() >= 0.9).all(), found.mean()
    wrong = pd.DataFrame([covered(np.random.default_rng([i, 11]), off=-0.5) for i in range(10)])
    assert (wrong.mean() <= 0.3).all(), wrong.mean()


def test_what_very_many_seeds_say_is_not_what_medians_of_ten_say():
    """The negative control: medians are biased, the expected ranks are not."""
    differences = []
    for i in range(20):
        rng = np.random.default_rng([i, 12])
        expected = study(rng)
        found = carry_over(planted.frame_of(runs_of(rng, expected)), SCORES)
        planted_ = truth(runs_of(rng, expected, 1_000))
        differences.append(found[["value", "medians"]].to_numpy() - planted_[:, None])
    value, medians = np.mean(differences, axis=(0, 1))
    assert abs(value) < 0.02 and medians < -0.02


def test_medians_are_correlated_as_scipy_does():
    rng = np.random.default_rng(1)
    columns = runs_of(rng, study(rng), 5)
    runs = planted.frame_of(columns)
    runs = runs[rng.random(len(runs)) < 0.8]
    found = carry_over(runs, SCORES).set_index(["dataset", "metric", "to_dataset", "to_metric"])
    medians = runs.groupby(["dataset", "model", "strength"])[SCORES].median().unstack("dataset")
    for first, second in [
        (("mig", "d0"), ("mig", "d1")),
        (("mig", "d1"), ("sap", "d1")),
    ]:
        both = medians[[first, second]].dropna()
        want = spearmanr(both[first], both[second]).statistic
        row = found.loc[(first[1], first[0], second[1], second[0])]
        assert row["medians"] == pytest.approx(want) and row["settings"] == len(both)


def test_known_answers():
    """By hand: a seed ranks three settings 1 2 3 on d0, and 3 2 1 on d1."""
    order = np.array([0.1, 0.2, 0.3]).reshape(1, 1, 3, 1)
    scores = np.concatenate([order, order[:, :, ::-1] ** 3]) + np.zeros((2, 1, 3, 4))
    row = carry_over(planted.frame_of({"mig": scores})).iloc[0]
    assert row["kind"] == "datasets" and row["medians"] == pytest.approx(-1)
    assert row["value"] == pytest.approx(-1) and row[["low", "high"]].isna().all()
    assert row["why"] == "every seed says the same"


def test_two_seeds_correlate_by_hand():
    """Three seeds; C_ab is the mean over pairs of different seeds of products of centred ranks."""
    rng = np.random.default_rng(3)
    order = np.arange(8.0).reshape(1, 1, 8, 1)
    scores = order + rng.standard_normal((2, 1, 8, 3))
    row = carry_over(planted.frame_of({"mig": scores})).iloc[0]
    ranks = rankdata(scores[:, 0], axis=1) / 8
    ranks -= ranks.mean(axis=1, keepdims=True)

    def covariance(a, b):
        pairs = [(s, t) for s in range(3) for t in range(3) if s != t]
        return np.mean([ranks[a, :, s] @ ranks[b, :, t] for s, t in pairs])

    want = covariance(0, 1) / np.sqrt(covariance(0, 0) * covariance(1, 1))
    assert row["value"] == pytest.approx(min(want, 1))


def test_luck_alone_says_so():
    rng = np.random.default_rng(4)
    columns = {s: planted.effects(rng, (3, 6, 6, 10), seed=1) for s in SCORES}
    found = carry_over(planted.frame_of(columns), SCORES)
    assert (found["why"] == "luck hides what the settings differ by").mean() > 0.8


POOR = {
    "empty": lambda runs: runs[:0],
    "one seed": lambda runs: runs[runs["seed"] == 0],
    "two seeds": lambda runs: runs[runs["seed"] < 2],
    "one dataset": lambda runs: runs[runs["dataset"] == "d0"],
    "two settings": lambda runs: runs[(runs["model"] == "beta_vae") & (runs["strength"] < 3)],
    "one run": lambda runs: runs[:1],
    "constant": lambda runs: runs.assign(mig=0.25, sap=0.5),
    "one constant": lambda runs: runs.assign(mig=0.25),
    "all diverged": lambda runs: runs.assign(mig=np.nan, sap=np.nan, status="diverged"),
    "a score that one dataset lacks": lambda runs: runs.assign(
        sap=runs["sap"].where(runs["dataset"] == "d1")
    ),
    "nothing in common": lambda runs: runs[(runs["dataset"] == "d0") == (runs["strength"] == 1)],
    "half": lambda runs: runs[np.arange(len(runs)) % 7 < 3],
}


@pytest.mark.parametrize("what", POOR)
def test_poor_frames_say_why(what):
    rng = np.random.default_rng(5)
    runs = POOR[what](planted.frame_of(runs_of(rng, study(rng), 4)))
    found = carry_over(runs, SCORES)
    assert not np.isinf(found[["medians", "value", "low", "high"]].to_numpy(float)).any()
    assert (found["why"] != "").equals(found[["value", "low", "high"]].isna().any(axis=1))
    shown = section(Study(labelled(runs), labelled(runs), pd.DataFrame(), pd.DataFrame(), SCORES))
    assert bool(shown.why) != bool(shown.findings)
    assert not any("nan" in text for text in shown.findings)
    for table in shown.tables:
        assert not table.data.isna().any(axis=None) and not (table.data == "nan").any(axis=None)


def test_whys():
    rng = np.random.default_rng(6)
    runs = planted.frame_of(runs_of(rng, study(rng), 4))

    def why(what):
        return set(carry_over(POOR[what](runs), SCORES)["why"])

    assert why("one seed") == {"fewer than three seeds"} == why("two seeds")
    assert why("two settings") == {"fewer than 3 settings of both"}
    assert why("constant") == {"one of the two never varies"}
    with pytest.raises(BadInput, match="seed"):
        carry_over(runs.drop(columns="seed"))


def test_the_section():
    rng = np.random.default_rng(7)
    runs = labelled(planted.frame_of(runs_of(rng, study(rng))))
    shown = section(Study(runs, runs, pd.DataFrame(), pd.DataFrame(), SCORES))
    value = carry_over(runs, SCORES)["value"].iloc[0]
    said = f"d0 and d1 agree on which settings are good, with a rank correlation of **{value:.2f} ["
    assert said in shown.findings[0]  # of two datasets, none agree most
    tags = [(p.dataset, p.metric) for p in shown.pictures]
    assert tags == [("", "mig"), ("", "sap"), ("d0", ""), ("d1", "")]
    assert section(Study(runs, runs, runs, runs, [])).why == "no run has a score"
    one = runs[runs["dataset"] == "d0"]
    assert section(Study(one, one, one, one, ["mig"])).why == "one dataset and one score"


def test_reasons_are_counted_each_by_itself():
    """Of three scores one never varies, and of one luck hides what the settings differ by."""
    rng = np.random.default_rng(8)
    columns = runs_of(rng, study(rng)) | {"modularity": np.full((*SHAPE, 10), 0.5)}
    columns["explicitness"] = planted.effects(rng, (*SHAPE, 10))
    runs = labelled(planted.frame_of(columns))
    runs = runs[runs["dataset"] == "d0"]
    nothing = pd.DataFrame()
    shown = section(Study(runs, runs, nothing, nothing, list(columns)))
    assert "MIG and SAP agree on which settings are good, with" in shown.findings[0]
    said = "nothing can be said of 5 more: one of the two never varies (3) and luck hides what the "
    assert said + "settings differ by (2)." in shown.findings[0]
    assert shown.pictures[0].caption.endswith("Empty where nothing can be said.")
    assert "one of the two never varies" in set(shown.tables[0].data["of very many seeds"])
    few = runs[runs["seed"] < 2]
    why = section(Study(few, few, nothing, nothing, SCORES)).why
    assert why == "Not enough runs to say: fewer than three seeds"


def test_most_and_least_are_of_several():
    rng = np.random.default_rng(9)
    expected = study(rng) | {"modularity": planted.effects(rng, (*SHAPE, 1), luck=0.6)}
    runs = labelled(planted.frame_of(runs_of(rng, expected)))
    shown = section(Study(runs, runs, runs, runs, list(expected)))
    assert "MIG and SAP agree most on which settings are good" in shown.findings[1]
    assert " least, **" in shown.findings[1] and "chosen by the same numbers" in shown.about
