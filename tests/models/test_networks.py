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
        ("auto", (64, 32, 1), "mlp"),
        ("conv_paper", (64, 64, 3), "conv_paper"),
        ("linear", (64, 64, 1), "linear"),
    ],
)
def test_auto_is_the_studys_network_where_it_fits(network, shape, expected):
    assert networks.resolve(network, shape) == expected
    assert BetaVAE(network=network).resolved(shape).network == expected


@pytest.mark.parametrize("network", ["conv", "conv_paper"])
def test_convolutions_refuse_other_images(network):
    message = f"network '{network}' needs 64×64 images, found 16×16×1: use 'mlp' there"
    with pytest.raises(BadInput, match=message):
        BetaVAE(network=network).resolved((16, 16, 1))
