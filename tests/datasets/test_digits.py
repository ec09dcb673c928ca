import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

from soberlook.datasets import Digits

DIGITS = Digits()


def test_cells_are_the_digits_in_scikit_learns_order():
    published = load_digits()
    data = DIGITS.load()
    x = np.asarray(DIGITS.observe(data, jnp.arange(DIGITS.size), jax.random.key(0)))
    assert x.shape == (1740, 8, 8, 1) and data.dtype == jnp.uint8
    grid = x.reshape(10, 174, 64)
    for digit in range(10):
        expected = [
            image
            for image, target in zip(published.data, published.target, strict=True)
            if target == digit
        ]
        np.testing.assert_array_equal(grid[digit], np.array(expected)[:174] / 16)
    assert min(np.bincount(published.target)) == 174  # no more would be a grid
    np.testing.assert_array_equal(
        DIGITS.factors(jnp.array([0, 173, 174, 1739]))[:, 0], [0, 0, 1, 9]
    )


def test_variances_are_those_of_the_images():
    """What reconstructing each digit as its mean image leaves, and what one mean image leaves:
    the variance within digits and the whole variance, of a pixel."""
    x = np.asarray(DIGITS.load(), float).reshape(10, 174, 64) / 16
    # Of all 1,797 images they are 0.04248 and 0.07333.
    np.testing.assert_allclose(x.var(axis=1).mean(), 0.04248, rtol=0.005)
    np.testing.assert_allclose(x.reshape(-1, 64).var(axis=0).mean(), 0.07333, rtol=0.005)
