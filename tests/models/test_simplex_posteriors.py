"""Posteriors on the simplex: densities against importance sampling, KL against true draws."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special, stats

from soberlook.models.dir_vae_semi import Classed
from soberlook.models.dirichlet import Dirichlet, MultiGamma
from soberlook.models.logistic_normal_vae import LogisticNormal
from soberlook.models.posteriors import Gaussian
from soberlook.models.sb_vae import Sticks

N = 20_000


def rows(*values, n=N):
    return jnp.broadcast_to(jnp.array(values, jnp.float32), (n, len(values)))


def classed(n=N):
    a = jnp.array([[0.5, 0.9, 0.4], [1.5, 0.3, 0.6]])
    a = jnp.broadcast_to(a, (n, 2, 3))
    return Classed(rows(0.3, -0.5, n=n), MultiGamma(a, jnp.full(a.shape, 0.8)))


POSTERIORS = {
    "near": MultiGamma(rows(0.3, 0.6, 0.9), rows(0.98, 0.98, 0.98)),
    "small": MultiGamma(rows(0.02, 0.02, 0.05), rows(0.02, 0.02, 0.02)),
    "underflow": MultiGamma(rows(1e-3, 1e-3, 2e-3), rows(1e-2, 1e-3, 1e-3)),
    "wide": MultiGamma(rows(2.0, 1.5, 0.5), rows(1.5, 1.5, 0.7)),
    "sticks": Sticks(rows(0.5, 2.0), rows(0.7, 1.0), rows(1.0, 1.0)),
    "short sticks": Sticks(rows(0.05, 0.1), rows(0.05, 0.1), rows(0.3, 0.3)),
    "normal": LogisticNormal(Gaussian(rows(0.5, -0.3, 0.2), rows(-0.5, -0.2, -0.1)), rows(3.0)),
    "classed": classed(),
}


@partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
def draw(q, key):
    key, key_prior = jax.random.split(key)
    z = q.sample(key)
    return z, q.log_ratio(z), q.sample_prior(key_prior)


@pytest.mark.parametrize("name", POSTERIORS)
def test_weighted_by_p_over_q_samples_are_the_priors(name):
    """E_q[p/q] = 1 and E_q[z p/q] = E_p[z]: the density is that of the sampler."""
    q = POSTERIORS[name]

    z, log_ratio, prior = (np.float64(a) for a in draw(q, jax.random.key(0)))
    w = np.exp(log_ratio)
    assert (
        w.mean() == pytest.approx(1, abs=4 * w.std() / np.sqrt(N)) and w.std() / np.sqrt(N) < 0.02
    )
    for k in range(z.shape[1]):
        error = np.hypot((w * z[:, k]).std(), prior[:, k].std()) / np.sqrt(N)
        assert (w * z[:, k]).mean() == pytest.approx(prior[:, k].mean(), abs=4 * error)
    for codes in (z, prior):
        simplex = codes[:, :3] if name == "classed" else codes
        assert (codes >= 0).all()
        np.testing.assert_allclose(simplex.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("low", [1e-3, 1e-1, 1.0, 1e2])
def test_codes_lie_on_the_simplex_and_have_finite_gradients(low):
    u = jax.random.uniform(jax.random.key(1), (200, 50), minval=-1, maxval=1)
    concentration = jnp.clip(low * jnp.exp(3 * u), 1e-3, 1e2)

    def z(a):
        return MultiGamma(a, jnp.ones_like(a)).sample(jax.random.key(2))

    found = np.asarray(z(concentration))
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    weights = jax.random.normal(jax.random.key(3), found.shape)
    gradient = jax.grad(lambda a: (weights * z(a)).sum())(concentration)
    assert np.isfinite(gradient).all() and (gradient != 0).any()


@pytest.mark.parametrize("a", [0.2, 0.5, 0.98, 2.0, 5.0])
def test_the_approximate_gamma_has_the_mean_of_its_inverse(a):
    """E[v] = (α Γ(α))^(1/α) α / (1 + α) and not α; told by the ratio to another of bound 1."""
    q = MultiGamma(rows(a, n=1), rows(a, n=1))
    bound = float(np.exp(q._log_bound[0, 0]))
    assert bound == pytest.approx(special.gamma(1 + a) ** (1 / a), rel=1e-5)
    published = {0.2: 0.1088, 0.5: 0.2618, 0.98: 0.4908, 2.0: 0.943, 5.0: 2.171}
    assert bound * a / (1 + a) == pytest.approx(published[a], rel=2e-3)
    # With v' uniform (α = 1, bound 1), z / (1 − z) = v / v': E[min(v / v', 1)] by quadrature.
    pair = MultiGamma(rows(a, 1.0), rows(1.0, 1.0))
    z = np.float64(pair.sample(jax.random.key(0))[:, 0])
    expected, _ = integrate.dblquad(
        lambda w, u: min(bound * u ** (1 / a) / w, 1), 0, 1, 0, 1, epsabs=1e-4
    )
    ratio = np.minimum(z / (1 - z), 1)
    assert ratio.mean() == pytest.approx(expected, abs=4 * ratio.std() / np.sqrt(N) + 1e-3)


def test_means_on_the_simplex():
    def mean(*a):
        return np.asarray(MultiGamma(rows(*a), rows(*a)).sample(jax.random.key(0))).mean(axis=0)

    for a in (0.3, 0.98, 3.0):
        np.testing.assert_allclose(mean(a, a, a, a), 0.25, atol=4 * 0.4 / np.sqrt(N))
    for a in ((0.3, 0.6, 2.1), (0.2, 0.2, 1.6)):
        np.testing.assert_allclose(mean(*a), np.array(a) / sum(a), atol=0.015)
        true = np.asarray(jax.random.dirichlet(jax.random.key(1), jnp.array(a), (N,))).mean(axis=0)
        np.testing.assert_allclose(mean(*a), true, atol=0.015)
    np.testing.assert_allclose(mean(0.3, 0.6, 2.1), [0.105, 0.206, 0.688], atol=3e-3)
    np.testing.assert_allclose(mean(0.2, 0.2, 1.6), [0.103, 0.103, 0.794], atol=3e-3)


def test_kl_of_gammas_and_of_dirichlets():
    a, b = np.array([0.3, 1.7, 0.9, 4.0]), np.array([0.98, 0.5, 0.98, 2.0])
    rng = np.random.default_rng(0)
    v = rng.gamma(a, size=(400_000, 4))
    of_gammas = (stats.gamma(a).logpdf(v) - stats.gamma(b).logpdf(v)).mean(axis=0)
    q = MultiGamma(rows(*a, n=2), rows(*b, n=2))
    np.testing.assert_allclose(q.kl_per_latent()[0], of_gammas, atol=1e-2)
    of_dirichlets = special.gammaln(a.sum()) - special.gammaln(b.sum())
    of_dirichlets += (special.gammaln(b) - special.gammaln(a)).sum()
    of_dirichlets += (a - b) @ (special.digamma(a) - special.digamma(a.sum()))
    q = Dirichlet(*q)
    np.testing.assert_allclose(q.kl(), of_dirichlets, rtol=1e-5)
    # By true draws: the constants of the two densities, and the mean of what depends on z.
    log_z = np.log(v / v.sum(axis=1, keepdims=True))
    constants = [special.gammaln(x.sum()) - special.gammaln(x).sum() for x in (a, b)]
    expected = log_z.mean(axis=0) @ (a - b) + constants[0] - constants[1]
    assert q.kl()[0] == pytest.approx(expected, abs=0.02)
    for cls in (MultiGamma, Dirichlet):
        equal = cls(rows(*a, n=2), rows(*a, n=2)).kl()
        np.testing.assert_allclose(equal, 0, atol=1e-5)


@pytest.mark.parametrize("b", [0.02, 0.05, 0.2])
@pytest.mark.parametrize("a", [0.05, 1.0, 3.0])
def test_what_is_left_of_a_stick_and_its_gradient(a, b):
    """log(1 − v) and its derivative by b against float64, by central differences."""
    u = np.float32([1e-6, 1e-3, 0.05, 0.3, 0.4, 0.5, 0.7, 0.9, 0.99])

    def rest(b):
        return Sticks(jnp.full(9, a), b, jnp.ones(9)).broken(u)[1]

    def exact(b):
        power = np.log(np.float64(u)) / b
        log_v = np.log1p(-np.exp(power)) / a
        # Below the least float64 that 1 can be told from: v = 1 − e^power / a.
        small = power - np.log(a)
        return np.where(power < -30, small, np.log(-np.expm1(np.minimum(log_v, -1e-300))))

    expected, slope = exact(b), (exact(b * 1.0001) - exact(b * 0.9999)) / (2e-4 * b)
    assert expected.min() < -50
    np.testing.assert_allclose(rest(jnp.full(9, b)), expected, rtol=1e-4, atol=1e-6)
    found = jax.grad(lambda b: rest(b).sum())(jnp.full(9, b))
    np.testing.assert_allclose(found, slope, rtol=1e-3, atol=1e-6)


def kumaraswamy(a, b):
    v = np.linspace(0, 1, 2_000_001)[1:-1]
    return v, a * b * v ** (a - 1) * (1 - v**a) ** (b - 1)


@pytest.mark.parametrize(("a", "b", "alpha"), [(2.0, 3.0, 1.0), (1.5, 2.0, 5.0), (1.0, 4.0, 3.0)])
def test_kl_and_mean_of_a_stick(a, b, alpha):
    v, density = kumaraswamy(a, b)
    prior = stats.beta(1, alpha).pdf(v)
    kl = np.trapezoid(density * np.log(density / prior), v)
    q = Sticks(rows(a, a, n=1), rows(b, b, n=1), rows(alpha, alpha, n=1))
    # What ten terms leave out of −E[log(1 − v)], which comes with the weight α − 1.
    terms = np.arange(11, 100_000)
    left_out = (b / (terms + a * b) * special.beta(terms / a, b)).sum()
    np.testing.assert_allclose(
        q.kl_per_latent()[0], [kl - (alpha - 1) * left_out] * 2 + [0], atol=2e-4
    )
    mean = np.trapezoid(density * v, v)
    expected = [mean, mean * (1 - mean), (1 - mean) ** 2]
    np.testing.assert_allclose(q.mean[0], expected, rtol=1e-4)


def test_kl_of_a_logistic_normal_is_the_gaussians():
    g = Gaussian(rows(0.5, -1.0, n=3), rows(0.3, -2.0, n=3))
    np.testing.assert_array_equal(LogisticNormal(g, rows(2.0, n=3)).kl(), g.kl())


def test_kl_of_a_class_and_a_code():
    """Σ_y q(y) [KL_z(y) + log q(y) − log p(y)], and none where both are the prior's."""
    q = classed(2)
    weights = np.float64(special.softmax(np.float64(q.logits[0])))
    per_class = np.float64(q.given.kl()[0])
    expected = weights @ (per_class + np.log(weights) + np.log(2))
    np.testing.assert_allclose(q.kl(), expected, rtol=1e-5)
    prior = Classed(0 * q.logits, MultiGamma(q.given.prior, q.given.prior))
    np.testing.assert_allclose(prior.kl(), 0, atol=1e-6)
    means = np.float64(q.given.mean[0])
    np.testing.assert_allclose(q.mean[0], [*(weights @ means), *weights], rtol=1e-5)
