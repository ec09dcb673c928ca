"""xyobject: one coloured square (the library of Michlo, Klein & James, arXiv 2202.13341: disent).

75,000 images: a square on black of 5 sizes at 25 × 25 places two pixels apart, in one of 24
colours: six hues at four brightnesses. Colours are one factor although they have two properties,
the brightness changing slowly and the hue fast; that is on purpose, and hard to disentangle.
"""

import jax
import jax.numpy as jnp
import numpy as np

from .dataset import Dataset, register

SIDES = np.array([7, 9, 11, 13, 15])  # of the squares, in pixels
SPACING = 2  # of the places
HUES = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]])
# Colour 6 b + h is hue h at brightness b + 1 of 4, in whole 255ths as published.
COLOURS = np.concatenate([255 * HUES * (b + 1) // 4 for b in range(4)]).astype(np.float32) / 255


@register("xyobject")
class XYObject(Dataset):
    """One square of 5 sizes, 24 colours and 25 × 25 places: 75,000 images."""

    factor_names = ("x", "y", "scale", "color")
    factor_sizes = (25, 25, len(SIDES), len(COLOURS))
    image_shape = (64, 64, 3)

    def load(self):
        return ()

    def observe(self, data, cells, key):
        return jax.vmap(lambda factors: square(*factors))(self.factors(cells))


def square(x, y, scale, color):
    """One image [64, 64, 3] in [0, 1] from the four factors' values, scalars."""
    side = jnp.asarray(SIDES)[scale]
    # Squares of all sizes have their centre in the same place, SPACING · (x, y) + 7.
    start = SPACING * jnp.array([x, y]) + (SIDES.max() - side) // 2
    at = np.arange(64)[:, None]
    on = (at >= start[None]) & (at < start[None] + side)
    return (on[:, None, 1] & on[None, :, 0])[..., None] * jnp.asarray(COLOURS)[color][None, None]
