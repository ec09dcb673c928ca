import numpy as np
import pandas as pd
import pytest
from planted import METHODS, effects, frame_of
from scipy import stats
from test_best_of_sweep import planted
from test_league import QUANTILES

from soberlook.registry import BadInput
from soberlook.results.interquartile_mean import interquartile_mean
from soberlook.results.survivors import failure_rates, survivors


def covered(rng: np.random.Generator, off: float = 0.0) -> dict[str, float]:
    """`off` is added to the planted values: with it, intervals should not contain them."""
    means = 5 + rng.normal(0, 1, (3, 4, 4))
    chance = rng.uniform(0, 0.3, (3, 4, 4))
    scores = planted(rng, means)
    scores[rng.random(scores.shape) < chance[..., None]] = np.nan
    runs, sd = frame_of({"mig": scores}), np.sqrt(1 + 0.5**2)
    table = survivors(runs).sort_values(["dataset", "model"])
    lost = (np.arange(len(QUANTILES)) + 0.5) / len(QUANTILES) < chance[..., None]
    at = np.cumsum(~lost, axis=-1) - 0.5  # of those that are left, their quantiles
    left = stats.norm.ppf(np.where(lost, 0.5, at / (~lost).sum(axis=-1, keepdims=True)))
    left = means[..., None] + sd * left
    flat = {"floored": np.where(lost, 0, left), "alone": np.where(lost, np.nan, left)}
    truth = {name: interquartile_mean(x.reshape(12, -1)) for name, x in flat.items()}
    rates = failure_rates(runs)
    own, pooled = (rates[rates["label"].ne("") == which] for which in (True, False))
    held = {
        "with diverged runs at the floor": (table["low"], truth["floored"], table["high"]),
        "survivors alone": (table["alone_low"], truth["alone"], table["alone_high"]),
        "share of a setting that diverged": (own["low"], chance.ravel(), own["high"]),
        "share of a method that diverged": (
            pooled["low"],
            chance.mean(axis=2).ravel(),
            pooled["high"],
        ),
    }
    return {
        kind: ((low <= x + off) & (x + off <= high)).mean() for kind, (low, x, high) in held.items()
    }


def test_intervals_cover():
    found = [covered(np.random.default_rng([i, 75])) for i in range(40)]
    for kind in found[0]:
        share = np.mean([one[kind] for one in found])
        assert share >= 0.9, (kind, share)


def test_intervals_do_not_contain_what_is_far_off():
    found = [covered(np.random.default_rng([i, 75]), off=4.0) for i in range(10)]
    for kind in found[0]:
        assert np.mean([one[kind] for one in found]) <= 0.3, kind


def test_the_order_that_lost_runs_change():
    values = effects(np.random.default_rng(0), (1, 2, 2, 8), luck=0.1) + 1
    values[0, 0] += 1
    values[0, 0, 0] = np.nan
    values[0, 0, 1, :3] = np.nan
    table = survivors(frame_of({"mig": values})).set_index("model")
    assert table.index.tolist() == [METHODS[1], METHODS[0]]
    assert table["rank"].tolist() == [1, 2] and table["alone_rank"].tolist() == [2, 1]
    assert table["floored"].tolist() == [0, 11] and table["runs"].tolist() == [16, 16]
    assert table.loc[METHODS[0], "alone"] == pytest.approx(2, abs=0.15)
    assert table.loc[METHODS[1], "moved"] == 0
    bounds = pd.DataFrame(
        {"dataset": ["d0"], "codes": ["random"], "metric": ["mig"], "value": [9.0]}
    )
    raised = survivors(frame_of({"mig": values}), bounds=bounds).set_index("model")
    assert raised.loc[METHODS[0], "value"] > 5  # the floor is what bounds say
    assert survivors(frame_of({"mig": values[:, 1:]})).iloc[0]["moved"] == 0


def test_failure_rates_by_hand():
    values = np.ones((1, 1, 2, 10))
    values[0, 0, 1, :2] = np.nan
    runs = frame_of({"mig": values})
    runs.loc[19, "status"] = "failed"
    table = failure_rates(runs).set_index("label")
    assert table["value"].tolist() == pytest.approx([2 / 19, 0, 2 / 9])
    assert table["diverged"].tolist() == [2, 0, 2] and table["failed"].tolist() == [1, 0, 1]
    assert table["runs"].tolist() == [19, 10, 9]
    known = stats.binomtest(2, 9).proportion_ci(0.95, "wilson")
    assert table.loc["β = 2", ["low", "high"]].tolist() == pytest.approx([known.low, known.high])
    assert table.loc["", "low"] > 0 and table.loc["β = 1", "high"] > 0.2


def test_what_cannot_be_said_is_why():
    lost = frame_of({"mig": np.full((1, 2, 2, 3), np.nan)})
    table = survivors(lost, ["mig"])
    assert (table["why"] == "every seed says the same").all() and (table["value"] == 0).all()
    assert table["alone"].isna().all() and (table["floored"] == 6).all()
    rates = failure_rates(lost)
    assert (rates["value"] == 1).all() and (rates["high"] == 1).all() and (rates["low"] > 0.1).all()
    one = frame_of({"mig": np.ones((1, 1, 1, 1))})
    assert survivors(one).iloc[0]["why"] == failure_rates(one).iloc[0]["why"] == "one seed"
    gone = failure_rates(one.assign(status="failed"))
    assert (gone["why"] == "too few runs").all() and (gone["failed"] == 1).all()
    for how in (survivors, failure_rates):
        assert how(one[:0]).empty and "why" in how(one[:0])
        with pytest.raises(BadInput, match="status"):
            how(one.drop(columns="status"))
