import numpy as np
import pytest
from scipy import stats

from soberlook.results.power import effect_interval, power_of, seeds_needed, smallest_difference


def test_what_ten_and_fifty_seeds_see():
    assert smallest_difference(10) == pytest.approx(1.325, abs=0.001)
    assert smallest_difference(50) == pytest.approx(0.566, abs=0.001)
    # Cohen (1988), table 2.4.1: n for d = .5 at a two-sided .05 is 64 at power .80, 86 at .90 (his
    # 85 is rounded down), 393 for d = .2
    assert seeds_needed(0.5) == 64 and seeds_needed(0.2) == 394 and seeds_needed(0.8) == 26
    assert seeds_needed(0.5, power=0.9) == 86
    assert seeds_needed(0.5, paired=True) == 34


@pytest.mark.parametrize("paired", [False, True])
def test_power_is_that_of_the_noncentral_t(paired):
    for n, d in [(3, 1.0), (10, 1.3), (50, 0.1), (50, 0.57), (400, 0.0)]:
        df, nc = (n - 1, d * n**0.5) if paired else (2 * n - 2, d * (n / 2) ** 0.5)
        edge = stats.t.ppf(0.975, df)
        known = stats.nct.sf(edge, df, nc) + stats.nct.cdf(-edge, df, nc)
        assert power_of(2 * d, n, 2.0, paired=paired) == pytest.approx(known, abs=1e-9)


def test_power_of_a_simulation():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.9, 1, (4_000, 12)), rng.normal(0, 1, (4_000, 12))
    assert power_of(0.9, 12) == pytest.approx(
        (stats.ttest_ind(a, b, axis=1).pvalue < 0.05).mean(), abs=0.02
    )
    assert power_of(0.9, 12, paired=True) == pytest.approx(
        (stats.ttest_1samp(a, 0, axis=1).pvalue < 0.05).mean(), abs=0.02
    )


def test_the_two_questions_are_each_others_inverse():
    seeds = np.array([2, 3, 5, 10, 50, 1_000])
    for paired in (False, True):
        for power in (0.8, 0.9):
            d = smallest_difference(seeds, 0.3, power=power, paired=paired)
            found = seeds_needed(d * (1 + 1e-9), 0.3, power=power, paired=paired)
            assert (found == seeds).all() and (np.diff(d) < 0).all()
            assert (seeds_needed(d * (1 - 1e-6), 0.3, power=power, paired=paired) > seeds).all()


def test_no_difference_no_spread_and_too_few_seeds_have_no_answer():
    assert np.isnan(seeds_needed([0, 1e-6, 1, np.nan], [1, 1, 0, 1])).all()
    assert (
        np.isnan(smallest_difference([0, 1])).all() and np.isnan(power_of(1, [1, 5], [1, 0])).all()
    )
    assert power_of(0, 10) == pytest.approx(0.05) and power_of(1e9, 3) == 1
    assert seeds_needed(1e9) == 2


def test_the_effect_lies_where_the_noncentral_t_says():
    t, df = np.array([-40.0, -1.0, 0, 2.5, 15, 100]), 9
    low, high = effect_interval(t, df, 1.0)
    assert (low < t).all() and (t < high).all()
    assert np.allclose(stats.nct.cdf(t[1:5], df, low[1:5]), 0.975, atol=1e-6)
    assert np.allclose(stats.nct.cdf(t[1:5], df, high[1:5]), 0.025, atol=1e-6)
    assert np.allclose(low[2], -stats.norm.ppf(0.975)) and np.allclose(high[2], -low[2])
    one, _ = effect_interval(2.5, 9, 2.0)
    assert one == pytest.approx(low[3] / 2)
