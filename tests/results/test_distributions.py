import numpy as np
import pandas as pd
import planted
import pytest
from scipy import stats

from soberlook.registry import BadInput
from soberlook.results.distributions import FOUND, by_method, by_setting, overlap

SHAPE = (1, 3, 6, 10)
SEED, LUCK = 0.4, 1.0
SPREAD = np.hypot(SEED, LUCK)


def covered(rng):
    """Ten seeds of three methods, of which the first is better, with six settings each."""
    places = planted.effects(rng, (*SHAPE[:3], 1), setting=1, luck=0)
    places[:, 0] += 1.5
    scores = places + planted.effects(rng, SHAPE, seed=SEED, luck=LUCK)
    runs, places = planted.frame_of({"mig": scores}), places[0, :, :, 0]
    many = places[..., None] + SPREAD * stats.norm.ppf(np.linspace(0, 1, 2_001)[1:-1])
    methods, settings = by_method(runs, rng=rng), by_setting(runs)
    others = overlap(runs)
    best = planted.METHODS.index(others["model"].item())  # nearly always the first
    rivals = np.delete(places, best, axis=0).reshape(-1, 1)
    better = stats.norm.cdf((rivals - places[best]) / SPREAD / np.sqrt(2)).mean()
    return {
        "median of a method": _inside(methods, np.median(many.reshape(3, -1), axis=1)),
        "median of a setting": _inside(settings, places.reshape(-1)),
        "overlap": _inside(others, better),
    }


def _inside(found, truth):
    return float(((found["low"] <= truth) & (truth <= found["high"])).mean())


def test_intervals_cover_what_was_planted():
    shares = pd.DataFrame([covered(np.random.default_rng([i, 1])) for i in range(40)]).mean()
    assert (shares >= 0.9).all(), shares


def test_quantiles_are_of_the_runs():
    runs = planted.frame_of({"mig": np.arange(24.0).reshape(1, 2, 2, 6)})
    found = by_method(runs).set_index("model")
    first = found.loc[planted.METHODS[0]]
    assert (first["value"], first["mean"], first["lowest"], first["highest"]) == (5.5, 5.5, 0, 11)
    assert first["q25"] == 2.75 and first["q95"] == pytest.approx(10.45)
    assert (first["runs"], first["seeds"], first["why"]) == (12, 6, "")
    assert 0 <= first["low"] < 5.5 < first["high"] <= 11
    settings = by_setting(planted.frame_of({"mig": np.arange(20.0).reshape(1, 2, 2, 5)}))
    assert settings["value"].tolist() == [2, 7, 12, 17] and settings["seeds"].tolist() == [5] * 4
    assert settings["label"].tolist() == ["β = 1", "β = 2"] * 2
    assert set(settings["why"]) == {"too few seeds for an interval"}


def test_overlap_is_a_count_of_pairs():
    runs = planted.frame_of({"mig": np.array([[[[1.0, 2, 3]], [[3.0, 4, 5]]]])})
    row = overlap(runs).iloc[0]  # one pair of nine is equal, in none is the first method's better
    assert row["model"] == planted.METHODS[1] and row["value"] == pytest.approx(0.5 / 9)
    assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1 and row["runs"] == 6


def test_a_method_that_is_apart_in_three_seeds_need_not_be_in_others():
    scores = np.random.default_rng(4).random((1, 3, 4, 3))
    scores[:, 1] += 5
    row = overlap(planted.frame_of({"mig": scores})).iloc[0]
    most = stats.binomtest(0, 3).proportion_ci(method="exact").high
    assert (row["value"], row["low"], row["why"]) == (0, 0, "")
    assert row["high"] == pytest.approx(most) and most > 0.7


def test_a_method_of_one_seed_has_no_interval_beside_one_of_five():
    scores = np.random.default_rng(5).random((1, 2, 1, 6))
    scores[0, 0, 0, 1:] = scores[0, 1, 0, 0] = np.nan
    for apart in (0, 5):
        scores[0, 1] += apart
        row = overlap(planted.frame_of({"mig": scores})).iloc[0]
        assert np.isnan([row["low"], row["high"]]).all()
        assert row["why"] == "a method has one seed"


def test_of_methods_that_are_the_same_each_is_beaten_half_the_time():
    shape = (1, 4, 3, 40)
    runs = planted.frame_of({"mig": planted.effects(np.random.default_rng(0), shape, seed=1)})
    row = overlap(runs).iloc[0]
    assert row["low"] < 0.5 and row["value"] == pytest.approx(0.5, abs=0.06)
    assert row["high"] - row["low"] < 0.2
    found = by_method(runs)
    assert found["low"].max() < found["high"].min()


def test_methods_with_other_seeds_and_fewer_strengths():
    scores = np.random.default_rng(1).random((2, 3, 4, 12))
    scores[:, 1, :, :4] = scores[:, 2, 1:] = np.nan
    runs = planted.frame_of({"mig": scores, "sap": scores**2}).dropna(subset="mig")
    found = by_method(runs)
    assert found.groupby("model")["seeds"].first().tolist() == [12, 8, 12]
    assert found["low"].notna().all() and len(found) == 12
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()
    again = by_method(runs.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(found, again)
    assert len(by_setting(runs)) == 2 * 2 * 9


def test_where_nothing_can_be_said_it_says_why():
    rng, scores = np.random.default_rng(2), np.random.default_rng(2).random((1, 2, 2, 3))
    scores[0, 1] = np.nan
    runs = planted.frame_of({"mig": scores}).assign(sap=1.0)
    found = by_method(runs, ["mig"], rng=rng).set_index("model")
    few = "too few seeds for an interval"
    assert found["why"].to_dict() == {"annealed_vae": few, "beta_tcvae": "no run has it"}
    assert overlap(runs, ["mig"])["why"].tolist() == ["fewer than two methods"]
    same = overlap(runs, ["sap"]).iloc[0]
    assert (same["value"], same["why"]) == (0.5, "every seed says the same")
    assert np.isnan(same["low"])
    one = runs[(runs["seed"] == 0) & runs["mig"].notna()]
    assert {*by_method(one)["why"], *by_setting(one)["why"]} == {"one seed"}
    assert overlap(runs[runs["seed"] == 0], ["sap"])["why"].tolist() == ["one seed"]
    assert by_method(runs[:0], ["mig"]).columns.tolist() == ["dataset", "model", *FOUND]
    assert by_setting(runs[:0]).empty and overlap(runs[:0]).empty
    assert by_method(runs.drop(columns=["mig", "sap"])).empty
    with pytest.raises(BadInput, match="column 'nonsense'"):
        by_setting(runs, ["nonsense"])
    with pytest.raises(BadInput, match="column 'seed'"):
        by_method(runs.drop(columns="seed"))
