import numpy as np
import pytest
from planted import frame_of
from scipy import stats
from test_best_of_sweep import planted

from soberlook.results.profiles import THRESHOLDS, profiles
from soberlook.results.share import of_share, wilson


def covered(rng: np.random.Generator, off: float = 0.0) -> dict[str, float]:
    """`off` is added to the planted values: with it, intervals should not contain them."""
    means = rng.normal(0, 1, (4, 3, 4))
    steps = np.linspace(-3, 3, 13)
    table = profiles(frame_of({"mig": planted(rng, means)}), thresholds=steps)
    above = stats.norm.sf((steps - means[..., None]) / np.sqrt(1 + 0.5**2))
    truth = off + above.mean(axis=2).ravel()  # [datasets, models, thresholds]
    return {"share above a score": ((table["low"] <= truth) & (truth <= table["high"])).mean()}


def test_intervals_cover():
    shares = [covered(np.random.default_rng([i, 74]))["share above a score"] for i in range(40)]
    assert 0.91 <= np.mean(shares) <= 0.99


def test_intervals_do_not_contain_what_is_far_off():
    found = [covered(np.random.default_rng([i, 74]), off=0.5) for i in range(10)]
    for kind in found[0]:
        assert np.mean([one[kind] for one in found]) <= 0.3, kind


def test_by_hand():
    values = np.array([[[[1, 2.0, 3], [4, 5, np.nan]], [[0, 0, 0], [0, 0, 10]]]])
    table = profiles(frame_of({"mig": values}), thresholds=[-1, 0, 2, 4.5, 10])
    first, second = (own for _, own in table.groupby("model", sort=False))
    assert first["value"].tolist() == [1, 1, 0.6, 0.2, 0] and (first["runs"] == 5).all()
    assert second["value"].tolist() == pytest.approx([1, 1 / 6, 1 / 6, 1 / 6, 0])
    assert (table["seeds"] == 3).all() and table["value"].between(table["low"], table["high"]).all()
    own = profiles(frame_of({"mig": values}))["threshold"]
    assert len(own) == 2 * THRESHOLDS and own.min() == 0 and own.max() == 10


def test_shares_of_single_runs_are_wilsons():
    known = stats.binomtest(3, 20).proportion_ci(0.95, "wilson")
    assert wilson(3 / 20, 20, stats.norm.ppf(0.975)) == pytest.approx((known.low, known.high))
    none = stats.binomtest(0, 20).proportion_ci(0.95, "wilson")
    assert wilson(0.0, 20, stats.norm.ppf(0.975)) == pytest.approx((0, none.high))


def test_runs_of_a_seed_that_are_alike_are_fewer_runs():
    seeds = np.random.default_rng(0).random(40) < 0.4
    alone, alike = seeds[None] * 1.0, np.tile(seeds * 1.0, (6, 1))
    for one, six in zip(of_share(alone), of_share(alike), strict=True):
        assert one == pytest.approx(six)
    mixed = np.random.default_rng(0).random((6, 40)) < 0.4
    assert np.diff(of_share(mixed * 1.0)[1:]) < 0.55 * np.diff(of_share(alike)[1:])


def test_what_cannot_be_said_is_why():
    one = profiles(frame_of({"mig": np.array([[[[1.0]], [[2.0]]]])}))
    assert (
        (one["why"] == "one seed").all() and one["low"].isna().all() and one["value"].notna().all()
    )
    lost = profiles(frame_of({"mig": np.full((1, 2, 2, 3), np.nan)}), ["mig"])
    assert (lost["why"] == "too few runs").all() and lost["value"].isna().all()
    flat = profiles(frame_of({"mig": np.full((1, 2, 2, 3), 0.3)}))
    assert (flat["value"] == 0).all() and (flat["threshold"] == 0.3).all()
    empty = profiles(frame_of({"mig": np.ones((1, 1, 1, 1))})[:0])
    assert empty.empty and "threshold" in empty
