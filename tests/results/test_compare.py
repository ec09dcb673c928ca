"""Two studies side by side: what is found, and what is not claimed."""

import numpy as np
import pandas as pd
import pytest
from planted import effects, frame_of
from scipy import stats

from soberlook.registry import BadInput
from soberlook.results.compare import compare, differences, match, provenance, same_runs

SHAPE = (2, 2, 3, 10)  # datasets, models, strengths, seeds


def study(rng, *, shift=0.0, shape=SHAPE, shared=None, **sizes):
    scores = effects(rng, shape, **sizes) + shift
    return frame_of({"mig": scores if shared is None else scores + shared})


def rng(i=0):
    return np.random.default_rng(i)


def test_a_study_is_the_same_as_itself():
    runs = study(rng())
    found = compare(runs, runs.copy())
    assert (found.settings["where"] == "both").all() and len(found.settings) == 12
    assert found.same_runs.to_dict("records") == [
        {"metric": "mig", "runs": 120, "changed": 0, "largest": 0.0, "one_only": 0},
        {"metric": "any", "runs": 120, "changed": 0, "largest": 0.0, "one_only": 0},
    ]
    exact = found.differences[["value", "low", "high", "p"]].drop_duplicates()
    assert exact.to_numpy().tolist() == [[0, 0, 0, 1]]
    assert (found.differences["verdict"] == "same").all() and found.provenance.empty
    assert found.findings[-1].startswith("Nothing changed beyond luck: all 4 differences lie")


def test_differences_of_one_setting_are_students_and_welchs():
    a, b = (study(rng(i), shape=(1, 1, 1, 8)) for i in (0, 1))
    b["seed"] += 100  # seeds of its own
    b = b[:6]
    (row,) = compare(a, b).differences.to_dict("records")
    test = stats.ttest_ind(b["mig"], a["mig"], equal_var=False)
    low, high = test.confidence_interval(0.95)
    expected = [b["mig"].mean() - a["mig"].mean(), low, high, test.pvalue]
    np.testing.assert_allclose([row[k] for k in ("value", "low", "high", "p")], expected)
    assert not row["paired"] and (row["seeds_a"], row["seeds_b"]) == (8, 6)

    shared = rng(2).standard_normal((1, 1, 1, 8))
    a, b = (study(rng(i), shape=(1, 1, 1, 8), shared=shared, luck=0.2) for i in (3, 4))
    (row,) = compare(a, b).differences.to_dict("records")
    test = stats.ttest_rel(b["mig"], a["mig"])
    np.testing.assert_allclose(row["p"], test.pvalue)
    np.testing.assert_allclose([row["low"], row["high"]], test.confidence_interval(0.95))
    assert row["paired"]
    opposed = b.assign(mig=-b["mig"])
    (row,) = compare(a, opposed).differences.to_dict("records")
    np.testing.assert_allclose(
        row["p"], stats.ttest_ind(opposed["mig"], a["mig"], equal_var=False)[1]
    )
    assert not row["paired"]


def test_seeds_that_both_have_count_once():
    """B is A with ten more seeds: the variance is that of the seeds which are not in both."""
    b = study(rng(), shape=(1, 1, 1, 20))
    a = b[b["seed"] < 10]
    (row,) = compare(a, b).differences.to_dict("records")
    spread = b["mig"].std() * np.sqrt(1 / 10 - 1 / 20)
    assert row["paired"] and abs(row["high"] - row["value"]) == pytest.approx(
        stats.t.ppf(0.975, 9) * spread, rel=0.25
    )


def test_a_planted_difference_is_found_and_named():
    a = study(rng(0), shape=(2, 2, 3, 20))
    b = study(rng(1), shape=(2, 2, 3, 20))
    at = (b["dataset"] == "d1") & (b["model"] == "beta_tcvae")
    b.loc[at, "mig"] += 1.0
    found = compare(a, b)
    changed = found.differences[found.differences["verdict"] == "changed"]
    assert changed[["dataset", "model"]].to_numpy().tolist() == [["d1", "beta_tcvae"]]
    assert changed["low"].item() < 1 < changed["high"].item()
    assert (
        "1 of 4 differences" in found.findings[-1] and "mig of d1 beta_tcvae" in found.findings[-1]
    )
    by_setting = compare(a, b, by="setting").differences
    assert len(by_setting) == 12 and {"label", "settings"} <= {*by_setting}


def test_few_seeds_cannot_tell():
    found = compare(study(rng(0), shape=(2, 2, 1, 4)), study(rng(1), shape=(2, 2, 1, 4)))
    assert found.findings[-1].startswith("Cannot tell: none of 4 differences is beyond luck, but ")
    found = compare(study(rng(0), shape=(1, 1, 1, 1)), study(rng(1), shape=(1, 1, 1, 1)))
    (row,) = found.differences.to_dict("records")
    assert row["why"] == "one seed" and row["verdict"] == "cannot tell" and np.isnan(row["low"])


def test_settings_are_matched_by_id_and_then_by_name():
    a = study(rng(), shape=(1, 2, 3, 2)).assign(learning_rate=0.001)
    b = a.copy()
    b = b[b["strength"] != 3.0]
    raised = b["model"] == "beta_tcvae"
    b.loc[raised, "setting"] = "new-" + b["setting"]
    b.loc[raised & (b["strength"] == 1), "learning_rate"] = 0.01
    extra = b[b["strength"] == 1].assign(strength=9.0, setting=lambda f: f["setting"] + "-9")
    b = pd.concat([b, extra])  # with an index that repeats
    found = match(a, b, says=["learning_rate"])
    assert found["where"].value_counts().to_dict() == {
        "both": 2,
        "both, other id": 2,
        "A": 2,
        "B": 2,
    }
    changes = found[found["where"] == "both, other id"]["changes"].tolist()
    assert changes == ["learning_rate 0.001 → 0.01", "a version"]
    assert found[found["where"] == "B"]["label"].unique().tolist() == ["β = 9"]
    assert len(compare(a, b, by="setting").differences) == 4


def test_runs_with_equal_ids_show_that_the_code_changed():
    a = study(rng())
    b = a.copy()
    b.loc[[3, 5], "mig"] += [0.25, -0.5]
    b.loc[7, "mig"] = np.nan
    row, whole = same_runs(a, b, ["mig"]).to_dict("records")
    assert row == {"metric": "mig", "runs": 120, "changed": 2, "largest": 0.5, "one_only": 1}
    assert (whole["metric"], whole["changed"], whole["one_only"]) == ("any", 2, 1)
    said = compare(a, b).findings[1]
    assert "120 runs are in both, and 2 of them have other scores, mig by up to 0.5: the" in said
    assert said.endswith("not the same. 1 have a score in one only.")
    b.loc[[3, 5], "mig"] = a.loc[[3, 5], "mig"]
    said = compare(a, b).findings[1]
    assert said.endswith("where both have scores they are the same. 1 have a score in one only.")
    b["jax"] = ["2", "1"] * 60
    assert provenance(a, b).to_dict("records") == [{"what": "jax", "a": "1", "b": "1, 2"}]


def test_runs_that_diverged_count_as_the_floor():
    a = study(rng(0), shape=(1, 1, 1, 10), shift=5)
    b = a.copy()
    b.loc[b["seed"] < 5, ["mig", "status"]] = [np.nan, "diverged"]
    found = compare(a, b)
    (row,) = found.differences.to_dict("records")
    assert row["mean_b"] == pytest.approx(b["mig"].fillna(0).mean()) and row["seeds_b"] == 10
    assert "Runs that failed or diverged: 0 in A, 5 in B." in found.findings[0]


def test_floors_are_what_random_codes_score_in_both():
    a = study(rng(0), shape=(1, 1, 1, 10), shift=5)
    b = a.copy()
    b.loc[b["seed"] < 5, ["mig", "status"]] = [np.nan, "diverged"]
    bounds = pd.DataFrame({"dataset": ["d0"], "codes": ["random"], "metric": ["mig"], "value": [2]})
    (row,) = compare(a, b, bounds=bounds).differences.to_dict("records")
    assert row["mean_b"] == pytest.approx(b["mig"].fillna(2).mean())


def test_a_score_that_one_side_was_never_given_is_no_difference():
    a = study(rng(0)).assign(sap=lambda runs: runs["mig"] + 1)
    b = a.assign(sap=a["sap"].where(a["dataset"] == "d0"))
    found = compare(a, b)
    lacking = found.differences[found.differences["value"].isna()]
    assert lacking[["dataset", "metric"]].drop_duplicates().to_numpy().tolist() == [["d1", "sap"]]
    assert set(lacking["why"]) == {"no setting has a number in both"}
    assert lacking["seeds_a"].isna().all() and str(found.differences["seeds_a"].dtype) == "Int64"
    assert found.findings[-1].startswith("Nothing changed beyond luck: all 6 differences lie")
    assert found.findings[-1].endswith("Of 2 nothing can be said: no setting has a number in both.")
    few = b["seed"] < 4  # of 20 runs a method, on both datasets
    some = compare(a, a.assign(sap=a["sap"].where(few))).differences
    assert (some["verdict"] != "changed").all()


def test_two_seeds_are_no_pairs():
    shared = rng(2).standard_normal((1, 1, 1, 2))
    a, b = (study(rng(i), shape=(1, 1, 1, 2), shared=shared, luck=0.1) for i in (3, 4))
    assert not compare(a, b).differences["paired"].any()
    same = compare(a, a).differences
    assert same["paired"].all() and (same["high"] == 0).all()


def test_poor_frames_say_why():
    a, nothing = study(rng()), study(rng())[:0]
    for one, other in ((a, nothing), (nothing, a), (nothing, nothing)):
        found = compare(one, other)
        assert found.differences.empty and found.findings[-1].startswith("Cannot tell whether")
    lost = a.assign(mig=np.nan, status="failed")
    found = compare(a, lost, ["mig"])
    assert set(found.differences["why"]) == {"no setting has a number in both"}
    constant = compare(a.assign(mig=0.0), a.assign(mig=1.0)).differences
    assert set(constant["why"]) == {"every seed says the same"} and constant["low"].isna().all()
    assert "More seeds" not in compare(a.assign(mig=0.0), a.assign(mig=1.0)).findings[-1]
    apart = a.assign(setting="x" + a["setting"], dataset="other")
    assert compare(a, apart).findings[-1].startswith("Cannot tell whether")
    assert compare(a.drop(columns="mig"), a.drop(columns="mig")).differences.empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": ["mgi"]}, "unknown column 'mgi': did you mean 'mig'?"),
        ({"by": "settings"}, "unknown grouping 'settings': did you mean 'setting'?"),
        ({"margin": 0}, "the margin must be more than 0 standard deviations, found 0"),
    ],
)
def test_bad_input_is_one_line(arguments, message):
    with pytest.raises(BadInput) as raised:
        compare(study(rng()), study(rng()), **arguments)
    assert message in str(raised.value)


def test_the_command_line(soberlook, small_store):
    code, shown, _ = soberlook("compare", small_store, small_store, "--metric", "mig,kl")
    assert code == 0 and "4 settings are in both, 0 only in A, 0 only in B." in shown
    assert "8 runs are in both, and have the same scores to the last digit." in shown
    assert "Nothing changed beyond luck: all 2 differences" in shown
    code, shown, _ = soberlook(
        "compare", small_store, small_store, "--where", "beta == 4", "--json"
    )
    assert code == 0 and '"where": "both"' in shown and '"findings"' in shown
    assert '"metric": "any"' in shown
    code, _, said = soberlook("compare", small_store, small_store, "--margin", "wide")
    assert code == 2 and "--margin must be a number, found 'wide'" in said


def covered(rng, off=0.0):
    """Whether the intervals of differences hold the planted one: paired, Welch, half of the seeds
    shared. `off` is added to the planted difference: then they should not."""
    shape, shares = (1, 6, 4, 10), {}
    shared = effects(rng, (1, 6, 4, 15), seed=1.0, luck=0)
    cases = {"paired": (0, 0, 1.0), "Welch": (0, 0, 0.0), "half shared": (0, 5, 1.0)}
    for name, (first, second, weight) in cases.items():
        frames = []
        for start, shift in ((first, 0.0), (second, 0.3)):
            own = weight * shared[..., start : start + 10]
            if not weight:
                own = effects(rng, shape, seed=1.0, luck=0)
            runs = study(rng, shape=shape, shared=own, shift=shift)
            runs["seed"] += start
            frames.append(runs)
        found = compare(*frames).differences
        shares[name] = found["low"].le(0.3 + off).mul(found["high"].ge(0.3 + off)).mean()
    return shares


def test_intervals_cover():
    shares = pd.DataFrame([covered(np.random.default_rng([i, 41])) for i in range(40)])
    assert (shares.mean() > 0.9).all(), shares.mean()
    wrong = pd.DataFrame([covered(np.random.default_rng([i, 41]), off=1.5) for i in range(10)])
    assert (wrong.mean() < 0.3).all(), wrong.mean()


def test_luck_is_rarely_called_a_change():
    seen = []
    for i in range(60):
        a, b = (study(np.random.default_rng([i, k]), seed=0.5) for k in (0, 1))
        found = compare(a, b).findings[-1]
        seen.append("beyond luck, the largest" in found)
    assert np.mean(seen) < 0.15  # 5 % in the long run


def test_a_comparison_of_12600_runs_is_quick():
    import time

    scores = {name: effects(rng(), (7, 6, 6, 50)) for name in ("mig", "sap", "modularity")}
    a = frame_of(scores)
    started = time.perf_counter()
    settings = match(a, a)
    differences(a, a, settings, list(scores))
    assert time.perf_counter() - started < 10


def test_what_is_missing_is_left_empty_in_the_table():
    from soberlook.benchmark.cli_results import told

    a = study(rng(0)).assign(sap=lambda runs: runs["mig"] + 1)
    b = a.assign(sap=a["sap"].where(a["dataset"] == "d0"))
    table = told(compare(a, b).differences)
    lacking = table[table["why"] != ""]
    assert (lacking[["difference", "seeds"]] == "").all(axis=None) and len(lacking) == 2
    assert set(table.drop(lacking.index)["seeds"]) == {"10, 10"}


def test_names_do_not_move_the_cursor(soberlook, monkeypatch):
    from soberlook import results

    runs = study(rng(0)).assign(model="\x1b[31mred")
    runs["setting"] += runs.groupby("setting").ngroup().astype(str)
    raised = runs.assign(mig=study(rng(1))["mig"] + 9)
    monkeypatch.setattr(results, "load", lambda place, **_: raised if place == "b" else runs)
    monkeypatch.setattr(results, "bounds", lambda places: None)
    code, shown, _ = soberlook("compare", "a", "b")
    assert code == 0 and "\x1b" not in shown and "of d1 \ufffd[31mred: +" in shown
