import jax
import numpy as np
import pytest

from soberlook.models import BetaVAE


@pytest.fixture
def step():
    """A state, a batch and a key."""
    x = jax.random.uniform(jax.random.key(1), (8, 4, 4, 1))
    model = BetaVAE(latents=3)
    state = model.init(jax.random.key(0), {"images": x})
    return state, {"images": x}, jax.random.key(2)


def test_loss_is_the_formula(step):
    state, batch, key = step
    loss, logs = BetaVAE(beta=3.5, latents=3).loss(state.params, state, batch, key)

    # The same again in float64 numpy, from the weights and the noise alone.
    def dense(name, part, h):
        weights = np.float64(state.params[part]["params"][name]["weights"])
        return np.concatenate([h, np.ones((len(h), 1))], axis=1) @ weights

    x = np.float64(batch["images"]).reshape(8, -1)
    h = np.maximum(dense("Dense_0", "encoder", x), 0)
    h = np.maximum(dense("Dense_1", "encoder", h), 0)
    mean, log_var = dense("mean", "encoder", h), dense("log_var", "encoder", h)
    eps = np.float64(jax.random.normal(jax.random.fold_in(key, 0), (8, 3)))
    h = mean + np.sqrt(np.exp(log_var)) * eps
    h = np.maximum(dense("Dense_0", "decoder", h), 0)
    h = np.maximum(dense("Dense_1", "decoder", h), 0)
    p = 1 / (1 + np.exp(-dense("Dense_2", "decoder", h)))
    reconstruction = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(1).mean()
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(1).mean()
    np.testing.assert_allclose(loss, reconstruction + 3.5 * kl, rtol=1e-6)
    np.testing.assert_allclose(logs["reconstruction"], reconstruction, rtol=1e-6)
    np.testing.assert_allclose(logs["kl"], kl, rtol=1e-5)


def test_beta_zero_gives_no_gradient_of_the_kl(step):
    state, batch, key = step

    def gradient(beta):
        grad = jax.grad(BetaVAE(beta=beta, latents=3).loss, has_aux=True)
        return grad(state.params, state, batch, key)[0]

    def reconstruction(params):
        model = BetaVAE(latents=3)
        posterior = model.encode(state.replace(params=params), batch["images"])
        z = posterior.sample(jax.random.fold_in(key, 0))
        return -model.decode(state.replace(params=params), z).log_prob(batch["images"]).mean()

    only_reconstruction = jax.grad(reconstruction)(state.params)
    for a, b in zip(
        jax.tree.leaves(gradient(0.0)), jax.tree.leaves(only_reconstruction), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    encoders = (g["encoder"]["params"]["mean"]["weights"] for g in (gradient(0.0), gradient(1.0)))
    assert not np.allclose(*encoders)
