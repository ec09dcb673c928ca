"""The exact definition of disent's XYObject."""

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.datasets import make

XYOBJECT = make("xyobject")


def observe(factors):
    """factors [n, 4] → images [n, 64, 64, 3]."""
    cells = np.ravel_multi_index(np.transpose(factors), XYOBJECT.factor_sizes)
    return np.asarray(jax.jit(XYOBJECT.observe)((), jnp.asarray(cells), jax.random.key(0)))


def test_images_are_the_definitions():
    assert XYOBJECT.size == 75_000
    factors = np.random.default_rng(0).integers(XYOBJECT.factor_sizes, size=(200, 4))
    hues = [(255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255)]
    palette = [[c * i // 4 for c in hue] for i in (1, 2, 3, 4) for hue in hues]
    for image, (x, y, scale, color) in zip(observe(factors), factors, strict=True):
        side = 7 + 2 * scale
        left, top = 2 * x + (15 - side) // 2, 2 * y + (15 - side) // 2
        expected = np.zeros((64, 64, 3))
        expected[top : top + side, left : left + side] = palette[color]
        np.testing.assert_allclose(image, expected / 255, atol=1e-7)


def test_sizes_share_their_centre_and_places_reach_both_sides():
    images = observe([(0, 24, scale, 5) for scale in range(5)])[..., 0]
    assert images[4, :, 0].any() and images[4, 62].any() and not images[:, 63].any()
    for axis, centre in ((1, 55.5), (2, 7.5)):  # down, across; a pixel's centre is at ½
        mass = images.sum(axis=3 - axis)
        middle = mass @ (np.arange(64) + 0.5) / mass.sum(axis=1)
        np.testing.assert_allclose(middle, centre)


def test_no_two_cells_are_alike():
    """Every cell tells its factors: colour, side and corner can be read off."""
    cells = jnp.arange(0, XYOBJECT.size, 61)
    images = np.asarray(jax.jit(XYOBJECT.observe)((), cells, jax.random.key(0)))
    on = images.any(axis=-1)
    top, left = on.any(axis=2).argmax(axis=1), on.any(axis=1).argmax(axis=1)
    colour = (255 * images.max(axis=(1, 2))).round()
    read = np.column_stack([top, left, on.sum(axis=(1, 2)), colour])
    assert len(np.unique(read, axis=0)) == len(cells)
