from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.models import BetaVAE, State, attention_maps, networks, overlay
from soberlook.models.attention import grad_cam, upsampled
from soberlook.registry import BadInput


def by_hand(weights):
    """A model whose maps are the image's channels at half its size, and μ = Σ_hw maps · weights."""

    def heads_of(state, x, maps=None, mutable=None):
        own = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).mean(axis=(2, 4))
        mean = jnp.einsum("bhwc,cz->bz", own if maps is None else maps, weights)
        heads = jnp.zeros_like(mean), mean
        return (heads, {"intermediates": {"maps": (own,)}}) if mutable else heads

    heads = {"log_var": 3, "mean": 3}
    return SimpleNamespace(network="conv", heads=heads, heads_of=heads_of)


def test_a_latent_looks_where_its_features_are():
    x = np.zeros((2, 16, 16, 2), np.float32)
    x[:, 2:4, 4:6, 0] = 1  # the first channel has its spot here
    x[:, 10:12, 12:14, 1] = 1  # the second here
    weights = jnp.array([[2.0, 0.0, -1.0], [0.0, 0.3, 0.0]])  # the last is lowered by the first
    m = attention_maps(by_hand(weights), None, jnp.array(x))
    assert m.shape == (2, 3, 16, 16)
    for latent, (row, column) in enumerate([(3, 5), (11, 13)]):
        peak = np.unravel_index(m[0, latent].argmax(), (16, 16))
        assert np.abs(np.subtract(peak, (row, column))).max() <= 1
        assert m[0, latent].max() == 1 and m[0, latent].min() == 0
        far = np.ones((16, 16), bool)
        far[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = False
        assert (m[0, latent][far] == 0).all()
    assert (m[:, 2] == 0).all()  # nothing in the image raises it


def test_grad_cam_against_its_formula():
    rng = np.random.default_rng(0)
    maps, gradients = rng.uniform(size=(2, 3, 4, 5)), rng.standard_normal((2, 6, 3, 4, 5))
    expected = np.zeros((2, 6, 3, 4))
    for b in range(2):
        for z in range(6):
            g = gradients[b, z] / (np.sqrt((gradients[b, z] ** 2).mean()) + 1e-5)
            for c in range(5):
                expected[b, z] += g[..., c].mean() * maps[b, ..., c]
    found = grad_cam(jnp.float32(maps), jnp.float32(gradients))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_what_lowers_a_latent_narrows_what_raises_it_next_to_it():
    """What is below 0 is cut off between the places of the map, and not at them."""
    m = np.asarray(upsampled(jnp.float32([[[[1.0, -1.0]]]]), (1, 8)))[0, 0, 0]
    # Linear from 1 at 1.5 to −1 at 5.5, and level outside.
    np.testing.assert_allclose(m, [1, 1, 0.75, 0.25, 0, 0, 0, 0], atol=1e-6)


def test_of_a_convolutional_encoder():
    model = BetaVAE(network="conv", latents=3)
    x = jax.random.uniform(jax.random.key(1), (2, 16, 16, 1))
    encoder, _ = networks.build("conv", 3, x.shape[1:])

    @jax.jit
    def look(x):
        params = {"encoder": encoder.init(jax.random.key(0), x)}
        state = State(jnp.int32(0), params, None, image_shape=x.shape[1:])
        heads, seen = model.heads_of(state, x, mutable="intermediates")
        (maps,) = seen["intermediates"]["maps"]
        return attention_maps(model, state, x), heads, model.heads_of(state, 0 * x, maps=maps)

    m, heads, of_maps = look(x)
    assert m.shape == (2, 3, 16, 16) and 0 <= m.min() <= m.max() <= 1
    # The maps that are given take the place of the image's own.
    for one, other in zip(heads, of_maps, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    pictures = overlay(x, m)
    assert pictures.shape == (2, 3, 16, 16, 3) and 0 <= pictures.min() <= pictures.max() <= 1
    np.testing.assert_allclose(pictures[..., 0] - pictures[..., 1], m / 2, atol=1e-6)
    np.testing.assert_allclose(pictures[:, 1, ..., 2], x[..., 0] / 2, atol=1e-6)


def test_dense_encoders_have_no_maps():
    x = jnp.zeros((1, 16, 16, 1))
    with pytest.raises(BadInput, match="network 'conv' or 'conv_paper', found 'mlp'"):
        attention_maps(BetaVAE(), None, x)
