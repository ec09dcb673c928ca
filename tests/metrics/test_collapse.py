"""Decoders whose columns are known, and codes that are always 0."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained, collapse
from soberlook.metrics.collapse import sizes
from soberlook.models.posteriors import Point

SHAPE = (4, 4, 1)
COLUMNS = np.random.default_rng(1).standard_normal((5, 16)) * [[1], [2], [1e-3], [0], [3]]


def run(codes, decode):
    """A run with these codes of its 60 cells."""
    table = jnp.asarray(codes, jnp.float32)
    zeros = np.zeros(codes.shape)
    return Trained(
        Representation(codes, zeros, zeros[:, 0], (6, 10)),
        lambda cells, key: jnp.asarray(cells, jnp.float32)[:, None, None, None],
        lambda x: Point(table[x[:, 0, 0, 0].astype(int)]),
        decode,
        None,
    )


def linear(z):
    return (z @ jnp.asarray(COLUMNS, jnp.float32) + 0.1).reshape(-1, *SHAPE)


@pytest.fixture
def codes():
    return np.random.default_rng(0).standard_normal((60, 5))


def test_the_response_of_a_linear_decoder_is_the_norm_of_its_column(codes):
    response, value = sizes(run(codes, linear), np.random.default_rng(0))
    np.testing.assert_allclose(response, np.linalg.norm(COLUMNS, axis=1), rtol=1e-5)
    np.testing.assert_allclose(value, np.abs(codes).mean(axis=0), rtol=1e-6)


def test_two_ways_to_die(codes):
    codes[:, [0, 3]] *= 1e-3  # the fourth is dead in both ways, the third by its column
    found = collapse(run(codes, linear), np.random.default_rng(0))
    assert found == {
        "collapsed_weights": pytest.approx(2 / 5),
        "collapsed_values": pytest.approx(2 / 5),
        "live_codes": 2,
    }
    loose = collapse(run(codes, linear), np.random.default_rng(0), threshold=0.5)
    assert loose["collapsed_weights"] == pytest.approx(3 / 5)


def test_a_column_that_the_layers_above_ignore_is_dead(codes):
    def ignoring(z):
        return linear(z * jnp.array([[1.0, 1, 1, 1, 0]])) ** 2

    response, _ = sizes(run(codes, ignoring), np.random.default_rng(0))
    assert response[4] == 0 and response[0] > 0


def test_the_response_of_any_decoder_is_the_mean_of_its_derivatives(codes):
    def bent(z):
        return jnp.tanh(linear(z))

    trained = run(codes, bent)
    drawn = np.random.default_rng(0).integers(60, size=256)
    jacobian = jax.vmap(jax.jacobian(lambda z: bent(z[None]).ravel()))(jnp.float32(codes[drawn]))
    expected = np.sqrt(np.square(np.float64(jacobian)).sum(axis=1).mean(axis=0))
    response, _ = sizes(trained, np.random.default_rng(0))
    np.testing.assert_allclose(response, expected, rtol=1e-4)


def test_where_nothing_lives(codes):
    found = collapse(run(0 * codes, lambda z: 0 * linear(z)), np.random.default_rng(0))
    assert found == {"collapsed_weights": 1, "collapsed_values": 1, "live_codes": 0}
    with pytest.raises(ValueError, match="responses must be finite"):
        collapse(run(codes, lambda z: jnp.nan * linear(z)), np.random.default_rng(0))
