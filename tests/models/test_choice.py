"""The posterior of normal codes and a choice, against its formulas in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from soberlook.models.choice import GaussianAndChoice
from soberlook.models.posteriors import Gaussian

B, S, K = 5, 2, 4


@pytest.fixture
def q():
    rng = np.random.default_rng(0)
    mean, log_var, logits = rng.standard_normal((B, S)), rng.standard_normal((B, S)), None
    logits = 2 * rng.standard_normal((B, K))
    return GaussianAndChoice(
        Gaussian(*(jnp.asarray(a, jnp.float32) for a in (mean, log_var))),
        jnp.asarray(logits, jnp.float32),
    )


def in_numpy(q):
    mean, log_var, logits = (np.float64(a) for a in (*q.continuous, q.logits))
    e = np.exp(logits)
    return mean, np.exp(log_var / 2), e / e.sum(axis=1, keepdims=True)


def test_densities_and_kl_are_the_formulas(q):
    mean, std, pi = in_numpy(q)
    z = q.sample(jax.random.key(1))
    s, c = np.float64(z[:, :S]), np.asarray(z[:, S:])
    log_q = np.concatenate(
        [stats.norm(mean, std).logpdf(s), np.log((pi * c).sum(axis=1, keepdims=True))], axis=1
    )
    np.testing.assert_allclose(q.log_prob_per_latent(z), log_q, rtol=1e-5, atol=1e-5)
    log_p = stats.norm.logpdf(s).sum(axis=1) - np.log(K)
    np.testing.assert_allclose(q.log_ratio(z), log_p - log_q.sum(axis=1), rtol=1e-5, atol=1e-5)
    kl = 0.5 * (mean**2 + std**2 - np.log(std**2) - 1)
    to_uniform = (pi * np.log(pi * K)).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        q.kl_per_latent(), np.concatenate([kl, to_uniform], axis=1), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(q.mean, np.concatenate([mean, pi], axis=1), rtol=1e-6)


def test_samples_are_true_choices_with_their_probabilities(q):
    *_, pi = in_numpy(q)
    many = jax.vmap(q.sample)(jax.random.split(jax.random.key(2), 4_000))
    c = np.asarray(many[..., S:])
    assert set(np.unique(c)) == {0, 1} and (c.sum(axis=-1) == 1).all()
    np.testing.assert_allclose(c.mean(axis=0), pi, atol=0.03)
    prior = jax.vmap(q.sample_prior)(jax.random.split(jax.random.key(3), 4_000))
    np.testing.assert_allclose(prior[..., S:].mean(axis=0), np.full((B, K), 1 / K), atol=0.03)
    np.testing.assert_allclose(prior[..., :S].std(axis=0), np.ones((B, S)), atol=0.05)


def test_relaxed_samples_lie_in_the_simplex_and_harden_as_they_cool(q):
    *_, pi = in_numpy(q)
    keys = jax.random.split(jax.random.key(4), 4_000)
    warm, cold = (np.asarray(jax.vmap(q.relaxed, (0, None))(keys, t)[..., S:]) for t in (1.0, 0.01))
    for c in (warm, cold):
        np.testing.assert_allclose(c.sum(axis=-1), 1, rtol=1e-5)
        # The largest is the same at any temperature, and a draw of the choice (Gumbel's maximum).
        np.testing.assert_array_equal(c.argmax(axis=-1), cold.argmax(axis=-1))
    assert warm.max(axis=-1).mean() < 0.9 and cold.max(axis=-1).mean() > 0.98
    chosen = np.eye(K)[cold.argmax(axis=-1)].mean(axis=0)
    np.testing.assert_allclose(chosen, pi, atol=0.03)
    # exp of a relaxed sample's definition, with the noise of its key: softmax((log π + g) / T).
    _, key = jax.random.split(keys[0])
    exponent = (np.log(pi) + np.float64(jax.random.gumbel(key, (B, K)))) / 0.7
    expected = np.exp(exponent) / np.exp(exponent).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(q.relaxed(keys[0], 0.7)[:, S:], expected, rtol=1e-4, atol=1e-6)


def test_gradients_reach_the_probabilities_through_relaxed_samples_alone(q):
    def gradient(sample):
        def score(logits):
            return (sample(q._replace(logits=logits))[:, S:] @ jnp.arange(K)).sum()

        return jax.grad(score)(q.logits)

    assert (gradient(lambda q: q.relaxed(jax.random.key(0), 1.0)) != 0).any()
    assert (gradient(lambda q: q.sample(jax.random.key(0))) == 0).all()
