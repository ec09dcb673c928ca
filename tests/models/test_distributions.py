"""Posteriors and likelihoods against scipy, also where floating point is thin."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from soberlook.models import likelihoods, posteriors


def test_gaussian_kl_and_sample():
    mean, log_var = jnp.array([[0.5, -2.0]]), jnp.array([[0.3, -1.0]])
    q = posteriors.Gaussian(mean, log_var)
    z = np.linspace(-15, 15, 200_001)
    for j in range(2):
        log_q = stats.norm(mean[0, j], np.exp(log_var[0, j] / 2)).logpdf(z)
        kl = np.trapezoid(np.exp(log_q) * (log_q - stats.norm.logpdf(z)), z)
        np.testing.assert_allclose(q.kl_per_latent()[0, j], kl, rtol=1e-5)
    np.testing.assert_allclose(q.kl(), q.kl_per_latent().sum(axis=1))
    draws = jax.vmap(q.sample)(jax.random.split(jax.random.key(0), 40_000))[:, 0]
    np.testing.assert_allclose(draws.mean(axis=0), mean[0], atol=0.03)
    np.testing.assert_allclose(draws.std(axis=0), jnp.exp(log_var[0] / 2), rtol=0.02)


def test_bernoulli_is_exact_at_extreme_logits():
    logits = np.array([-200.0, -100, -20, -1, 0, 1, 20, 100, 200])
    for x in (0.0, 0.3, 1.0):
        p = likelihoods.Bernoulli(jnp.float32(logits).reshape(-1, 1, 1, 1))
        # log σ(l) = −log(1 + e^−l), in float64 by logaddexp
        expected = -x * np.logaddexp(0, -logits) - (1 - x) * np.logaddexp(0, logits)
        log_prob = p.log_prob(jnp.full((9, 1, 1, 1), x))
        np.testing.assert_allclose(log_prob, expected, rtol=1e-6, atol=1e-37)
        gradient = jax.grad(lambda p, x=x: p.log_prob(jnp.full((9, 1, 1, 1), x)).sum())(p)
        assert np.isfinite(gradient.logits).all()
    np.testing.assert_allclose(p.mean[4], 0.5)


def test_gaussian_likelihood_keeps_its_constants():
    rng = np.random.default_rng(0)
    mean, x = rng.standard_normal((2, 3, 4, 4, 2)).astype(np.float32)
    expected = stats.norm(mean, 1).logpdf(x).sum(axis=(1, 2, 3))
    found = likelihoods.Gaussian(jnp.array(mean)).log_prob(jnp.array(x))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_laplace_likelihood_keeps_its_constants():
    rng = np.random.default_rng(0)
    mean, x = rng.standard_normal((2, 3, 4, 4, 2)).astype(np.float32)
    expected = stats.laplace(mean, 1).logpdf(x).sum(axis=(1, 2, 3))
    found = likelihoods.Laplace(jnp.array(mean)).log_prob(jnp.array(x))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_gaussian_likelihood_of_any_variance_is_a_density():
    rng = np.random.default_rng(0)
    mean, x = rng.standard_normal((2, 3, 4, 4, 2)).astype(np.float32)
    for shape in ((), (1, 4, 4, 2), (3, 1, 1, 1), (3, 4, 4, 2)):
        log_var = rng.standard_normal(shape).astype(np.float32)
        expected = stats.norm(mean, np.exp(log_var / 2)).logpdf(x).sum(axis=(1, 2, 3))
        found = likelihoods.Gaussian(jnp.array(mean), jnp.array(log_var)).log_prob(jnp.array(x))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
