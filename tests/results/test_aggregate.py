"""Runs in groups: known answers, and intervals that hold."""

import numpy as np
import pandas as pd
import pytest
from planted import effects, frame_of

from soberlook.registry import BadInput
from soberlook.results import interval
from soberlook.results.aggregate import aggregate


def rng():
    return np.random.default_rng(0)


@pytest.fixture
def runs():
    columns = {"model": ["a"] * 5 + ["b"] * 2, "beta": [1.0, 1, 2, 2, 2, np.nan, np.nan]}
    columns |= {"mig": [1.0, 2, 3, 4, 8, np.nan, np.nan], "seed": [0, 1, 0, 1, 2, 0, 1]}
    return pd.DataFrame(columns)


def test_what_each_aggregate_is(runs):
    how = ["median", "mean", "min", "max", "std", "count", "iqm"]
    found = aggregate(runs, ["model"], ["mig"], how, rng=rng()).set_index("model")
    assert found.columns.tolist() == ["runs", *(f"mig_{name}" for name in how)]
    expected = [5, 3, 3.6, 1, 8, np.std([1, 2, 3, 4, 8], ddof=1), 5, 3]  # both ends are cut
    np.testing.assert_allclose(found.loc["a"].tolist(), expected)
    lost = found.loc["b"]
    assert (
        lost["runs"] == 2
        and lost["mig_count"] == 0
        and lost.drop(["runs", "mig_count"]).isna().all()
    )


def test_the_middle_half_counts_in_part_where_a_quarter_is_not_whole():
    """As in the report: .75 × 1 + 2 + .75 × 9, by 2.5; cutting whole numbers would say 4."""
    runs = pd.DataFrame({"mig": [9.0, 0, 1, 2, 30, np.nan], "seed": range(6)})
    assert aggregate(runs, [], ["mig"], ["iqm"])["mig_iqm"].item() == pytest.approx(3.8)


def test_groups_are_values_of_columns_missing_ones_too(runs):
    found = aggregate(runs, ["model", "beta"], ["mig", "seed"], ["max"], rng=rng())
    assert found.columns.tolist() == ["model", "beta", "runs", "mig_max", "seed_max"]
    assert found[["runs", "seed_max"]].to_numpy().tolist() == [[2, 1], [3, 2], [2, 1]]
    whole = aggregate(runs, [], ["mig"], rng=rng())
    assert whole.to_dict("records") == [{"runs": 7, "mig_median": 3.0}]
    assert aggregate(runs[:0], ["model"], ["mig"], ["iqm", "ci", "count"], rng=rng()).empty
    assert aggregate(runs[:0], [], ["mig"], ["ci"], rng=rng()).empty


def test_an_interval_is_over_seeds(runs):
    frame = frame_of({"mig": effects(rng(), (1, 2, 3, 10), seed=1.0)})
    one = aggregate(frame, ["setting"], ["mig"], ["ci"], rng=rng()).iloc[0]
    alone = interval.of_median(frame[frame["setting"] == one["setting"]]["mig"].to_numpy())
    assert tuple(one[["mig_median", "mig_low", "mig_high"]]) == tuple(alone)
    pooled = aggregate(frame, ["model"], ["mig"], ["ci"], rng=rng()).iloc[0]
    values = frame[frame["model"] == pooled["model"]].pivot(columns="seed", index="setting")["mig"]
    by_hand = interval.bootstrap(np.median, values.to_numpy(), rng())
    assert tuple(pooled[["mig_median", "mig_low", "mig_high"]]) == tuple(by_hand)
    few = aggregate(runs, ["model"], ["mig"], ["ci"], rng=rng())
    assert few["mig_median"].notna().tolist() == [True, False]
    five = aggregate(frame[frame["seed"] < 5], ["setting"], ["mig"], ["ci"])
    assert five["mig_median"].notna().all() and five["mig_low"].isna().all()
    lone = aggregate(runs[:1], [], ["mig"], ["ci"], rng=rng())
    assert lone["mig_low"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["modl"], ["mig"]), "unknown column 'modl': did you mean 'model'?"),
        (([], ["mgi"]), "unknown column 'mgi': did you mean 'mig'?"),
        (([], ["mig"], ["meen"]), "unknown aggregate 'meen': did you mean 'mean'?"),
        (([], ["model"]), "a score must be a column of numbers, found 'model'"),
    ],
)
def test_bad_input_is_one_line(runs, arguments, message):
    with pytest.raises(BadInput) as raised:
        aggregate(runs, *arguments, rng=rng())
    assert message in str(raised.value)


def covered(rng, off=0.0):
    """Whether the interval of a median that pools settings holds the planted one, 0, or `off`."""
    frame = frame_of({"mig": effects(rng, (1, 6, 4, 10), seed=0.7)})
    found = aggregate(frame, ["model"], ["mig"], ["ci"], rng=rng)
    held = found["mig_low"].le(off) & found["mig_high"].ge(off)
    return {"pooled median": held.mean()}


def test_intervals_cover():
    shares = [covered(np.random.default_rng([i, 77]))["pooled median"] for i in range(10)]
    assert np.mean(shares) > 0.9
    assert covered(np.random.default_rng([0, 77]), off=1.5)["pooled median"] < 0.3
