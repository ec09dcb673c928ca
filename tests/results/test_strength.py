import numpy as np
import pandas as pd
import planted
import pytest
from scipy import stats

from soberlook.registry import BadInput
from soberlook.results.strength import COLUMNS, directions, seed_spread, trends

SHAPE = (1, 6, 6, 10)
SEED, LUCK = 0.3, 0.4


def covered(rng):
    """Ten seeds of six methods, some of which rise with their strength."""
    slopes = rng.uniform(-0.3, 0.3, (1, 6, 1, 1))
    places = np.arange(6)[:, None] * slopes + planted.effects(rng, (*SHAPE[:3], 1), luck=0.5)
    noise = planted.effects(rng, SHAPE, seed=SEED, luck=LUCK)
    runs = planted.frame_of({"mig": places + noise})
    spread = np.hypot(SEED, LUCK)
    many = places[0] + spread * stats.norm.ppf(np.linspace(0, 1, 1_002)[1:-1])
    strength = np.repeat(np.arange(6), many.shape[-1])
    truth = [stats.spearmanr(strength, method.ravel())[0] for method in many]
    reach = places[0, ..., 0].max(axis=1) - places[0, ..., 0].min(axis=1)
    return {
        "trend": _inside(trends(runs), truth),
        "spread of seeds": _inside(seed_spread(runs), spread / reach),
    }


def _inside(found, truth):
    return float(((found["low"] <= truth) & (truth <= found["high"])).mean())


def test_intervals_cover_what_was_planted():
    shares = pd.DataFrame([covered(np.random.default_rng([i, 1])) for i in range(40)]).mean()
    assert (shares >= 0.9).all(), shares


def test_a_trend_is_spearmans():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 9, (2, 2, 4, 6)).astype(float)
    scores[0, 0, 1, 2:] = np.nan
    runs = planted.frame_of({"mig": scores, "sap": rng.random(scores.shape)})
    found = trends(runs).set_index(["dataset", "model", "metric"])["value"]
    for key, own in runs.groupby(["dataset", "model"]):
        for score in ("mig", "sap"):
            both = own.dropna(subset=score)
            expected = stats.spearmanr(both["strength"], both[score])[0]
            assert found[(*key, score)] == pytest.approx(expected)


def test_only_the_order_of_strengths_counts():
    runs = planted.frame_of({"mig": np.random.default_rng(1).random((1, 2, 4, 5))})
    longer = runs.assign(strength=runs["strength"] ** 5)
    turned = runs.assign(strength=-runs["strength"])
    assert trends(runs)["value"].tolist() == trends(longer)["value"].tolist()
    np.testing.assert_allclose(trends(runs)["value"], -trends(turned)["value"])


def test_the_spread_of_seeds_by_hand():
    scores = np.array([[1.0, 3.0], [5.0, 5.0], [11.0, 13.0]])[None, None]
    row = seed_spread(planted.frame_of({"mig": scores})).iloc[0]
    assert row["value"] == pytest.approx(np.sqrt((2 + 0 + 2) / 3) / 10)
    assert (row["runs"], row["seeds"], row["strength_name"]) == (6, 2, "beta")


def test_which_way_a_trend_goes():
    """Seeds that say the same have no interval; six of them are clear, five are not."""
    rng = np.random.default_rng(4)
    rises = np.arange(4.0)[:, None] + 0.5 * rng.random((4, 6))  # no run is out of order
    models = np.stack([rises, -rises, rng.random((4, 6)), np.full((4, 6), np.nan)])
    runs = planted.frame_of({"mig": models[None]})
    found = trends(runs)
    same = "every seed says the same"
    assert found["why"].tolist() == [same, same, "", "no run has it"]
    assert found["value"].abs().max() < 1 and found["low"].notna().tolist() == [0, 0, 1, 0]
    np.testing.assert_array_equal(directions(found), [1, -1, 0, np.nan])
    few = trends(runs[runs["seed"] < 5])
    np.testing.assert_array_equal(directions(few), [np.nan, np.nan, 0, np.nan])
    noisy = planted.frame_of({"mig": models[None] + rng.random((1, 4, 4, 6))})
    assert directions(trends(noisy)).tolist()[:2] == [1, -1]


def test_luck_alone_has_no_trend():
    runs = planted.frame_of({"mig": np.random.default_rng(2).random((1, 1, 6, 60))})
    row = trends(runs).iloc[0]
    assert row["low"] < 0 < row["high"] and row["high"] - row["low"] < 0.3
    assert seed_spread(runs)["value"].item() > 1


def test_where_nothing_can_be_said_it_says_why():
    runs = planted.frame_of({"mig": np.random.default_rng(3).random((1, 2, 2, 4))})
    runs = runs.assign(sap=0.3, modularity=np.nan)

    def whys(runs, score="mig"):
        return [{*question(runs, [score])["why"]} for question in (trends, seed_spread)]

    assert whys(runs) == [{""}] * 2
    assert whys(runs, "sap") == [{"the score never varies"}] * 2
    alike = runs.assign(sap=(runs["strength"] - 1) ** 2 % 4)
    assert whys(alike, "sap") == [{"every seed says the same"}] * 2
    assert trends(alike, ["sap"])["low"].isna().all()
    two = runs[runs["seed"] < 2]
    assert whys(two)[1] == {"too few seeds for an interval"}
    assert whys(runs, "modularity") == [{"no run has it"}] * 2
    assert whys(runs[runs["seed"] == 0]) == [{"one seed"}] * 2
    assert whys(runs[runs["strength"] == 1]) == [{"one strength"}] * 2
    nameless = runs.assign(strength=np.nan, strength_name=None)
    assert whys(nameless[nameless["setting"].str.endswith("-0")]) == [{"one strength"}] * 2
    for question in (trends, seed_spread):
        assert question(runs[:0], ["mig"]).columns.tolist() == COLUMNS
        assert question(runs[:0]).empty and question(runs.drop(columns=["mig", "sap"])).empty
        with pytest.raises(BadInput, match="column 'nonsense'"):
            question(runs, ["nonsense"])
