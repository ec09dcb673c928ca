"""The autoregressive decoder: who reads whom, a distribution over all images, and pictures."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.models import BetaVAE, networks

SHAPE = (3, 3, 1)
D = 9


def start(model, shape=SHAPE, scale=1.0):
    """A state with random parameters of some size, biases too."""
    model = model.resolved(shape)
    state = jax.jit(model.init)(jax.random.key(0), {"images": jnp.zeros((1, *shape))})
    rng = np.random.default_rng(0)

    def noise(leaf):
        return jnp.float32(scale * rng.standard_normal(leaf.shape))

    return state.replace(params=jax.tree.map(noise, state.params))


@pytest.fixture
def made():
    model = BetaVAE(network="made", latents=2)
    return model, start(model, scale=0.3), jnp.array([[0.7, -1.0], [2.0, 0.1]])


def test_a_pixel_depends_on_all_pixels_before_it_and_on_no_other(made):
    model, state, z = made
    x = jax.random.uniform(jax.random.key(1), (1, *SHAPE))

    def logits(x, z):
        return model.outputs_of(state, z, x).reshape(D)

    by_x, by_z = jax.jacobian(logits, argnums=(0, 1))(x, z[:1])
    depends = np.asarray(by_x).reshape(D, D) != 0
    np.testing.assert_array_equal(depends, np.tri(D, k=-1, dtype=bool))
    assert (by_z != 0).all()


def test_probabilities_of_all_images_sum_to_one(made):
    model, state, z = made
    images = jnp.array(list(itertools.product([0.0, 1.0], repeat=D))).reshape(-1, *SHAPE)

    def log_prob(code):
        return model.decode(state, jnp.tile(code, (len(images), 1))).log_prob(images)

    log_p = np.float64(jax.jit(jax.vmap(log_prob))(z))
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-5)
    assert np.abs(log_p[0] - log_p[1]).max() > 0.1  # it reads the code


def test_its_picture_is_the_mean_of_each_pixel_given_those_before(made):
    model, state, z = made
    x = np.zeros((2, D), np.float32)
    for i in range(D):
        p = jax.nn.sigmoid(model.outputs_of(state, z, x.reshape(2, *SHAPE))).reshape(2, D)
        x[:, i] = p[:, i]
    likelihood = model.decode(state, z)
    np.testing.assert_allclose(likelihood.mean.reshape(2, D), x, rtol=1e-5)
    assert np.ptp(x) > 0.2


@pytest.mark.parametrize("shape", [(1,), (13,), (4, 3, 2)])
def test_it_is_for_data_of_any_shape_and_any_number_of_outputs(shape):
    _, decoder = networks.build("made", 3, shape, outputs=2)
    z, x = jnp.ones((1, 3)), jnp.ones((1, *shape))
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(decoder.init, jax.random.key(0), z, x)
    params = jax.tree.map(lambda leaf: jnp.float32(rng.random(leaf.shape)), shapes)
    size = x.size
    depends = jax.jacobian(lambda x: decoder.apply(params, z, x))(x)
    before = np.tri(size, k=-1, dtype=bool).reshape(*shape, size)
    depends = np.asarray(depends).reshape(*shape[:-1], 2 * shape[-1], size) != 0
    for said in np.split(depends, 2, axis=-2):
        np.testing.assert_array_equal(said, before)
