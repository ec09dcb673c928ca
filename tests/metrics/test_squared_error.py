"""A run whose reconstructions are off by a known amount, more so where it was not trained."""

import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained, squared_error
from soberlook.models.posteriors import Gaussian

SHAPE = (2, 2, 1)


def off_by(decoded, held_out=None):
    """12 images of the value of their cell; decoded from a code that is this value."""
    nothing = np.zeros((12, 1))
    representation = Representation(nothing, nothing, nothing[:, 0], (12,), held_out=held_out)
    return Trained(
        representation,
        lambda cells, key: jnp.ones((1, *SHAPE)) * cells.reshape(-1, 1, 1, 1).astype(jnp.float32),
        lambda x: Gaussian(x.reshape(-1, 4).mean(axis=1, keepdims=True), jnp.zeros((len(x), 1))),
        decoded,
        None,
    )


def test_error_is_per_pixel_and_of_the_means():
    steps = jnp.arange(4.0).reshape(1, *SHAPE)
    trained = off_by(lambda z: z.reshape(-1, 1, 1, 1) + steps)
    found = squared_error(trained, np.random.default_rng(0))
    assert found == {"squared_error": pytest.approx((0 + 1 + 4 + 9) / 4, rel=1e-5)}


def test_cells_that_were_held_out_have_an_error_of_their_own():
    def decoded(z):
        return jnp.broadcast_to(jnp.minimum(z, 9.0).reshape(-1, 1, 1, 1), (len(z), *SHAPE))

    found = squared_error(off_by(decoded, np.array([11])), np.random.default_rng(0), cells=4_000)
    assert found["squared_error_held_out"] == pytest.approx(4)
    assert found["squared_error"] == pytest.approx((1 + 4) / 12, rel=0.15)


def test_nan_is_refused():
    trained = off_by(lambda z: jnp.full((len(z), *SHAPE), jnp.nan))
    with pytest.raises(ValueError, match="decoded images must be finite"):
        squared_error(trained, np.random.default_rng(0))
