import numpy as np
import pandas as pd
import planted
import pytest
from scipy import stats

from soberlook.registry import BadInput
from soberlook.results.total_correlation import COLUMNS, SAMPLED, higher_for_means, measures_of

TC, MI = "gaussian_total_correlation", "mutual_information_score"
SHAPE = (1, 6, 6, 10)


def covered(rng):
    """Ten seeds of six methods, whose means are more or less often the further from independent."""
    places = rng.uniform(-1.5, 1.5, (1, 6, 1, 1)) + planted.effects(rng, (1, 6, 6, 1), luck=0.5)
    difference = places + planted.effects(rng, SHAPE, seed=0.5, luck=1)
    columns = {TC: np.exp(difference), TC + SAMPLED: np.ones(SHAPE)}
    found = higher_for_means(planted.frame_of(columns))
    truth = stats.norm.cdf(places / np.hypot(0.5, 1))[0, ..., 0].mean(axis=1)
    inside = (found["low"] <= truth) & (truth <= found["high"])
    return {"share of runs (at least)": float(inside.mean())}


def test_intervals_cover_what_was_planted():
    shares = pd.DataFrame([covered(np.random.default_rng([i, 1])) for i in range(50)]).mean()
    assert (shares >= 0.9).all(), shares


def test_a_share_that_all_seeds_agree_on_is_a_binomial():
    mean = np.ones((1, 2, 4, 6))
    mean[0, 1, :1] = 3
    runs = planted.frame_of({TC: mean, TC + SAMPLED: np.full(mean.shape, 2.0)})
    never, quarter = higher_for_means(runs).itertuples()
    exact = stats.binomtest(0, 6).proportion_ci(method="exact")  # a seed counts as one
    assert (never.value, never.low, never.high) == pytest.approx((0, *exact))
    exact = stats.binomtest(6, 24).proportion_ci(method="exact")
    assert (quarter.value, quarter.low, quarter.high) == pytest.approx((0.25, *exact))
    turned = higher_for_means(runs.rename(columns={TC: TC + SAMPLED, TC + SAMPLED: TC}))
    assert turned["value"].tolist() == [1, 0.75] and turned["high"][0] == 1


def test_seeds_that_differ_are_worth_less_than_their_runs():
    rng = np.random.default_rng(0)
    alone = planted.frame_of(
        {TC: rng.random((1, 1, 6, 20)), TC + SAMPLED: np.full((1, 1, 6, 20), 0.5)}
    )
    together = alone.assign(**{TC: alone["seed"].map(dict(enumerate(rng.random(20))))})
    widths = [(f["high"] - f["low"]).item() for f in map(higher_for_means, (alone, together))]
    assert widths[1] > 1.5 * widths[0]


def test_equal_numbers_are_not_higher_and_missing_ones_do_not_count():
    mean = np.array([[[[1.0, 2, np.nan, 3]]]])
    runs = planted.frame_of({TC: mean, TC + SAMPLED: np.ones((1, 1, 1, 4))})
    row = higher_for_means(runs).iloc[0]
    assert (row["runs"], row["seeds"]) == (3, 3) and row["value"] == pytest.approx(2 / 3)


def test_where_nothing_can_be_said_it_says_why():
    rng = np.random.default_rng(1)
    both = {name: rng.random((1, 2, 2, 4)) for name in (TC, TC + SAMPLED, MI)}
    runs = planted.frame_of(both)
    assert measures_of(runs) == [TC] and measures_of(runs.drop(columns=TC)) == []
    assert measures_of(runs.assign(**{TC: np.nan})) == []
    assert set(higher_for_means(runs[runs["seed"] == 0])["why"]) == {"one seed"}
    lost = higher_for_means(runs.assign(**{TC: np.nan}), [TC])
    assert set(lost["why"]) == {"no run has both"} and lost["value"].isna().all()
    for empty in (higher_for_means(runs[:0], [TC]), higher_for_means(runs.drop(columns=TC))):
        assert empty.empty and empty.columns.tolist() == COLUMNS
    with pytest.raises(BadInput, match=f"column '{MI}_sampled'"):
        higher_for_means(runs, [MI])
