import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from soberlook.metrics import METRICS, Representation, compute, interpretability, scc
from soberlook.metrics.interpretability import _levels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def interpretability_of(codes, attributes):
    return interpretability(codes, attributes)["interpretability"]


def scc_of(codes, attributes):
    return scc(codes, attributes)["scc"]


def test_a_copied_column_scores_1_and_noise_0(rng):
    attributes = rng.standard_normal((2_000, 3))
    noise = rng.standard_normal((2_000, 5))
    copied = np.hstack([noise[:, :2], attributes])
    for score in (interpretability_of, scc_of):
        assert score(copied, attributes) == pytest.approx(1)
        assert score(-2 * copied + 3, attributes) == pytest.approx(1)
        assert score(noise, attributes) < 0.05
        assert score(np.zeros((2_000, 2)), attributes) == 0


def test_interpretability_is_r2_on_the_code_that_knows_most(rng):
    a = rng.standard_normal((2_000, 1))
    bent = np.cos(3 * a) + 0.01 * rng.standard_normal(a.shape)  # knows much, and no line
    line = a + 3 * rng.standard_normal(a.shape)
    r2 = LinearRegression().fit(bent, a).score(bent, a)
    assert r2 < 0.05 < LinearRegression().fit(line, a).score(line, a)
    assert interpretability_of(np.hstack([line, bent]), a) == pytest.approx(r2)
    assert interpretability_of(line, a) == pytest.approx(
        LinearRegression().fit(line, a).score(line, a)
    )


def test_scc_asks_for_order_and_interpretability_for_a_line(rng):
    a = rng.standard_normal((2_000, 1))
    assert scc_of(np.exp(2 * a), a) == pytest.approx(1)
    assert interpretability_of(np.exp(2 * a), a) < 0.6


def test_scc_leaves_out_what_may_be_chance(rng):
    a, z = rng.standard_normal((2, 100, 1))
    mixed = a * 0.05 + z
    assert scc_of(mixed, a) == 0  # |ρ| must be above .197 for 100 points
    strong = 0.5 * a + z
    assert scc_of(strong, a) > 0.3
    assert scc_of(np.hstack([mixed, strong]), a) == pytest.approx(scc_of(strong, a))


def test_tied_attributes_are_as_good_as_others(rng):
    attributes = rng.integers((3, 40), size=(2_000, 2))
    assert interpretability_of(attributes.astype(float), attributes) == pytest.approx(1)
    shuffled = rng.permuted(attributes, axis=0).astype(float)
    assert interpretability_of(shuffled, attributes) < 0.01


def test_an_attribute_that_is_mostly_one_value_is_known_by_what_is_left(rng):
    a = np.where(rng.random(2_000) < 0.04, rng.exponential(size=2_000), 0)[:, None]
    codes = np.hstack([rng.standard_normal((2_000, 1)), a])
    codes[:, 1] += 0.01 * rng.standard_normal(2_000)
    r2 = LinearRegression().fit(codes[:, 1:], a).score(codes[:, 1:], a)
    assert r2 > 0.9
    assert interpretability_of(codes, a) == pytest.approx(r2)
    assert interpretability_of(codes, -a) == pytest.approx(r2)


def test_levels_of_attributes_that_do_not_tie_have_as_many_points(rng):
    a = rng.permutation(2_000) ** 3
    assert np.bincount(_levels(a)).tolist() == [100] * 20
    np.testing.assert_array_equal(_levels(a)[np.argsort(a)], np.repeat(np.arange(20), 100))


def test_runs_are_those_alone(rng):
    codes, attributes = rng.standard_normal((2, 300, 4)), rng.standard_normal((300, 2))
    codes[1, :, 0] = attributes[:, 1]
    together = scc_of(codes, attributes)
    assert [scc_of(run, attributes) for run in codes] == pytest.approx(list(together), abs=1e-12)


def test_of_what_a_dataset_measures_and_else_of_its_factors(rng):
    measured = rng.standard_normal((12, 2))
    codes = np.hstack([measured, rng.standard_normal((12, 1))])
    run = Representation(codes, codes, codes[:, 0], (3, 4), measured=measured)
    (found,) = compute(METRICS["scc"], [run])
    assert found["scc"] == pytest.approx(1)
    (other,) = compute(METRICS["scc"], [run._replace(measured=None)])
    assert other["scc"] < 1
    np.testing.assert_array_equal(
        run._replace(measured=None).attributes(np.arange(12)), run.factors(np.arange(12))
    )


@pytest.mark.parametrize("score", [interpretability_of, scc_of])
def test_the_metrics_check_their_arrays(score, rng):
    a = rng.standard_normal((50, 2))
    with pytest.raises(ValueError, match="codes must be finite"):
        score(np.full((50, 2), np.nan), a)
    with pytest.raises(ValueError, match="factors must vary, found one value in column 1"):
        score(a, a * [1, 0])


def test_of_two_samples_no_correlation_is_significant():
    with pytest.raises(ValueError, match="must be three samples at least, found 2"):
        scc_of(np.eye(2), np.arange(2.0)[:, None])
