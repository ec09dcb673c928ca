"""NashAE: its losses against numpy, what its gradient passes, and the latents it leaves alive."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.benchmark import train
from soberlook.datasets import MiniSprites
from soberlook.models import NashAE, Terms
from soberlook.models.adam import adam
from soberlook.models.nash_ae import covariance, r2
from soberlook.models.posteriors import Point

B, Z = 12, 4
BATCH = {"images": jax.random.uniform(jax.random.key(1), (B, 4, 4, 1))}
SMALL = {"latents": Z, "network": "linear", "predictor_widths": (5, 6)}


def model_and_state(**settings):
    model = NashAE(**SMALL | settings)
    return model, jax.jit(model.init)(jax.random.key(0), BATCH)


def numpy_prediction(predictors, z):
    """ρ_i(z_−i) [b, z] in float64 from the weights alone."""
    layers = [np.float64(layer["weights"]) for layer in predictors["params"].values()]
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    predicted = np.zeros(z.shape)
    for i in range(z.shape[1]):
        h = np.float64(z).copy()
        h[:, i] = 0
        for number, weights in enumerate(layers):
            h = np.concatenate([h, np.ones((len(h), 1))], axis=1) @ weights[i]
            if number < len(layers) - 1:
                h = scale * np.where(h > 0, h, alpha * np.expm1(h))
        predicted[:, i] = h[:, 0]
    return predicted


def test_loss():
    model, state = model_and_state(lambda_cov=0.3, predictor_learning_rate=0)
    _, logs = jax.jit(model.update)(state, BATCH, jax.random.key(2))
    z = np.float64(model.encode(state, BATCH["images"]).mean)
    assert z.min() > 0 and z.max() < 1
    rho = numpy_prediction(state.extra["predictors"], z)
    squared = np.square(np.float64(model.decode(state, jnp.float32(z)).mean - BATCH["images"]))
    constant = 0.5 * np.log(2 * np.pi)
    covariances = [np.cov(z[:, i], rho[:, i], bias=True)[0, 1] for i in range(Z)]
    expected = 0.7 * (0.5 * squared.mean() + constant) + 0.3 * np.sum(covariances)
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-6)
    assert float(logs["covariance"]) == pytest.approx(np.sum(covariances), rel=1e-3, abs=1e-7)
    assert float(logs["reconstruction"]) / 16 == pytest.approx(
        0.5 * squared.mean() + constant, rel=1e-6
    )
    loss = model.predictor_loss(state.extra["predictors"], jnp.float32(z))
    assert float(loss) == pytest.approx(0.5 * np.square(rho - z).mean(), rel=1e-5)


def test_a_predictor_does_not_see_its_own_code():
    model, state = model_and_state()
    z = jax.random.uniform(jax.random.key(3), (Z,))
    jacobian = jax.jacobian(lambda z: model.predict(state.extra["predictors"], z[None])[0])(z)
    assert not jnp.diag(jacobian).any()
    assert (np.abs(jacobian) > 1e-4).sum() > Z * (Z - 2)


def test_the_gradient_reaches_codes_through_what_predictors_see_alone():
    model, state = model_and_state(lambda_cov=1)
    z = jax.random.uniform(jax.random.key(3), (B, Z))

    def loss(z, state):
        terms = Terms(state, BATCH["images"], Point(z), z, jnp.ones(B), BATCH, jax.random.key(0))
        return model.objective(terms)[0]

    predict = jax.vmap(lambda z: model.predict(state.extra["predictors"], z[None])[0])
    jacobian = np.float64(jax.vmap(jax.jacobian(lambda z: predict(z[None])[0]))(z))  # [b, i, j]
    centred = np.float64(z) - np.float64(z).mean(axis=0)
    expected = np.einsum("bi,bij->bj", centred, jacobian) / B
    np.testing.assert_allclose(jax.grad(loss)(z, state), expected, rtol=1e-4, atol=1e-7)
    assert np.abs(expected).max() > 1e-3

    first = state.extra["predictors"]["params"] | {
        "Dense_0": jax.tree.map(jnp.zeros_like, state.extra["predictors"]["params"]["Dense_0"])
    }
    blind = state.replace(extra=state.extra | {"predictors": {"params": first}})
    grads = jax.grad(lambda p: model.loss(p, blind, BATCH, jax.random.key(0))[0])(state.params)
    assert not any(leaf.any() for leaf in jax.tree.leaves(grads))
    grads = jax.grad(lambda p: model.loss(p, state, BATCH, jax.random.key(0))[0])(state.params)
    assert all(leaf.any() for leaf in jax.tree.leaves(grads["encoder"]))


def test_at_lambda_0_it_is_the_plain_autoencoder():
    model, state = model_and_state(lambda_cov=0)

    def squared_error(params):
        own = state.replace(params=params)
        decoded = model.decode(own, model.encode(own, BATCH["images"]).mean).mean
        return 0.5 * jnp.mean(jnp.square(decoded - BATCH["images"]))

    found = jax.grad(lambda p: model.loss(p, state, BATCH, jax.random.key(0))[0])(state.params)
    expected = jax.grad(squared_error)(state.params)
    for a, b in zip(*map(jax.tree.leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-8)


def test_predictors_are_taught_first_and_on_the_same_codes():
    model, state = model_and_state(predictor_steps=3)
    after, logs = model.update(state, BATCH, jax.random.key(0))
    z = model.encode(state, BATCH["images"]).mean
    predictors, opt = state.extra["predictors"], state.extra["opt"]
    for _ in range(3):
        grads = jax.grad(model.predictor_loss)(predictors, z)
        updates, opt = adam(1e-2).update(grads, opt)
        predictors = jax.tree.map(jnp.add, predictors, updates)
    for a, b in zip(*map(jax.tree.leaves, (after.extra["predictors"], predictors)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    expected = covariance(z, model.predict(predictors, z)).sum()
    assert float(logs["covariance"]) == pytest.approx(float(expected), rel=1e-3, abs=1e-6)


def test_predictors_find_what_codes_know_of_each_other():
    # Gaussian codes: S_ii − 1 / (S⁻¹)_ii is the covariance with the best prediction, the same over
    # S_ii is R². A pair with correlation .9 and a code on its own: R² .81, .81 and 0.
    s = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])
    rng = np.random.default_rng(0)
    z = rng.multivariate_normal(np.zeros(3), s, size=1_000)
    # With exactly these moments.
    z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, bias=True))).T
    z = jnp.float32(z @ np.linalg.cholesky(s).T)
    model = NashAE(latents=3, predictor_steps=400, predictor_widths=(8,))
    extra = model.init(jax.random.key(0), BATCH).extra
    predicted = model.predict(jax.jit(model.taught)(extra, z)["predictors"], z)
    expected = np.diag(s) - 1 / np.diag(np.linalg.inv(s))
    np.testing.assert_allclose(expected, [0.81, 0.81, 0])
    np.testing.assert_allclose(covariance(z, predicted), expected, atol=0.02)
    np.testing.assert_allclose(r2(z, predicted), expected, atol=0.02)


def test_dead_codes_are_no_evidence():
    dead = jnp.full((B, 1), 0.3)
    z = jnp.concatenate([dead, jax.random.uniform(jax.random.key(3), (B, 1))], axis=1)
    np.testing.assert_allclose(r2(z, z), [0, 1], rtol=1e-4)
    assert np.isfinite(jax.grad(lambda z: r2(z, z).sum())(z)).all()
    np.testing.assert_allclose(covariance(z, z)[0], 0, atol=1e-7)


def test_without_its_covariance_it_uses_all_codes_and_with_nothing_else_none():
    dataset = MiniSprites()
    models = [NashAE(lambda_cov=value, latents=8, network="mlp") for value in (0, 0.4, 1)]
    stacked = jax.tree.map(lambda *x: np.float32(x), *models)

    @jax.jit
    @partial(jax.vmap, in_axes=(0, None))
    def run(model, data):
        def inputs(step):
            return train.step_inputs(model, 0, step, dataset, data, 64)

        def update(step, now):
            return model.update(now[0], *inputs(step))

        first = model.update(model.init(jax.random.key(0), inputs(0)[0]), *inputs(0))
        return jax.lax.fori_loop(1, 300, update, first)[1]

    logs = run(stacked, dataset.load())
    live = list(logs["live"])
    assert live[0] == 8 and 0 < live[1] < 6 and live[2] == 0  # five factors
    plain, _, alone = logs["reconstruction"]
    assert alone > plain + 1 and logs["predictability"][2] == 0  # it is not because all is well
