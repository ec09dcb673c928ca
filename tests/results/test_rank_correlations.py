import numpy as np
import pandas as pd
import planted
import pytest
from scipy import stats

from soberlook.registry import BadInput
from soberlook.results.rank_correlations import COLUMNS, _within, rank_correlations

SHARED = 0.6  # of the variance of luck, between two scores


def study(rng, seeds, settings, *, seed=0.5, luck=1.0):
    """Scores a, b [1, models, strengths, seeds] around the places `settings` [2, …], whose seeds
    and whose luck correlate by SHARED."""
    shape = (1, *settings.shape[1:], seeds)
    common = planted.effects(rng, shape, seed=seed, luck=luck)
    own = [planted.effects(rng, shape, seed=seed, luck=luck) for _ in range(2)]
    mixed = [np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * each for each in own]
    return {name: settings[i][None, ..., None] + mixed[i] for i, name in enumerate("ab")}


def covered(rng):
    """Ten seeds of 36 settings whose two scores agree among all runs the other way than within."""
    places = rng.standard_normal((6, 6))
    settings = np.stack([places, -places + rng.standard_normal((6, 6))])
    many = study(rng, 4_000, settings)
    truth = {
        "pooled": stats.spearmanr(many["a"].ravel(), many["b"].ravel())[0],
        "within": 6 / np.pi * np.arcsin(SHARED / 2),  # of two normal scores (Pearson, 1907)
    }
    found = rank_correlations(planted.frame_of(study(rng, 10, settings)), ["a"], ["b"])
    found = found.set_index("kind")
    return {k: float(found.low[k] <= truth[k] <= found.high[k]) for k in truth}


def value(found, kind, first="a", second="b"):
    rows = found[(found["kind"] == kind) & (found["first"] == first) & (found["second"] == second)]
    return rows.iloc[0]


def test_intervals_cover_what_was_planted():
    shares = pd.DataFrame([covered(np.random.default_rng([i, 1])) for i in range(50)]).mean()
    assert (shares >= 0.9).all(), shares


def test_within_is_not_biased_however_few_seeds():
    rng = np.random.default_rng(0)
    runs = planted.frame_of(study(rng, 4, np.zeros((2, 60, 60)), seed=0))
    low, truth, high = 0.56, 6 / np.pi * np.arcsin(SHARED / 2), 0.6
    assert low < truth < high and low < value(rank_correlations(runs, "ab"), "within").value < high


def test_it_is_spearmans_and_hoeffdings():
    rng = np.random.default_rng(1)
    runs = planted.frame_of({"a": rng.random((2, 1, 1, 12)), "b": rng.random((2, 1, 1, 12))})
    found = rank_correlations(runs, ["a"], ["b"])
    for dataset, own in runs.groupby("dataset"):
        rho, tau = (f(own["a"], own["b"])[0] for f in (stats.spearmanr, stats.kendalltau))
        of = found[found["dataset"] == dataset]
        assert value(of, "pooled").value == pytest.approx(rho)
        assert value(of, "within").value == pytest.approx((13 * rho - 3 * tau) / 10)


def test_ties_and_missing_runs():
    rng = np.random.default_rng(2)
    a, b, c = rng.integers(0, 5, (3, 1, 2, 3, 8)).astype(float)
    b[0, 0, 1, :3] = c[0, :, :, 5] = np.nan
    runs = planted.frame_of({"a": a, "b": b, "c": c})
    found = rank_correlations(runs, ["a", "b", "c"])
    assert len(found) == 18 and (found["value"].abs() <= 1).all()
    for first, second in ("ab", "ac", "bc"):
        row = value(found, "pooled", first, second)
        both = runs.dropna(subset=[first, second])
        assert row.value == pytest.approx(stats.spearmanr(both[first], both[second])[0])
        assert row.runs == len(both)
        assert row.value == pytest.approx(value(found, "pooled", second, first).value)
        alone = rank_correlations(runs, [first], [second])
        within = value(alone, "within", first, second).value
        assert value(found, "within", first, second).value == pytest.approx(within)
    assert value(found, "pooled", "a", "c").seeds == 7  # one seed lacks c everywhere
    own = found[found["first"] == found["second"]]
    assert own["value"].to_numpy() == pytest.approx(1)


def test_a_correlation_without_exception_has_no_interval():
    """Three seeds that agree do not say that all would."""
    rng = np.random.default_rng(5)
    mig = rng.random((1, 2, 3, 4))
    found = rank_correlations(planted.frame_of({"a": mig, "b": mig**3}), ["a"], ["b"])
    assert found["value"].to_numpy() == pytest.approx(1) and found["low"].isna().all()
    assert {*found["why"]} == {"every seed says the same"}


def test_simpsons_paradox():
    steps, seeds = np.arange(6.0)[:, None] * 10, np.arange(8.0)
    runs = planted.frame_of({"a": (steps + seeds)[None, None], "b": (steps - seeds)[None, None]})
    found = rank_correlations(runs, ["a"], ["b"])
    assert value(found, "pooled").value > 0.8 and value(found, "within").value == -1


def test_scores_of_nothing_but_luck_do_not_agree():
    rng = np.random.default_rng(3)
    shape = (1, 6, 6, 20)
    runs = planted.frame_of({n: planted.effects(rng, shape, setting=1) for n in "ab"})
    row = value(rank_correlations(runs, ["a"], ["b"]), "within")
    assert row.low < 0 < row.high and row.high - row.low < 0.3


def test_where_nothing_can_be_said_it_says_why():
    rng = np.random.default_rng(4)
    shape = (1, 2, 3, 4)
    runs = planted.frame_of({"a": rng.random(shape), "b": rng.random(shape), "c": np.ones(shape)})
    runs["d"] = np.nan
    one = rank_correlations(runs[runs["seed"] == 0], ["a"], ["b"])
    assert one["why"].tolist() == ["one seed", "fewer than 3 seeds"] and one["low"].isna().all()
    assert one["value"].notna().tolist() == [True, False]
    assert {*rank_correlations(runs, ["a"], ["c"])["why"]} == {"one of the two never varies"}
    assert {*rank_correlations(runs, ["d"], ["a"])["why"]} == {"no run has both"}
    assert {*rank_correlations(runs.assign(a=np.nan), ["a"])["why"]} == {"no run has both"}
    three = rank_correlations(runs[runs["seed"] < 3], ["a"], ["b"])
    assert three["why"].tolist() == ["", "too few seeds for an interval"]
    empty = rank_correlations(runs[:0], ["a"], ["b"])
    assert rank_correlations(runs, []).empty
    assert empty.empty and empty.columns.tolist() == COLUMNS
    with pytest.raises(BadInput, match="column 'nonsense'"):
        rank_correlations(runs, ["nonsense"])


def test_what_is_known_without_a_seed_is_what_is_known_of_the_others():
    """The algebra that leaves out a seed, against leaving it out; with ties and a missing run."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 5, 6)) + rng.normal(size=(1, 5, 6))
    values[:, :, 1] = values[:, :, 1].round()
    values[:, 2, 3] = np.nan
    found = _within(values)
    for seed in range(6):
        expected = _within(np.delete(values, seed, axis=-1))[0]
        np.testing.assert_allclose(found[1 + seed], expected, rtol=1e-12)
