import numpy as np
import pandas as pd
import planted
import pytest

from soberlook.registry import BadInput
from soberlook.results.published import SCORES, comparable
from soberlook.results.report.markdown import headlines
from soberlook.results.report.section import Study
from soberlook.results.report.variance import section
from soberlook.results.summary import labelled
from soberlook.results.transfer import transfer
from soberlook.results.variance import COMPONENTS, variance_components, variance_explained

DRAWS = 3


def study(rng, shape=(2, 6, 6, 10), noise=0.5, **luck):
    """Fixed scores of settings [d, m, k, 1], runs with three draws each, and their rows."""
    expected = planted.effects(rng, (*shape[:3], 1), model=0.8, luck=0.6)
    scores = expected + planted.effects(rng, shape, **({"seed": 0.5} | luck))
    draws = scores + noise * rng.standard_normal((DRAWS, *shape))
    draws += rng.standard_normal((DRAWS, 1, 1, 1, 1))  # of no run more than of another
    runs = planted.frame_of({"mig": draws.mean(axis=0)})
    return expected[..., 0], runs, planted.rows_of(runs, {"mig": draws})


def shares_of(expected, seed=0.25, rest=1.0, evaluation=0.25 / DRAWS):
    """The components' true variances, of settings' true scores [m, k] and variances."""
    method = expected.mean(axis=1).var()
    return np.array([method, expected.var() - method, seed, rest, evaluation])


def covered(rng, off=0.0):
    """`off` is added to the planted values: with it, intervals should not contain them."""
    expected, runs, rows = study(rng)
    runs.loc[(runs["dataset"] == "d1") & (rng.random(len(runs)) < 0.1), "mig"] = np.nan
    rows = rows[rows["run_id"].isin(runs.loc[runs["mig"].notna(), "run_id"])]
    variances = np.array([shares_of(own) for own in expected])
    shares = off + variances / variances.sum(axis=1, keepdims=True)
    variances = off + variances
    found = variance_explained(runs, ["mig"])
    both = np.column_stack([shares[:, 0], shares[:, :2].sum(axis=1)])
    truth = np.concatenate([*both, both.mean(axis=0)])
    inside = found.assign(inside=(found["low"] <= truth) & (truth <= found["high"]))
    inside["kind"] = np.where(inside["dataset"] == "all", "average, ", "") + inside["of"]
    kinds = dict(inside.groupby("kind")["inside"].mean())
    found = variance_components(runs, rows, ["mig"])
    truth = np.stack([shares, variances], axis=1).reshape(-1)
    inside = found.assign(inside=(found["low"] <= truth) & (truth <= found["high"]))
    inside["kind"] = inside["scale"] + " of " + inside["component"]
    return kinds | dict(inside.groupby("kind")["inside"].mean())


def test_intervals_cover_what_was_planted():
    found = pd.DataFrame([covered(np.random.default_rng([i, 7])) for i in range(40)])
    assert (found.mean() >= 0.9).all(), found.mean()


def test_intervals_do_not_contain_what_is_far_off():
    found = pd.DataFrame([covered(np.random.default_rng([i, 7]), off=0.5) for i in range(10)])
    assert (found.mean() <= 0.6).all(), found.mean()


def by_hand(table, k):
    """Components [method, strength, seed, rest] by mean squares, of [settings, seeds]."""
    settings, seeds = table.shape
    grand, of_setting, of_seed = table.mean(), table.mean(axis=1), table.mean(axis=0)
    of_method = of_setting.reshape(-1, k).mean(axis=1)
    within = table - of_setting[:, None] - of_seed + grand
    ms_within = (within**2).sum() / ((settings - 1) * (seeds - 1))
    methods = len(of_method)
    ms_method = k * seeds * ((of_method - grand) ** 2).sum() / (methods - 1)
    around = of_setting - np.repeat(of_method, k)
    ms_strength = seeds * (around**2).sum() / (methods * (k - 1))
    ms_seed = settings * ((of_seed - grand) ** 2).sum() / (seeds - 1)
    method = (methods - 1) / methods * (ms_method - ms_within) / (k * seeds)
    strength = (k - 1) / k * (ms_strength - ms_within) / seeds
    return [method, strength, (ms_seed - ms_within) / settings, ms_within]


def test_components_are_those_of_mean_squares_where_nothing_is_missing():
    """But for how method and strength share what luck adds: mean squares take the settings of a
    method for as alike as any, which the covariances do not."""
    _, runs, _ = study(np.random.default_rng(0), (1, 4, 3, 8), seed=0.7)
    found = variance_components(runs, scores=["mig"]).query("scale == 'variance'")
    found = found.set_index("component")["value"]
    method, strength, seed, rest = by_hand(runs["mig"].to_numpy().reshape(12, 8), 3)
    assert found["method"] + found["strength"] == pytest.approx(method + strength)
    assert found["method"] == pytest.approx(method, rel=0.05)
    assert found["seed"] == pytest.approx(seed) and found["seed × setting"] == pytest.approx(rest)


def test_variances_are_unbiased_and_sum_to_the_total():
    """Over very many datasets with the same truth; a tenth of the runs is missing."""
    rng, expected = np.random.default_rng(8), np.array([[0, 2], [3, 1], [4, 7.0]])
    scores = expected[..., None] + planted.effects(rng, (200, 3, 2, 8), seed=0.8, luck=0.5)
    runs = planted.frame_of({"mig": scores})
    runs = runs[rng.random(len(runs)) < 0.9]
    found = variance_components(runs, scores=["mig"]).query("scale == 'variance'")
    mean = found.groupby("component")["value"].mean()
    truth = shares_of(expected, 0.64, 0.25, 0)
    np.testing.assert_allclose(mean[list(COMPONENTS[:4])], truth[:4], rtol=0.06)


def test_r_squared_is_that_of_least_squares():
    rng = np.random.default_rng(1)
    _, runs, _ = study(rng, (1, 3, 4, 5))
    runs = runs[rng.random(len(runs)) < 0.8]
    runs = runs[runs.groupby("setting")["seed"].transform("size") > 1]
    found = variance_explained(runs, ["mig"]).set_index("of")["r2"]
    y = runs["mig"].to_numpy()
    for of, column in (("method", "model"), ("method and strength", "setting")):
        dummies = pd.get_dummies(runs[column]).to_numpy(float)
        left = y - dummies @ np.linalg.lstsq(dummies, y, rcond=None)[0]
        assert found[of] == pytest.approx(1 - left @ left / ((y - y.mean()) ** 2).sum())


def test_a_known_answer():
    """Two methods of one setting at 0 and 2, each ±1 by seed: all but the seed is method."""
    scores = np.array([[-1, 0, 1], [1, 2, 3]], float).reshape(1, 2, 1, 3)
    runs = planted.frame_of({"mig": scores})
    found = variance_components(runs, scores=["mig"])
    value = found.query("scale == 'variance'").set_index("component")["value"]
    assert value["method"] == pytest.approx(1) and value["seed"] == pytest.approx(1)
    assert value["seed × setting"] == pytest.approx(0, abs=1e-12)
    share = found.query("scale == 'share'").set_index("component")
    assert share.loc["method", "value"] == pytest.approx(0.5)
    assert share.loc["strength", "why"] == "one strength"
    assert share.loc["evaluation", "why"] == "one draw of each run"
    explained = variance_explained(runs, ["mig"]).set_index("of")
    assert explained.loc["method", "value"] == pytest.approx(0.5)
    assert explained.loc["method", "r2"] == pytest.approx(6 / 10)
    assert explained.loc["method", "runs"] == 6 and explained.loc["method", "seeds"] == 3


def test_what_every_seed_says_has_no_interval():
    """No interval of width 0: settings differ, and runs of a setting do not."""
    scores = np.arange(6.0).reshape(1, 3, 2, 1) + np.zeros((1, 3, 2, 5))
    runs = planted.frame_of({"mig": scores})
    for found in (variance_explained(runs), variance_components(runs)):
        known = found[found["value"].notna()]
        assert known["low"].isna().all() and set(known["why"]) == {"every seed says the same"}
    assert variance_explained(runs)["value"].iloc[1] == pytest.approx(1)


def test_luck_alone_explains_nothing_although_r_squared_says_so():
    rng = np.random.default_rng(2)
    runs = planted.frame_of({"mig": planted.effects(rng, (7, 6, 6, 10), seed=0.5)})
    found = variance_explained(runs, ["mig"]).set_index(["dataset", "of"])
    row = found.loc[("all", "method and strength")]
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()
    assert row["low"] <= 0 <= row["high"] and abs(row["value"]) < 0.01
    assert row["r2"] == pytest.approx(0.1 * 0.8, abs=0.02)
    assert found.loc[("all", "method"), "r2"] > 0.005


def test_averages_are_over_the_cells_that_say_something():
    rng = np.random.default_rng(3)
    columns = {s: planted.effects(rng, (2, 3, 2, 5), model=1) for s in ("mig", "sap")}
    runs = planted.frame_of(columns)
    runs = runs[(runs["dataset"] == "d0") | (runs["model"] == "beta_vae")]
    found = variance_explained(runs).set_index(["dataset", "metric", "of"])
    assert found.loc[("d1", "mig", "method"), "why"] == "one method"
    of_both = found.loc[[("d0", "mig", "method"), ("d0", "sap", "method")], ["r2", "value"]]
    average = found.loc[("all", "all", "method"), ["r2", "value"]]
    np.testing.assert_allclose(of_both.mean().tolist(), average.tolist())
    of = "method and strength"
    cells = [found.loc[(d, s, of), "value"] for d in ("d0", "d1") for s in ("mig", "sap")]
    assert found.loc[("all", "all", of), "value"] == pytest.approx(np.mean(cells))


def test_evaluation_counts_the_last_step_and_no_given_score():
    _, runs, rows = study(np.random.default_rng(4), (1, 2, 2, 5))
    want = variance_components(runs, rows)
    early = rows.assign(step=1, value=rows["value"] * 9)
    other = rows.assign(run_id="of another study")
    pd.testing.assert_frame_equal(variance_components(runs, pd.concat([early, rows, other])), want)
    floored = variance_components(runs, rows[rows["run_id"] != runs["run_id"][0]])
    of = {"component": "evaluation", "scale": "variance"}
    value, less = (f.loc[(f[list(of)] == of).all(axis=1), "value"].item() for f in (want, floored))
    assert less == pytest.approx(value * 19 / 20, rel=0.2) and less < value * 1.1


POOR = {
    "empty": lambda runs: runs[:0],
    "one seed": lambda runs: runs[runs["seed"] == 0],
    "two seeds": lambda runs: runs[runs["seed"] < 2],
    "one method": lambda runs: runs[runs["model"] == "beta_vae"],
    "one setting": lambda runs: runs[runs["setting"] == "0-0-0"],
    "one run": lambda runs: runs[:1],
    "constant": lambda runs: runs.assign(mig=0.25),
    "all diverged": lambda runs: runs.assign(mig=np.nan, status="diverged"),
    "a score that one dataset lacks": lambda runs: runs.assign(
        mig=runs["mig"].where(runs["dataset"] == "d1")
    ),
    "seeds of no two settings the same": lambda runs: runs[
        runs["seed"] // 2 == runs["strength"].astype(int) - 1
    ],
}


@pytest.mark.parametrize("what", POOR)
def test_poor_frames_say_why(what):
    _, runs, rows = study(np.random.default_rng(5), (2, 3, 2, 4))
    runs = POOR[what](runs)
    for found in (variance_explained(runs, ["mig"]), variance_components(runs, rows, ["mig"])):
        numbers = found[["value", "low", "high"]]
        assert not np.isinf(numbers.to_numpy(float)).any()
        assert (found["why"] != "").equals(numbers.isna().any(axis=1))
    shown = section(Study(labelled(runs), labelled(runs), rows, pd.DataFrame(), ["mig"]))
    assert bool(shown.why) != bool(shown.findings)
    assert not any("nan" in text for text in shown.findings)
    for table in shown.tables:
        assert not table.data.isna().any(axis=None) and not (table.data == "nan").any(axis=None)


def test_whys():
    _, runs, _ = study(np.random.default_rng(6), (1, 3, 2, 4))

    def why(what):
        return set(variance_explained(POOR[what](runs), ["mig"])["why"])

    assert why("one seed") == {"no setting has two seeds"}
    assert why("two seeds") == {"2 seeds give no interval"}
    assert why("one method") == {"one method", ""}
    assert why("one setting") == {"one setting"}
    assert why("constant") == {"the score never varies"}


def test_columns_that_are_missing_are_named():
    _, runs, rows = study(np.random.default_rng(7), (1, 2, 2, 3))
    with pytest.raises(BadInput, match="seed"):
        variance_explained(runs.drop(columns="seed"))
    with pytest.raises(BadInput, match="sap"):
        variance_explained(runs, ["sap"])
    with pytest.raises(BadInput, match="run_id"):
        variance_components(runs.drop(columns="run_id"), rows)


def test_the_section():
    _, runs, rows = study(np.random.default_rng(8))
    shown = section(Study(labelled(runs), labelled(runs), rows, pd.DataFrame(), ["mig"]))
    assert shown.why == "" and len(shown.pictures) == 2 and len(shown.tables) == 2
    found = variance_explained(runs).set_index(["dataset", "of"])["value"]
    method, both = found[("d0", "method")], found[("d0", "method and strength")]
    assert f"the method explains **{100 * method:.0f} % [" in shown.findings[0]
    assert f"the rest, {100 - round(100 * both)} %, is luck." in shown.findings[0]
    assert [p.dataset for p in shown.pictures] == ["d0", "d1"]
    average = variance_explained(runs).set_index(["dataset", "of"]).loc["all", "r2"]
    assert "the paper's scores that are here (MIG), the method explains" in shown.findings[-1]
    assert f"**{100 * average['method']:.0f} %** and" in shown.findings[-1]
    assert section(Study(runs, runs, rows, pd.DataFrame(), [])).why == "no run has a score"


def test_averages_like_the_papers_are_over_its_scores():
    six = ["beta_vae_score", "dci_disentanglement", "factor_vae_score", "mig", "modularity", "sap"]
    more = [*six, "dci_disentanglement_1000", "explicitness"]
    assert comparable(more) == six == list(SCORES)
    assert comparable([s for s in more if s != six[1]])[:2] == [six[0], "dci_disentanglement_1000"]
    assert comparable(["explicitness", "sap", "mig"]) == ["mig", "sap"]
    assert comparable([]) == comparable(["explicitness"]) == []


def test_the_average_beside_the_papers_is_over_the_papers_scores():
    """Explicitness, which the method explains here, and a second size of DCI do not count."""
    rng = np.random.default_rng(9)
    names = ["mig", "dci_disentanglement", "dci_disentanglement_1000", "explicitness"]
    columns = {name: planted.effects(rng, (2, 3, 2, 6), setting=1) for name in names}
    columns["explicitness"] += planted.effects(rng, (2, 3, 1, 1), model=9, luck=0)
    runs = labelled(planted.frame_of(columns))
    nothing = pd.DataFrame(columns=["run_id", "step", "draw", "metric", "value"])
    shown = section(Study(runs, runs, nothing, nothing, names))
    found = variance_explained(runs, names[:2]).set_index(["dataset", "metric", "of"])["r2"]
    method = found["all", "all", "method"]
    assert "(DCI and MIG)" in shown.findings[-1]
    assert f"**{100 * method:.0f} %** and" in shown.findings[-1]
    said = headlines(variance_explained(runs, comparable(names)), transfer(runs, names[:2]))
    table = said.tables[0].data["here"]
    assert table.iloc[0] == f"{100 * method:.1f} %" and (table != "").all()
    assert "which are here DCI and MIG" in said.tables[0].caption
    one = runs[runs["seed"] == 0]
    few = headlines(variance_explained(one, ["mig"]), transfer(one, ["mig"])).tables[0].data
    assert few["here"].iloc[0] == "Not enough runs to say: no setting has two seeds"
    none = headlines(variance_explained(runs, []), transfer(runs, []))
    assert none.tables[0].caption == "None of the paper's scores is here."
