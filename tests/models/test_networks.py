"""The study's networks, counted; and which network is for which images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.models import BetaVAE, networks
from soberlook.registry import BadInput


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def parameters(network, channels, latents=10):
    """The shapes of (encoder's, decoder's) parameters, computed without computing."""
    shape = (64, 64, channels)
    encoder, decoder = networks.build(network, latents, shape)
    key = jax.random.key(0)
    return (
        jax.eval_shape(encoder.init, key, jnp.zeros((1, *shape))),
        jax.eval_shape(decoder.init, key, jnp.zeros((1, latents))),
    )


@pytest.mark.parametrize(
    ("channels", "expected"), [(1, (309_204, 381_313)), (3, (310_228, 382_339))]
)
def test_the_studys_networks_have_the_studys_parameters(channels, expected):
    found = tuple(map(count, parameters("conv", channels)))
    assert found == expected and sum(found) in (690_517, 692_567)


def test_the_papers_table_has_larger_kernels():
    (code, _), (paper, _) = parameters("conv", 1), parameters("conv_paper", 1)
    assert count(paper) - count(code) == (16 - 4) * (32 * 64 + 64 * 64)


def test_the_studys_discriminator_has_its_parameters():
    discriminator = networks.Discriminator((1000,) * 6)
    params = jax.eval_shape(discriminator.init, jax.random.key(0), jnp.zeros((1, 10)))
    assert count(params) == 5_018_002


def test_a_discriminator_leaks_a_fifth():
    discriminator = networks.Discriminator((7,))
    z = jax.random.normal(jax.random.key(1), (3, 5))
    params = jax.jit(discriminator.init)(jax.random.key(0), z)
    w, v = (np.float64(params["params"][f"Dense_{i}"]["weights"]) for i in range(2))
    h = np.float64(z) @ w[:-1] + w[-1]
    expected = np.where(h > 0, h, 0.2 * h) @ v[:-1] + v[-1]
    np.testing.assert_allclose(discriminator.apply(params, z), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "channels", "limit"),  # √(6 / (k² (channels in + channels out)))
    [
        (networks.Convolution(64, 2), 32, (6 / (4 * (32 + 64))) ** 0.5),
        (networks.TransposedConvolution(3), 32, (6 / (16 * (32 + 3))) ** 0.5),
    ],
)
def test_initial_values_are_tensorflows(layer, channels, limit):
    x = jnp.zeros((1, 2, 2, channels))
    params = jax.jit(layer.init)(jax.random.key(0), x)["params"]
    kernel = params["kernel"]
    assert 0.95 * limit < jnp.abs(kernel).max() <= limit
    np.testing.assert_allclose(kernel.std(), limit / 3**0.5, rtol=0.05)
    # A stack of kernels has more axes than one of dense weights, by which members are mapped.
    assert kernel.ndim == 4 and not params["bias"].any()


def test_networks_see_the_whole_image_and_draw_all_of_it():
    encoder, decoder = networks.build("conv", 4, (64, 64, 1))
    rng = np.random.default_rng(0)
    random = jax.tree.map(
        lambda leaf: jnp.float32(rng.standard_normal(leaf.shape) / 20), parameters("conv", 1, 4)
    )
    x, z = jnp.ones((1, 64, 64, 1)), jnp.ones((2, 4))
    seen = jax.jit(jax.grad(lambda x: encoder.apply(random[0], x)[0].sum()))(x)
    assert (seen != 0).mean() > 0.99
    drawn = jax.jit(decoder.apply)(random[1], z)
    assert drawn.shape == (2, 64, 64, 1) and (drawn != 0).all()


@pytest.mark.parametrize(
    ("network", "shape", "expected"),
    [
        ("auto", (64, 64, 1), "conv"),
        ("auto", (64, 64, 3), "conv"),
        ("auto", (16, 16, 1), "mlp"),
        ("auto", (28, 28, 1), "conv"),
        ("auto", (32, 32, 3), "conv"),
        ("auto", (128, 128, 3), "conv"),
        ("auto", (64, 32, 1), "conv"),
        ("auto", (17, 17, 2), "mlp"),
        ("auto", (8, 8, 1), "mlp"),
        ("auto", (13,), "mlp"),
        ("conv", (16, 16, 1), "conv"),
        ("conv_paper", (64, 64, 3), "conv_paper"),
        ("linear", (64, 64, 1), "linear"),
    ],
)
def test_auto_is_the_studys_network_where_it_fits(network, shape, expected):
    assert networks.resolve(network, shape) == expected
    assert BetaVAE(network=network).resolved(shape).network == expected


@pytest.mark.parametrize("shape", [(17, 17, 1), (8, 8, 1), (13,), (50, 50, 3)])
@pytest.mark.parametrize("network", ["conv", "conv_paper"])
def test_convolutions_refuse_what_they_cannot_halve(network, shape):
    found = "×".join(map(str, shape))
    with pytest.raises(BadInput, match=f"network '{network}' needs images .* found {found}: use"):
        BetaVAE(network=network).resolved(shape)


@pytest.mark.parametrize(
    ("shape", "features", "smallest"),
    [
        ((16, 16, 1), (32, 64), (4, 4)),
        ((28, 28, 1), (32, 64), (7, 7)),
        ((32, 32, 3), (32, 32, 64), (4, 4)),
        ((64, 32, 1), (32, 32, 64), (8, 4)),
        ((64, 64, 3), (32, 32, 64, 64), (4, 4)),
        ((128, 128, 3), (32, 32, 32, 64, 64), (4, 4)),
    ],
)
def test_convolutions_are_as_many_as_the_image_needs(shape, features, smallest):
    encoder, decoder = networks.build("conv", 6, shape)
    assert encoder.features == decoder.features == features and decoder.side == smallest
    key = jax.random.key(0)
    params = jax.eval_shape(encoder.init, key, jnp.zeros((1, *shape)))
    mean, log_var = jax.eval_shape(encoder.apply, params, jnp.zeros((5, *shape)))
    assert mean.shape == log_var.shape == (5, 6)
    params = jax.eval_shape(decoder.init, key, jnp.zeros((1, 6)))
    assert jax.eval_shape(decoder.apply, params, jnp.zeros((5, 6))).shape == (5, *shape)


@pytest.mark.parametrize("shape", [(13,), (7, 5), (28, 28, 1), (2, 3, 4, 5)])
def test_dense_networks_are_for_any_shape(shape):
    model = BetaVAE(network="mlp", likelihood="gaussian")
    x = jax.random.normal(jax.random.key(0), (4, *shape))
    state = jax.jit(model.init)(jax.random.key(1), {"images": x})
    after, logs = jax.jit(model.update)(state, {"images": x}, jax.random.key(2))
    likelihood = model.decode(after, model.encode(after, x).mean)
    assert likelihood.mean.shape == x.shape and likelihood.log_prob(x).shape == (4,)
    assert np.isfinite(logs["loss"])
