"""The exact definition of disent's XColumns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import make
from soberlook.registry import BadInput


@pytest.mark.parametrize("spacing", [8, 3, 1])
def test_all_images_are_the_definitions(spacing):
    columns = make("xcolumns", spacing=spacing)
    assert columns.size == 512
    images = np.asarray(jax.jit(columns.observe)((), jnp.arange(512), jax.random.key(0)))
    offset = (64 - (8 + 7 * spacing)) // 2
    for image, values in zip(images, np.ndindex(8, 8, 8), strict=True):
        expected = np.zeros((64, 64, 3))
        for channel, value in enumerate(values):
            x = offset + spacing * value
            expected[:, x : x + 8, channel] = 1
        np.testing.assert_array_equal(image, expected)
    assert len(np.unique(images.reshape(512, -1), axis=0)) == 512


@pytest.mark.parametrize("spacing", [4, 2])  # whose middles are whole pixels in both
def test_small_ones_are_the_same_with_a_quarter_of_the_height(spacing):
    small, large = make("mini_xcolumns", spacing=spacing), make("xcolumns", spacing=2 * spacing)
    a, b = (jax.jit(d.observe)((), jnp.arange(512), jax.random.key(0)) for d in (small, large))
    np.testing.assert_array_equal(a, b[:, ::4, ::2])


def test_spacings_have_bounds():
    with pytest.raises(BadInput, match="spacing must be a whole number ≥ 1 and ≤ 4"):
        make("mini_xcolumns", spacing=5)
    with pytest.raises(BadInput, match="spacing must be a whole number ≥ 1 and ≤ 8"):
        make("xcolumns", spacing=9)
