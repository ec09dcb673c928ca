"""The closed forms against draws, against SciPy's integrals, and where nothing may be left."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from soberlook.datasets import CausalModel
from soberlook.datasets.causal_model import NOISE, RHO, STRATA, TAU
from soberlook.datasets.columns import decode

MODEL = CausalModel()
MODELS = [MODEL, CausalModel(w=-2.0, v=-0.5, p=1.5, confounding=0.9), CausalModel(v=0.0)]
DRAWS = 400_000
ERROR = 4 * np.sqrt(0.5 / DRAWS)  # four standard errors of a difference of two shares, at most


@pytest.fixture(scope="module", params=MODELS, ids=str)
def drawn(request):
    """A model, causes drawn from it, and outcomes under do(0) and do(1)."""
    model = request.param
    causes = model.causes(jax.random.key(0), (DRAWS,))
    return model, causes, [model.outcomes(causes, a) for a in (0, 1)]


def u_r_density(u):
    spread = np.sqrt(1 - RHO**2)
    return (stats.norm.pdf(u, -RHO, spread) + stats.norm.pdf(u, RHO, spread)) / 2


def effect_between(model, low, high):
    """E[(y(1) − y(0)) 1[low < u_r < high]], by integrating over u_r."""

    def label(a, u):
        descendant = stats.norm.cdf(model.w * a / np.sqrt(1 + NOISE**2))
        return (model.v * a + u > 0) * (1 - descendant) + (
            model.v * a + model.p + u > 0
        ) * descendant

    kinks = sorted({0.0, -model.v, -model.p, -model.v - model.p, low, high})
    kinks = [kink for kink in kinks if low <= kink <= high]
    return sum(
        integrate.quad(lambda u: (label(1, u) - label(0, u)) * u_r_density(u), *piece)[0]
        for piece in zip(kinks, kinks[1:], strict=False)
    )


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_effects_are_the_integrals(model):
    np.testing.assert_allclose(model.total_effect(), effect_between(model, -6, 6), atol=1e-7)
    bounds = np.clip(list(STRATA.values()), -6, 6)
    shares = [integrate.quad(u_r_density, *interval)[0] for interval in bounds]
    effects = [effect_between(model, *interval) for interval in bounds]
    expected = np.array(effects) / shares
    np.testing.assert_allclose(model.stratum_effects(), expected, atol=1e-7)
    # The strata's effects make up the total one.
    np.testing.assert_allclose(model.stratum_effects() @ shares, model.total_effect(), atol=1e-7)


def test_effects_are_those_of_intervening(drawn):
    model, _, (without, with_a) = drawn
    change = np.asarray(with_a["y"]) - np.asarray(without["y"])
    assert abs(change.mean() - model.total_effect()) < ERROR
    strata = np.stack([without["x_r1"], without["x_r2"]], axis=1)
    for stratum, expected in zip(STRATA, model.stratum_effects(), strict=True):
        inside = (strata == stratum).all(axis=1)
        assert abs(change[inside].mean() - expected) < ERROR / np.sqrt(inside.mean())


def test_what_is_observed_is_another_difference(drawn):
    model, causes, _ = drawn
    a = np.asarray(causes["a"])
    y = np.asarray(model.outcomes(causes, causes["a"])["y"])
    difference = y[a == 1].mean() - y[a == 0].mean()
    assert abs(difference - model.observed_difference()) < 1.5 * ERROR
    assert model.observed_difference() - model.total_effect() > 0.1


def test_without_a_confounder_what_is_observed_is_the_effect():
    model = CausalModel(confounding=0.0)
    assert abs(model.observed_difference() - model.total_effect()) < 1e-12


@pytest.mark.parametrize("nothing", [{"v": 0.0, "p": 0.0}, {"v": 0.0, "w": 0.0}])
def test_no_way_from_a_to_y_is_no_effect_exactly(nothing):
    model = CausalModel(**nothing)
    assert model.total_effect() == 0
    assert (model.stratum_effects() == 0).all()
    assert model.observed_difference() > 0.2
    causes = model.causes(jax.random.key(1), (10_000,))
    labels = [model.outcomes(causes, a)["y"] for a in (0, 1)]
    np.testing.assert_array_equal(*labels)


def test_the_attribute_and_u_r_correlate_through_c_alone(drawn):
    model, causes, _ = drawn
    a, c, u_r, u_d = (np.asarray(causes[name], float) for name in ("a", "c", "u_r", "u_d"))
    for value, mean, deviation in ((a, 0.5, 0.5), (c, 0.5, 0.5), (u_r, 0, 1), (u_d, 0, 1)):
        assert abs(value.mean() - mean) < 0.008 and abs(value.std() - deviation) < 0.008
    assert abs(np.corrcoef(a, u_r)[0, 1] - model.confounding * RHO) < 0.008
    for value in (0, 1):
        assert abs(np.corrcoef(a[c == value], u_r[c == value])[0, 1]) < 0.008
    assert np.abs(np.corrcoef([a, u_r, u_d])[2, :2]).max() < 0.008


def test_counterfactuals_change_descendants_only_and_change_back(drawn):
    model, causes, _ = drawn
    fact = model.outcomes(causes, causes["a"])
    other = model.outcomes(causes, 1 - causes["a"])
    for name in model.non_descendants:
        np.testing.assert_array_equal(fact[name], other[name])
    assert (fact["x_d"] != other["x_d"]).any()
    back = model.outcomes(causes, 1 - (1 - causes["a"]))
    for name, value in fact.items():
        np.testing.assert_array_equal(value, back[name])


def test_rows_are_draws():
    rows = MODEL.observe(MODEL.load(), jnp.arange(MODEL.size), jax.random.key(0))
    a, x_r1, x_r2, x_d, y = (np.asarray(value) for value in decode(MODEL.columns, rows))
    assert set(np.unique(rows)) == {0, 1}
    error = 4 * np.sqrt(0.5 / MODEL.size)
    assert abs(a.mean() - 0.5) < error and abs(x_r1.mean() - 0.5) < error
    expected = 2 * integrate.quad(u_r_density, TAU, 6)[0]
    assert abs(x_r2.mean() - expected) < error
    difference = y[a == 1].mean() - y[a == 0].mean()
    assert abs(difference - MODEL.observed_difference()) < 1.5 * error
    descendant = stats.norm.cdf(MODEL.w / np.sqrt(1 + NOISE**2))
    assert abs(x_d[a == 1].mean() - descendant) < error
    names = [column.name for column in MODEL.columns]
    grouped = {MODEL.sensitive, MODEL.label, *MODEL.descendants, *MODEL.non_descendants}
    assert grouped == set(names)
