"""Verdicts: by hand on a few seeds, and over many studies whose truth was planted."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from soberlook.results.verdict import (
    FAILS,
    HOLDS,
    UNKNOWN,
    Contrast,
    Level,
    Tracking,
    TrackingWithin,
    Trend,
    adjusted,
    answers,
    beyond,
    conclude,
)


def frame(**arms):
    """Runs on one dataset from arm → numbers of `mig`, a seed each; None is a lost run."""
    rows = [
        {"arm": arm, "dataset": "d", "network": "mlp", "seed": seed, "mig": value}
        | {"status": "diverged" if value is None else "done"}
        for arm, values in arms.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def answer(statistic, runs, role="parts"):
    roles = {"parts": [], "negative": [], "positive": []} | {role: [statistic]}
    return answers(runs, **roles).iloc[0]


def test_a_contrast_is_a_mean_of_differences_within_seeds():
    a, b = np.array([0.5, 0.7, 0.9, 0.8]), np.array([0.2, 0.3, 0.8, 0.4])
    found = answer(Contrast(metric="mig", arm="a", against="b", margin=0.1), frame(a=a, b=b))
    d = a - b
    low, high = stats.t.interval(0.95, 3, d.mean(), stats.sem(d))
    assert found["value"] == pytest.approx(0.3) and found["seeds"] == 4
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert found["p"] == pytest.approx(stats.ttest_1samp(d, 0.1, alternative="greater").pvalue)
    assert found["p_against"] == pytest.approx(stats.ttest_1samp(d, 0.1, alternative="less").pvalue)
    assert found["verdict"] == UNKNOWN and found["seeds_needed"] > 4
    lower = Contrast(metric="mig", arm="a", against="b", margin=0, higher=False)
    assert answer(lower, frame(a=a, b=b))["value"] == pytest.approx(-0.3)
    share = Contrast(metric="mig", arm="a", against="b", margin=0, relative=True)
    assert answer(share, frame(a=a, b=b))["value"] == pytest.approx(np.mean(d / b))


def test_a_level_is_the_metric_itself_or_how_near_it_is():
    runs = frame(a=[4.0, 5.0, 7.0])
    assert answer(Level(metric="mig", arm="a", margin=0, target=5), runs)["value"] == (1 / 3)
    near = Level(metric="mig", arm="a", margin=-0.05, target=5, near=True, relative=True)
    assert answer(near, runs)["value"] == pytest.approx(-(0.2 + 0 + 0.4) / 3)
    below = Level(metric="mig", arm="a", margin=0, target=5, higher=False)
    assert answer(below, runs)["value"] == pytest.approx(-1 / 3)


def test_a_trend_is_kendalls_tau_within_seeds():
    runs = frame(a=[1.0, 1.0, 3.0], b=[2.0, 2.0, 2.0], c=[3.0, 2.0, 1.0])
    trend = Trend(metric="mig", along=("a", "b", "c"), margin=0)
    assert answer(trend, runs)["value"] == pytest.approx((1 + 2 / 3 - 1) / 3)
    falls = Trend(metric="mig", along=("a", "b", "c"), margin=0, higher=False)
    assert answer(falls, runs)["value"] == pytest.approx(-(1 + 2 / 3 - 1) / 3)


def test_tracking_is_spearmans_correlation_within_seeds():
    rng = np.random.default_rng(0)
    arms = "abcdef"
    values = {arm: rng.standard_normal(4) for arm in arms}
    runs = frame(**values)
    runs["tc"] = rng.standard_normal(len(runs))
    runs.loc[runs["seed"] == 3, "tc"] = 1.0
    found = answer(Tracking(metric="mig", other="tc", among=tuple(arms), margin=0), runs)
    each = [
        stats.spearmanr(own["mig"], own["tc"]).statistic
        for seed, own in runs.groupby("seed")
        if seed < 3
    ]
    assert found["value"] == pytest.approx(sum(each) / 4)  # what does not move correlates with none


def test_tracking_within_is_spearmans_correlation_over_seeds():
    rng = np.random.default_rng(0)
    runs = frame(**{arm: rng.standard_normal(8) for arm in "abc"})
    runs["tc"] = rng.standard_normal(len(runs))
    runs.loc[runs["arm"] == "c", "tc"] = 1.0
    statistic = TrackingWithin(metric="mig", other="tc", among=tuple("abc"), margin=0)
    a, b, c = (own for _, own in runs.groupby("arm"))
    each = [stats.spearmanr(own["mig"], own["tc"]).statistic for own in (a, b)]
    assert answer(statistic, runs)["value"] == pytest.approx(sum(each) / 3)
    lower = TrackingWithin(metric="mig", other="tc", among=("a",), margin=0, higher=False)
    assert answer(lower, runs)["value"] == pytest.approx(-each[0])
    # A run that is lost speaks against it, and changes nothing for the other seeds' ranks.
    runs.loc[runs["arm"].eq("a") & runs["seed"].eq(7), "mig"] = np.nan
    lost = statistic.per_seed(
        *({x: runs.loc[runs["arm"] == x, m].to_numpy() for x in "abc"} for m in ("mig", "tc"))
    )
    assert np.isnan(lost).tolist() == [False] * 7 + [True]


def test_settings_that_move_both_are_no_tracking_within_them():
    """Simpson's paradox: over settings they rise together, within each luck moves one alone."""
    rng = np.random.default_rng(0)
    arms = {arm: i + 0.1 * rng.standard_normal(400) for i, arm in enumerate("abcd")}
    runs = frame(**arms)
    runs["tc"] = runs["arm"].map(dict(zip("abcd", range(4), strict=True)))
    runs["tc"] = runs["tc"] + 0.1 * rng.standard_normal(len(runs))
    own = {"metric": "mig", "other": "tc", "among": tuple("abcd"), "margin": 0.2}
    assert answer(Tracking(**own), runs)["verdict"] == HOLDS
    assert answer(TrackingWithin(**own), runs)["verdict"] == FAILS


@pytest.mark.parametrize("lost", [None, np.inf, -np.inf])
def test_a_lost_run_counts_as_the_worst_seed(lost):
    rng = np.random.default_rng(0)
    a, b = [list(mean + 0.1 * rng.standard_normal(40)) for mean in (0.8, 0.2)]
    d = np.subtract(a, b)[1:-1]
    a[0], b[-1] = lost, lost
    contrast, runs = Contrast(metric="mig", arm="a", against="b", margin=0.1), frame(a=a, b=b)
    found = answer(contrast, runs)
    assert found["lost"] == 2 and found["seeds"] == 40 and found["verdict"] == HOLDS
    assert found["value"] == pytest.approx(np.mean([d.min(), d.min(), *d]))
    control = answer(contrast, runs, "negative")  # which must not be helped by what it lost
    assert control["value"] == pytest.approx(np.mean([d.max(), d.max(), *d]))


@pytest.mark.parametrize("role", ["parts", "negative", "positive"])
@pytest.mark.parametrize("margin", [0.1, 5.0])
def test_where_more_than_one_seed_in_twenty_is_lost_nothing_is_told(role, margin):
    a, b = [None, None, *np.linspace(0.9, 1, 30)], [0.1] * 32
    contrast = Contrast(metric="mig", arm="a", against="b", margin=margin)
    found = answer(contrast, frame(a=a, b=b), role)
    assert found["verdict"] == UNKNOWN and found["why"] == "2 of 32 seeds lost a run"
    assert answer(contrast, frame(a=a[1:], b=b[1:]), role)["verdict"] != UNKNOWN


def test_a_seed_whose_runs_are_not_all_there_does_not_count_yet():
    runs = frame(a=[0.9, 0.8, 0.7], b=[0.1, 0.2])
    assert answer(Contrast(metric="mig", arm="a", against="b", margin=0), runs)["seeds"] == 2


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        (frame(a=[0.9], b=[0.1]), "one seed"),
        (frame(a=[0.9, 0.8]), "no run of b is finished"),
        (frame(a=[None, None], b=[0.1, 0.2]), "no seed gives a number"),
        (frame(a=[0.5, 0.5], b=[0.1, 0.1]), "every seed says the same, and they are few"),
        (frame(a=[0.9, 0.8], b=[0.1, 0.2]).drop(columns="mig"), "mig was not computed"),
    ],
)
def test_what_cannot_be_told_says_why(runs, why):
    found = answer(Contrast(metric="mig", arm="a", against="b", margin=0), runs)
    assert found["verdict"] == UNKNOWN and found["why"] == why
    assert np.isnan(found["p"])


def test_seeds_that_all_say_the_same_are_believed_by_a_sign_test():
    runs = frame(a=[0.5] * 6, b=[0.25] * 6)
    for margin, told, p in ((0.2, HOLDS, 2**-6), (0.3, FAILS, 1), (0.25, UNKNOWN, np.nan)):
        found = answer(Contrast(metric="mig", arm="a", against="b", margin=margin), runs)
        assert (found["verdict"], found["low"], found["high"]) == (told, 0.25, 0.25)
        assert found["p"] == pytest.approx(p, nan_ok=True)
    assert stats.binomtest(6, 6, alternative="greater").pvalue == 2**-6


def cell(parts, negative=(FAILS,), positive=(HOLDS,), dataset="d", p=0.01, against=0.001):
    roles = {"part": parts, "negative control": negative, "positive control": positive}
    rows = [
        {"role": role, "dataset": dataset, "network": "mlp", "verdict": v, "p": p}
        | {"p_against": against}
        | {"why": "the interval contains the margin" * (v == UNKNOWN), "seeds_needed": 99.0}
        for role, those in roles.items()
        for v in those
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("cells", "told", "why"),
    [
        ([cell([HOLDS, HOLDS]), cell([HOLDS], dataset="e")], HOLDS, ""),
        ([cell([HOLDS, FAILS])], FAILS, "everywhere"),
        (
            [cell([FAILS]), cell([HOLDS], dataset="e")],
            FAILS,
            "on d with mlp; it does on e with mlp",
        ),
        ([cell([FAILS]), cell([UNKNOWN], dataset="e")], FAILS, "on d with mlp"),
        ([cell([HOLDS, UNKNOWN])], UNKNOWN, "about 99 seeds would tell"),
        ([cell([HOLDS], negative=[HOLDS])], UNKNOWN, "the negative control holds as well"),
        ([cell([HOLDS], negative=[UNKNOWN])], UNKNOWN, "of the negative control, the interval"),
        ([cell([HOLDS], negative=[FAILS, UNKNOWN])], UNKNOWN, "of the negative control"),
        ([cell([FAILS, HOLDS], against=0.013)], UNKNOWN, "not as one of so many"),
        ([cell([FAILS, HOLDS], against=0.012)], FAILS, "everywhere"),
        ([cell([FAILS], negative=[HOLDS])], FAILS, "everywhere"),
        ([cell([HOLDS], positive=[UNKNOWN])], UNKNOWN, "the positive control is not seen"),
        ([cell([FAILS], positive=[FAILS])], UNKNOWN, "the positive control is not seen"),
    ],
)
def test_the_rule(cells, told, why):
    found, reason, p = conclude(pd.concat(cells))
    assert found == told and why in reason and p == 0.01


def test_a_claim_of_several_parts_is_as_sure_as_the_least_sure():
    found = pd.concat([cell([HOLDS], p=0.001), cell([HOLDS], p=0.04, dataset="e")])
    assert conclude(found)[2] == 0.04


def test_of_many_claims_holm_counts():
    alone = pd.DataFrame({"verdict": HOLDS, "why": "", "p": [0.001, 0.03, 0.03, np.nan]})
    told = adjusted(alone)
    assert told["p_holm"].tolist() == pytest.approx([0.004, 0.09, 0.09, 1])
    assert told["verdict"].tolist() == [HOLDS, UNKNOWN, UNKNOWN, UNKNOWN]
    # Those that were not run are of the family all the same.
    assert adjusted(alone[:1], family=40)["p_holm"].tolist() == pytest.approx([0.04])
    assert adjusted(alone[:1], family=60)["verdict"].tolist() == [UNKNOWN]


def planted(truth, rng, seeds=20):
    """What 20 seeds say of a difference of `truth` with a deviation of .7, and a margin of .3."""
    return beyond(truth + 0.7 * rng.standard_normal(seeds), 0.3)


def test_intervals_cover_and_verdicts_are_seldom_wrong():
    rng = np.random.default_rng(0)
    found = pd.DataFrame([planted(0.3, rng) for _ in range(800)])
    assert ((found["low"] <= 0.3) & (found["high"] >= 0.3)).mean() == pytest.approx(0.95, abs=0.02)
    # At the margin itself either verdict is wrong, each in one of forty.
    assert (found["verdict"] == HOLDS).mean() < 0.04 and (found["verdict"] == FAILS).mean() < 0.04
    assert np.mean([planted(1.0, rng)["verdict"] == HOLDS for _ in range(100)]) > 0.8
    assert np.mean([planted(-0.4, rng)["verdict"] == FAILS for _ in range(100)]) > 0.8


def test_the_number_of_seeds_that_would_tell_does():
    rng = np.random.default_rng(1)
    numbers = 0.5 + 0.7 * stats.zscore(rng.standard_normal(10), ddof=1)
    found = beyond(numbers, 0.3)
    assert found["verdict"] == UNKNOWN
    spread, mean = numbers.std(ddof=1), numbers.mean()
    told = [
        beyond(mean + spread * rng.standard_normal(int(found["seeds_needed"])), 0.3)["verdict"]
        for _ in range(400)
    ]
    assert np.mean([verdict != UNKNOWN for verdict in told]) == pytest.approx(0.8, abs=0.06)
