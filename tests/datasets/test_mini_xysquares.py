import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import make
from soberlook.registry import BadInput


@pytest.mark.parametrize("spacing", [1, 2, 3, 4])
def test_all_images_are_the_definitions(spacing):
    squares = make("mini_xysquares", spacing=spacing)
    assert squares.size == 4096
    images = np.asarray(jax.jit(squares.observe)((), jnp.arange(4096), jax.random.key(0)))
    expected = np.zeros((4096, 16, 16, 3))
    offset = (16 - (4 + 3 * spacing)) // 2
    for image, values in zip(expected, np.ndindex(*[4] * 6), strict=True):
        for channel in range(3):
            x, y = offset + spacing * np.array(values[2 * channel : 2 * channel + 2])
            image[y : y + 4, x : x + 4, channel] = 1
    np.testing.assert_array_equal(images, expected)
    assert len(np.unique(images.reshape(4096, -1), axis=0)) == 4096
    # Along x, k steps change min(4, k · spacing) columns of 4 pixels on both sides.
    moved = ((images[:: 4**5] - images[0]) ** 2).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(moved, 8 * np.minimum(4, spacing * np.arange(4)))


def test_spacings_have_bounds():
    with pytest.raises(BadInput, match="spacing must be a whole number ≥ 1 and ≤ 4"):
        make("mini_xysquares", spacing=5)
