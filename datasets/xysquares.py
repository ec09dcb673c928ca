"""xysquares: data that a pixel-wise loss cannot order (Michlo, Klein & James, arXiv 2202.13341).

Three 8×8 squares on black, one in each channel, each at one of 8 × 8 places `spacing` pixels
apart. At spacing 8 no two places of a square overlap: any displacement changes the same 128 values,
and the distance between two images says nothing of how far apart their factors are. The smaller the
spacing, the more the squares overlap and the more it says.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import setting

from .dataset import Dataset, register


@register("xysquares")
class XYSquares(Dataset):
    """Three squares in red, green and blue that overlap with themselves by 8 − spacing pixels."""

    spacing: int = setting(8, low=1, high=8)

    side: ClassVar[int] = 8  # of a square, in pixels
    factor_names = ("x_r", "y_r", "x_g", "y_g", "x_b", "y_b")
    factor_sizes = (8,) * 6
    image_shape = (64, 64, 3)

    def load(self):
        return ()

    def observe(self, data, cells, key):
        return jax.vmap(self._image)(self.factors(cells))

    def _image(self, factors):
        """One image [h, w, 3] of zeros and ones from the six factors' values [6]."""
        pixels, places = self.image_shape[0], self.factor_sizes[0]
        on = covered(factors.reshape(3, 2), places, self.spacing, self.side, pixels)
        return (on[:, None, :, 1] & on[None, :, :, 0]).astype(jnp.float32)


def covered(values, places: int, spacing: int, side: int, pixels: int):
    """values [...] of 0, …, places − 1 → which pixels along an axis are covered, [pixels, ...].

    Place k covers `side` pixels from `spacing` · k on; all places together lie in the middle.
    """
    start = (pixels - (side + (places - 1) * spacing)) // 2 + spacing * values
    at = np.arange(pixels).reshape(-1, *[1] * values.ndim)
    return (at >= start[None]) & (at < start[None] + side)
