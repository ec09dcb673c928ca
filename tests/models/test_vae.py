"""The evidence lower bound of a linear-Gaussian model has a closed form; ours must be it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from soberlook.models import BetaVAE

D, Z = 6, 2


@pytest.fixture
def linear():
    """p(z) = N(0, I), p(x|z) = N(W z + b, I) with orthogonal columns, so that the posterior is
    diagonal: q(z|x) = N(A x + c, diag(s²)) is exact for A = M⁻¹Wᵀ, c = −A b, s² = diag(M⁻¹),
    M = WᵀW + I."""
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.standard_normal((D, Z)))
    w, b = q * [2.0, 0.7], rng.standard_normal(D)
    precision = w.T @ w + np.eye(Z)
    a = np.linalg.solve(precision, w.T)
    x = rng.standard_normal((5, D))
    model = BetaVAE(beta=1, latents=Z, network="linear", likelihood="gaussian")
    state = model.init(jax.random.key(0), {"images": jnp.zeros((1, D, 1, 1))})
    encoder = {
        "mean": np.vstack([a.T, -(a @ b)]),
        "log_var": np.vstack([np.zeros((D, Z)), -np.log(np.diag(precision))]),
    }
    params = {
        "encoder": {"params": {k: {"weights": jnp.float32(v)} for k, v in encoder.items()}},
        "decoder": {"params": {"Dense_0": {"weights": jnp.float32(np.vstack([w.T, b]))}}},
    }
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, state.params)
    return model, state, params, x, w, b, a, precision


def sampled_losses(model, state, params, x, count=20_000):
    batch = {"images": jnp.float32(x).reshape(-1, D, 1, 1)}
    keys = jax.random.split(jax.random.key(3), count)
    loss = jax.jit(jax.vmap(lambda key: model.loss(params, state, batch, key)[0]))
    return np.float64(loss(keys))


def test_elbo_of_the_exact_posterior_is_the_log_evidence(linear):
    model, state, params, x, w, b, *_ = linear
    losses = sampled_losses(model, state, params, x)
    log_evidence = multivariate_normal(b, w @ w.T + np.eye(D)).logpdf(x).mean()
    standard_error = losses.std() / np.sqrt(len(losses))
    assert standard_error < 0.01
    assert abs(losses.mean() + log_evidence) < 4 * standard_error + 1e-4


def test_elbo_of_another_posterior_is_its_closed_form(linear):
    model, state, params, x, w, b, a, precision = linear
    log_var = -np.log(np.diag(precision)) + np.array([0.8, -0.5])
    shifted = np.vstack([a.T, -(a @ b) + 0.4])
    params["encoder"]["params"]["mean"]["weights"] = jnp.float32(shifted)
    params["encoder"]["params"]["log_var"]["weights"] = jnp.float32(
        np.vstack([np.zeros((D, Z)), log_var])
    )
    m, s2 = x @ a.T - a @ b + 0.4, np.exp(log_var)
    squared = ((x - m @ w.T - b) ** 2).sum(1) + (w**2 @ s2).sum()
    log_likelihood = -0.5 * (squared + D * np.log(2 * np.pi))
    kl = 0.5 * (m**2 + s2 - log_var - 1).sum(1)
    losses = sampled_losses(model, state, params, x)
    standard_error = losses.std() / np.sqrt(len(losses))
    assert abs(losses.mean() - (kl - log_likelihood).mean()) < 4 * standard_error + 1e-4
