import numpy as np
import pytest
from planted import effects, frame_of
from scipy import stats

from soberlook.registry import BadInput
from soberlook.results.best_of_sweep import best_of_sweep, chosen_strengths, cross_fit, halves


def planted(rng, means, seeds=10, seed=0.5):
    """A study of settings with these means [datasets, models, strengths], and luck of 1."""
    return means[..., None] + effects(rng, (*means.shape, seeds), seed=seed)


def expected(means, half):
    """What the choice by `half` seeds gives: seeds that all settings share do not change it."""
    rng = np.random.default_rng(0)
    tried = means[..., None, :] + rng.standard_normal((20_000, means.shape[-1])) / half**0.5
    shares = (tried.argmax(axis=-1)[..., None] == np.arange(means.shape[-1])).mean(axis=-2)
    return (shares * means).sum(axis=-1)


def covered(rng: np.random.Generator, off: float = 0.0) -> dict[str, float]:
    """`off` is added to the planted values: with it, intervals should not contain them."""
    close, far = rng.normal(0, 0.3, (2, 3, 4)), rng.normal(0, 2, (2, 3, 4))
    means = np.concatenate([close, far])
    found = best_of_sweep(frame_of({"mig": planted(rng, means)}))
    truth = expected(means, 5).ravel() + off
    return {"best of sweep": ((found["low"] <= truth) & (truth <= found["high"])).mean()}


def test_intervals_cover():
    shares = [covered(np.random.default_rng([i, 71]))["best of sweep"] for i in range(40)]
    assert 0.9 <= np.mean(shares) <= 0.995


def test_intervals_do_not_contain_what_is_far_off():
    found = [covered(np.random.default_rng([i, 71]), off=2.0) for i in range(10)]
    for kind in found[0]:
        assert np.mean([one[kind] for one in found]) <= 0.3, kind


def test_by_hand():
    # Seeds 0 and 1 choose strength 1 (mean 5 against 1), seeds 2 and 3 strength 2, and so on.
    values = np.array([[[[6, 4, 0, 2.0], [1, 1, 3, 3]]]])
    found = best_of_sweep(frame_of({"mig": values})).iloc[0]
    own = cross_fit(values[0, 0], halves(4, np.random.default_rng(0))).own
    # Of six halves {01, 02, 03, 12, 13, 23} the last chooses strength 2 alone: 1 < 3; {12}: 2 = 2,
    # a tie, which the first strength wins; {13}: 3 > 2.
    reported = [[0, 2], [4, 2], [4, 0], [6, 2], [6, 0], [1, 1]]
    assert found["value"] == pytest.approx(np.mean(reported))
    assert found["naive"] == 3 and found["optimism"] == pytest.approx(3 - np.mean(reported))
    assert found["label"] == "β = 1" and found["share"] == pytest.approx(5 / 6)
    assert own == pytest.approx([(6 + 6 + 1) / 3, (4 + 4 + 1) / 3, (0 + 0 + 0) / 3, 2])
    shares = chosen_strengths(frame_of({"mig": values}))
    assert shares["value"].tolist() == pytest.approx([5 / 6, 1 / 6])


def test_choosing_and_reporting_on_the_same_seeds_says_too_much():
    rng = np.random.default_rng(0)
    found = best_of_sweep(frame_of({"mig": planted(rng, np.zeros((7, 6, 6)))}))
    # Six strengths that are all alike: the naive best is the expected maximum of six means.
    assert found["naive"].mean() == pytest.approx(1.267 / 10**0.5, abs=0.12)
    assert found["value"].mean() == pytest.approx(0, abs=0.08) and (found["optimism"] > 0).all()
    clear = best_of_sweep(frame_of({"mig": planted(rng, np.tile([0, 0, 9.0], (2, 2, 1)))}))
    assert clear["optimism"].abs().max() < 1e-9 and (clear["share"] == 1).all()
    assert (clear["label"] == "β = 3").all()


def test_one_strength_has_nothing_to_choose():
    runs = frame_of({"mig": np.random.default_rng(0).normal(size=(1, 1, 1, 8))})
    found = best_of_sweep(runs).iloc[0]
    low, high = stats.t.interval(0.95, 7, runs["mig"].mean(), stats.sem(runs["mig"]))
    assert (found["value"], found["low"], found["high"]) == pytest.approx(
        (found["naive"], low, high)
    )


def test_halves_are_all_there_are_or_many_with_their_complements():
    for seeds, count in [(1, 2), (2, 2), (3, 6), (10, 252), (11, 400), (50, 400)]:
        found = halves(seeds, np.random.default_rng(0))
        assert found.shape == (count, seeds)
        assert (found.mean(axis=0) == 0.5).all()
    assert len(np.unique(halves(10, np.random.default_rng(0)), axis=0)) == 252


def test_runs_that_are_missing_are_not_scores():
    rng = np.random.default_rng(0)
    values = planted(rng, np.zeros((1, 2, 3)))
    values[0, 0, 1, 3] = values[0, 1, :, 7:] = np.nan
    found = best_of_sweep(frame_of({"mig": values}))
    assert found["seeds"].tolist() == [10, 7] and found[["value", "low"]].notna().all(axis=None)
    alone = best_of_sweep(frame_of({"mig": values[:, 1:, :, :7]})).iloc[0]
    assert found.iloc[1]["value"] == pytest.approx(alone["value"])
    assert found.iloc[1]["high"] == pytest.approx(alone["high"])


def test_what_cannot_be_said_is_why():
    one = best_of_sweep(frame_of({"mig": np.arange(3.0).reshape(1, 1, 3, 1)})).iloc[0]
    assert np.isnan(one["value"]) and one["naive"] == 2
    assert one["why"] == "one seed cannot choose and report"
    lost = best_of_sweep(frame_of({"mig": np.full((1, 1, 3, 5), np.nan)}), ["mig"]).iloc[0]
    assert lost["why"] == "too few runs" and lost["label"] == "" and np.isnan(lost["naive"])
    flat = best_of_sweep(frame_of({"mig": np.full((1, 1, 3, 5), 0.1)})).iloc[0]
    assert flat["why"] == "every seed says the same" and np.isnan(flat["low"])
    assert flat["value"] == pytest.approx(0.1)
    two = best_of_sweep(frame_of({"mig": np.array([[[[1, 2.0], [3, 5]]]])})).iloc[0]
    assert two["value"] == 4 and two["low"] < 4 < two["high"]
    empty = frame_of({"mig": np.zeros((1, 1, 1, 1))})[:0]
    for how in (best_of_sweep, chosen_strengths):
        assert how(empty, ["mig"]).empty and "why" in how(empty)
        with pytest.raises(BadInput, match="no column 'sap'|unknown column 'sap'"):
            how(frame_of({"mig": np.zeros((1, 1, 1, 2))}), ["sap"])


def test_the_same_generator_gives_the_same_numbers():
    runs = frame_of({"mig": planted(np.random.default_rng(0), np.zeros((1, 2, 3)), seeds=20)})
    first, second = (best_of_sweep(runs, rng=np.random.default_rng(5)) for _ in range(2))
    assert first.equals(second) and not first.equals(best_of_sweep(runs))
