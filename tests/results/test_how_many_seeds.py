import numpy as np
import pytest
from planted import effects, frame_of
from scipy import stats
from test_best_of_sweep import planted

from soberlook.results.how_many_seeds import how_many_seeds
from soberlook.results.power import power_of, seeds_needed, smallest_difference


def covered(rng: np.random.Generator, times: float = 1.0) -> dict[str, float]:
    """`times` the planted number of seeds: a tenth of it should not be in the intervals."""
    means = rng.normal(0, 1, (4, 3, 4))
    shared = np.array([0, 0, 2, 2])[:, None, None, None]
    table = how_many_seeds(frame_of({"mig": planted(rng, means, seed=shared)}), of="all")
    first, second = np.triu_indices(3, 1)
    own = means.mean(axis=-1)
    effect = (own[:, first] - own[:, second]).ravel() / 0.5  # four strengths halve the luck
    # Where methods share nothing, pairs differ by √2 of what one varies by.
    pairs = seeds_needed(effect / np.sqrt(2), paired=True)
    alone = seeds_needed(effect)
    truth = times * np.where(table["paired"], pairs, alone)
    held = (table["low"] <= truth) & (truth <= table["high"].fillna(np.inf))
    far = table["dataset"].isin(["d2", "d3"])
    return {"seeds needed, seeds alone": held[~far].mean(), "seeds needed, pairs": held[far].mean()}


def test_intervals_cover():
    found = [covered(np.random.default_rng([i, 76])) for i in range(40)]
    for kind in found[0]:
        share = np.mean([one[kind] for one in found])
        assert share >= 0.9, (kind, share)
    found = [covered(np.random.default_rng([i, 76]), times=0.05) for i in range(10)]
    for kind in found[0]:
        assert np.mean([one[kind] for one in found]) <= 0.4, kind


@pytest.mark.parametrize("paired", [False, True])
def test_one_pair_by_hand(paired):
    rng = np.random.default_rng(0)
    common = rng.normal(size=10)
    values = rng.normal(size=(1, 2, 1, 10)) * 0.5
    values[0, 0, 0] += common + 1
    values[0, 1, 0] += common if paired else -common
    a, b = values[0, :, 0]
    row = how_many_seeds(frame_of({"mig": values})).iloc[0]
    sd = (a - b).std(ddof=1) if paired else np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    assert row["paired"] == paired and row["sd"] == pytest.approx(sd) and row["seeds"] == 10
    assert row["difference"] == pytest.approx((a - b).mean())
    assert row["value"] == seeds_needed((a - b).mean(), sd, paired=paired)
    assert row["power"] == pytest.approx(power_of((a - b).mean(), 10, sd, paired=paired))
    assert row["smallest"] == pytest.approx(smallest_difference(10, sd, paired=paired))
    t = stats.ttest_rel(a, b).statistic if paired else stats.ttest_ind(a, b).statistic
    df, scale = (9, 10**0.5) if paired else (18, 5**0.5)
    # The largest effect possible is the one under which so small a t has 2.5 %.
    most = next(e for e in np.arange(0, 20, 1e-3) if stats.nct.cdf(t, df, e * scale) < 0.025)
    assert row["low"] == pytest.approx(seeds_needed(most, paired=paired), abs=1)
    more = how_many_seeds(frame_of({"mig": values}), power=0.9).iloc[0]
    assert more["value"] > row["value"] and more["power"] == row["power"]


def test_methods_that_may_be_the_same_have_no_most():
    values = effects(np.random.default_rng(0), (3, 3, 3, 10), seed=1.0)
    table = how_many_seeds(frame_of({"mig": values}))
    maybe = table[table["why"] == "there may be no difference at all"]
    assert len(maybe) > 5 and maybe["high"].isna().all() and maybe["low"].notna().all()
    values[:, 0] += 9
    clear = how_many_seeds(frame_of({"mig": values}))
    clear = clear[clear["model"] == "annealed_vae"]
    assert (
        (clear["high"] < 10).all() and (clear["why"] == "").all() and (clear["power"] > 0.99).all()
    )


def test_what_cannot_be_said_is_why():
    one = how_many_seeds(frame_of({"mig": np.ones((1, 2, 1, 1))})).iloc[0]
    assert one["why"] == "one seed" and np.isnan(one[["value", "low", "power"]].astype(float)).all()
    flat = how_many_seeds(frame_of({"mig": np.full((1, 2, 2, 5), 0.3)})).iloc[0]
    assert flat["why"] == "every seed says the same" and np.isnan(flat["value"])
    lost = how_many_seeds(frame_of({"mig": np.full((1, 2, 2, 5), np.nan)}), ["mig"]).iloc[0]
    assert lost["why"] == "too few runs" and np.isnan(lost["sd"])
    assert how_many_seeds(frame_of({"mig": np.ones((1, 1, 1, 3))})).empty
    empty = how_many_seeds(frame_of({"mig": np.ones((1, 1, 1, 1))})[:0])
    assert empty.empty and {"smallest", "why"} <= {*empty.columns}
