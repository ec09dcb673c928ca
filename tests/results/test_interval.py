"""Intervals contain what they should as often as they say, and know when they cannot be given."""

import numpy as np
import pytest
from scipy import stats

from soberlook.results.interval import bootstrap, few, jackknife, of_mean, of_median

SEEDS, SETTINGS = 10, 12


def mean(table):
    return table.mean()


def correlation(table):
    return np.corrcoef(table.reshape(2, -1))[0, 1]


def study(rng, seed=1.0):
    """A score [settings, seeds]: settings differ, and a seed moves all settings alike."""
    own = np.linspace(-1, 1, SETTINGS)[:, None]
    return own + seed * rng.standard_normal(SEEDS) + rng.standard_normal((SETTINGS, SEEDS))


def covered(rng):
    """Whether each kind of interval contains what was planted."""
    table, skewed = study(rng), rng.exponential(size=30)
    first = study(rng, seed=0)
    pair = np.stack([first, 0.5 * first + rng.standard_normal(first.shape)])
    # Settings' variance is that of linspace(−1, 1, 12), luck's 1.
    variance = 1 + np.linspace(-1, 1, SETTINGS).var()
    planted = 0.5 * variance / np.sqrt(variance * (0.25 * variance + 1))
    found = {
        "jackknife of a mean over clusters": (jackknife(mean, table), 0.0),
        "jackknife of a correlation": (jackknife(correlation, pair, scale="correlation"), planted),
        "bootstrap of a mean over clusters": (bootstrap(mean, table, rng, draws=400), 0.0),
        "median": (of_median(skewed[:SEEDS]), np.log(2)),
        "mean": (of_mean(table[0]), -1.0),
    }
    return {kind: float(i.low <= truth <= i.high) for kind, (i, truth) in found.items()}


def test_intervals_contain_what_was_planted():
    found = [covered(np.random.default_rng([60, i])) for i in range(60)]
    for kind in found[0]:
        assert np.mean([one[kind] for one in found]) >= 0.90, kind


def test_intervals_that_take_runs_for_independent_do_not():
    """The negative control: of seeds that move all settings, every run for itself covers little."""
    hits = []
    for i in range(60):
        table = study(np.random.default_rng([61, i]))
        wrong = of_mean(table.reshape(-1))
        hits.append(wrong.low <= 0 <= wrong.high)
    assert np.mean(hits) < 0.7


def test_the_jackknife_of_a_mean_is_students_interval():
    table = study(np.random.default_rng(0))
    by_seed = table.mean(axis=0)
    expected = stats.t.interval(0.95, SEEDS - 1, by_seed.mean(), stats.sem(by_seed))
    found = jackknife(mean, table)
    np.testing.assert_allclose(found, [by_seed.mean(), *expected], rtol=1e-12)
    np.testing.assert_allclose(of_mean(by_seed), found, rtol=1e-12)


def test_a_statistic_may_be_an_array():
    table = study(np.random.default_rng(0))
    found = jackknife(lambda t: t.mean(axis=-1), table)
    for row, one in zip(table, zip(*found, strict=True), strict=True):
        np.testing.assert_allclose(one, of_mean(row), rtol=1e-9)


def test_the_median_of_ten_lies_between_order_statistics():
    """By hand: [2nd, 9th] of ten covers .979, [3rd, 8th] .891; .95 is .67 of the way inwards by the
    formula, which is not linear in the level."""
    found = of_median(np.arange(10.0))
    share = (0.978515625 - 0.95) / (0.978515625 - 0.890625)
    mixed = 8 * share / (2 + 6 * share)
    np.testing.assert_allclose(found, [4.5, 1 + mixed, 8 - mixed])
    assert 1 < found.low < 2


@pytest.mark.parametrize("n", [6, 7, 25, 200])
def test_the_interval_of_a_median_is_narrower_with_more_values(n):
    values = np.random.default_rng(0).standard_normal(n)
    found = of_median(values)
    assert values.min() <= found.low <= found.value <= found.high <= values.max()
    assert found.value == np.median(values)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_few_values_have_a_median_and_no_interval(n):
    found = of_median(np.arange(float(n)))
    assert np.isnan([found.low, found.high]).all() and np.isnan(found.value) == (n == 0)


def test_one_seed_has_no_interval():
    table = np.ones((3, 1))
    for found in (jackknife(mean, table), bootstrap(mean, table, np.random.default_rng(0))):
        assert found.value == 1 and np.isnan([found.low, found.high]).all()
    assert np.isnan(of_mean(np.array([])).value)


@pytest.mark.parametrize(
    ("scale", "value"), [("correlation", 1.0), ("share", 1.0), ("share", 0.0), ("positive", 0.0)]
)
def test_seeds_that_all_say_the_same_have_no_interval(scale, value):
    """Not one without width, which would say that other seeds cannot differ."""
    table = np.full((2, 5), value)
    found = jackknife(mean, table, scale=scale)
    assert found.value == value and np.isnan([found.low, found.high]).all()
    found = jackknife(mean, table, scale=scale, exact=True)
    np.testing.assert_allclose(found, [value] * 3, atol=1e-8)


def test_of_several_numbers_only_those_that_vary_have_an_interval():
    table = np.stack([np.full(7, 0.1), np.arange(7) / 7, np.linspace(0, 1e-4, 7) + 0.1])
    found = jackknife(lambda t: t.mean(axis=-1), table)
    assert np.isnan(found.low).tolist() == np.isnan(found.high).tolist() == [True, False, False]


def test_values_near_the_end_of_a_scale_stay_in_it():
    table = np.array([0, 0, 0, 0, 0.01])
    for scale, low, high in (("share", 0, 1), ("positive", 0, np.inf), ("correlation", -1, 1)):
        found = jackknife(mean, table, scale=scale)
        assert low <= found.low < found.value < found.high <= high


@pytest.mark.parametrize("seeds", [2, 3, 4, 5])
def test_so_few_seeds_cannot_be_drawn_from(seeds):
    """Of a median these cover 51, 79, 83 and 89 % where they would say 95."""
    table = np.random.default_rng(0).random((3, seeds))
    found = bootstrap(np.median, table, np.random.default_rng(1))
    assert found.value == np.median(table) and np.isnan([found.low, found.high]).all()
    assert few(seeds) and not few(6) and not few(5, level=0.9)
    assert np.isfinite(bootstrap(np.median, table, np.random.default_rng(1), level=0.5).low)


def test_equal_generators_give_equal_intervals():
    table = study(np.random.default_rng(0))
    first, second = (bootstrap(mean, table, np.random.default_rng(1)) for _ in range(2))
    assert first == second
