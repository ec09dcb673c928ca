import numpy as np
import pytest
from planted import METHODS, effects, frame_of
from scipy import stats
from test_best_of_sweep import planted

from soberlook.results.interquartile_mean import interquartile_mean, iqm_by_seed
from soberlook.results.interval import jackknife
from soberlook.results.league import league, possible_ranks

QUANTILES = stats.norm.ppf((np.arange(2_000) + 0.5) / 2_000)


def iqm_of(means, sd):
    """Of normal settings with these means [..., strengths], all of this standard deviation."""
    runs = means[..., None] + sd * QUANTILES
    return interquartile_mean(runs.reshape(*means.shape[:-1], -1))


def covered(rng: np.random.Generator, off: float = 0.0) -> dict[str, float]:
    """`off` is added to the planted values: with it, intervals should not contain them."""
    means = (
        rng.normal(0, 0.5, (4, 1, 4))
        + rng.normal(0, 0.5, (4, 5, 1))
        + rng.normal(0, 0.3, (4, 5, 4))
    )
    table = league(frame_of({"mig": planted(rng, means)})).sort_values(["dataset", "model"])
    truth = iqm_of(means, np.sqrt(1 + 0.5**2))
    ranks = off + (truth[:, None, :] > truth[:, :, None]).sum(axis=-1) + 1
    inside = (table["low"] <= truth.ravel() + off) & (truth.ravel() + off <= table["high"])
    held = (table["first"] <= ranks.ravel()) & (ranks.ravel() <= table["last"])
    return {
        "interquartile mean": inside.mean(),
        "all ranks of a dataset (at least)": held.groupby(table["dataset"]).all().mean(),
    }


def test_intervals_cover():
    found = [covered(np.random.default_rng([i, 73])) for i in range(40)]
    for kind in found[0]:
        share = np.mean([one[kind] for one in found])
        assert share >= 0.9, (kind, share)


def test_intervals_do_not_contain_what_is_far_off():
    found = [covered(np.random.default_rng([i, 73]), off=2.0) for i in range(10)]
    for kind in found[0]:
        assert np.mean([one[kind] for one in found]) <= 0.3, kind


def test_the_mean_of_the_middle_half():
    rng = np.random.default_rng(0)
    for n in (4, 8, 100):
        values = rng.normal(size=n)
        assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25))
    assert interquartile_mean(np.array([0, 1, 2, 30.0])) == 1.5
    # Of five: .75 of the second, all of the third, .75 of the fourth, by 2.5.
    assert interquartile_mean(np.array([9, 0, 1, 2, 30.0])) == pytest.approx(
        (0.75 + 2 + 0.75 * 9) / 2.5
    )
    assert interquartile_mean(np.array([np.nan, 3, np.nan])) == 3
    assert np.isnan(interquartile_mean(np.full((2, 3), np.nan))).all()


def test_numbers_per_seed_have_the_spread_of_the_jackknife():
    values = np.random.default_rng(0).normal(size=(3, 7))
    found = iqm_by_seed(values)
    known = jackknife(lambda x: interquartile_mean(x.reshape(-1)), values)
    assert found.mean() == pytest.approx(known.value)
    half = stats.t.ppf(0.975, 6) * stats.sem(found)
    assert (known.value - half, known.value + half) == pytest.approx(known[1:])
    values[:, 2] = np.nan
    assert np.isnan(iqm_by_seed(values)).tolist() == [s == 2 for s in range(7)]
    assert iqm_by_seed(values[:, :1]) == pytest.approx(
        [np.sort(values[:, 0]) @ [1 / 6, 2 / 3, 1 / 6]]
    )


def test_ranks_that_can_be_told_and_ranks_that_cannot():
    luck = effects(np.random.default_rng(0), (1, 4, 3, 20), seed=0.5, luck=0.3)
    luck += np.array([5, 0, 0.001, 9])[:, None, None]
    table = league(frame_of({"mig": luck}))
    assert table["model"].tolist()[:2] == [METHODS[3], METHODS[0]]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table[["first", "last"]].to_numpy().tolist() == [[1, 1], [2, 2], [3, 4], [3, 4]]
    assert (
        (table["lost"] == 0).all() and (table["runs"] == 60).all() and (table["seeds"] == 20).all()
    )
    first = luck[0, 3].ravel()
    assert table.iloc[0][["mean", "median"]].tolist() == pytest.approx(
        [first.mean(), np.median(first)]
    )


def test_equal_methods_hold_all_ranks_together():
    held = []
    for i in range(200):
        values = np.random.default_rng([i, 4]).normal(size=(6, 10))
        _, first, last = possible_ranks(values)
        held.append((first == 1).all() and (last == 6).all())
    assert np.mean(held) >= 0.92  # one family of tests, so 5 % at most are wrong anywhere


def test_lost_runs_and_missing_scores():
    values = effects(np.random.default_rng(0), (1, 3, 2, 6))
    values[0, 0, 0, :3] = np.nan
    values[0, 2] = np.nan
    table = league(frame_of({"mig": values})).set_index("model")
    assert table.loc[METHODS[0], "lost"] == 0.25 and table.loc[METHODS[0], "runs"] == 9
    gone = table.loc[METHODS[2]]
    assert gone["why"] == "too few runs" and np.isnan(gone["rank"]) and np.isnan(gone["median"])
    assert table.loc[METHODS[1], "last"] <= 2  # of the two that have scores


def test_what_cannot_be_said_is_why():
    one = league(frame_of({"mig": np.array([[[[1.0]], [[2.0]]]])}))
    assert (one["why"] == "one seed").all() and one["rank"].tolist() == [1, 2]
    assert one[["first", "last"]].to_numpy().tolist() == [[1, 2], [1, 2]]
    flat = league(frame_of({"mig": np.full((1, 2, 2, 5), 0.3)}))
    assert (flat["why"] == "every seed says the same").all() and (flat["rank"] == 1).all()
    alone = league(frame_of({"mig": np.random.default_rng(0).normal(size=(1, 1, 1, 5))})).iloc[0]
    assert (alone["first"], alone["last"]) == (1, 1)
    empty = league(frame_of({"mig": np.ones((1, 1, 1, 1))})[:0])
    assert empty.empty and {"best", "why"} <= {*empty.columns}
