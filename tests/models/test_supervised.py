"""The supervised encoder learns what images show, and nothing that they do not."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.models import MODELS, SupervisedEncoder

CELLS = jnp.arange(12)
FACTORS = (jnp.stack([CELLS // 4, CELLS % 4], axis=1) - jnp.array([[1, 1.5]])) / jnp.sqrt(
    jnp.array([[2 / 3, 5 / 4]])
)


def images(seen):
    """Images [12, 4, 4, 1] that are a linear function of what is seen of the factors."""
    return (seen @ jax.random.normal(jax.random.key(1), (2, 16))).reshape(-1, 4, 4, 1)


def trained(seen, updates=500, **settings):
    """The mean squared error of each factor after training."""
    settings = {"latents": 2, "network": "linear", "learning_rate": 0.02} | settings
    model, batch = SupervisedEncoder(**settings), {"images": images(seen), "factors": FACTORS}
    state = model.init(jax.random.key(0), batch)

    @jax.jit
    def run(model, state):
        step = lambda _, state: model.update(state, batch, jax.random.key(2))[0]  # noqa: E731
        return jax.lax.fori_loop(0, updates, step, state)

    after = run(model, state)
    assert int(after.step) == updates
    return np.square(model.predict(after, batch["images"]) - FACTORS).mean(axis=0)


def test_factors_that_images_show_are_told_exactly():
    np.testing.assert_allclose(trained(FACTORS), 0, atol=1e-4)
    np.testing.assert_allclose(trained(FACTORS, network="mlp"), 0, atol=1e-2)


def test_a_factor_that_images_do_not_show_is_told_no_better_than_by_its_mean():
    hidden = FACTORS.at[:, 1].set(0)
    np.testing.assert_allclose(trained(hidden), [0, 1], atol=1e-4)


def test_the_loss_is_that_of_the_targets_and_its_gradient_the_written_one():
    model = SupervisedEncoder(latents=2, network="linear", learning_rate=0.0)
    batch = {"images": images(FACTORS), "factors": FACTORS}
    state = model.init(jax.random.key(0), batch)
    _, logs = model.update(state, batch, jax.random.key(2))
    error = np.asarray(model.predict(state, batch["images"]) - FACTORS, np.float64)
    assert float(logs["loss"]) == pytest.approx((error**2).mean(), rel=1e-5)
    grads = jax.grad(model.loss)(state.params, state, batch)["params"]
    x = np.asarray(batch["images"], np.float64).reshape(12, 16)
    expected = np.concatenate([x, np.ones((12, 1))], axis=1).T @ error * 2 / error.size
    np.testing.assert_allclose(grads["mean"]["weights"], expected, rtol=1e-4, atol=1e-6)
    assert not np.any(grads["log_var"]["weights"])


def test_the_learning_rate_is_traced_and_everything_else_is_structure():
    one, two = SupervisedEncoder(latents=2), SupervisedEncoder(latents=2, learning_rate=1.0)
    assert jax.tree.structure(one) == jax.tree.structure(two)
    assert jax.tree.leaves(two) == [1.0]
    assert jax.tree.structure(one) != jax.tree.structure(SupervisedEncoder(latents=3))
    rates = jax.jit(jax.vmap(lambda model: 2 * model.learning_rate))
    stack = partial(jax.tree.map, lambda *leaves: np.asarray(leaves))
    np.testing.assert_allclose(rates(stack(one, two)), [2e-4, 2.0])


def test_it_has_the_network_that_fits_and_is_no_method():
    assert SupervisedEncoder(latents=2).resolved((16, 16, 1)).network == "mlp"
    assert SupervisedEncoder(latents=2).resolved((64, 64, 3)).network == "conv"
    assert SupervisedEncoder.name not in MODELS
