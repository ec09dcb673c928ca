"""xysquares: data that a pixel-wise loss cannot order (Michlo, Klein & James, arXiv 2202.13341).

Three 8×8 squares on black, one in each channel, each at one of 8 × 8 places `spacing` pixels
apart. At spacing 8 no two places of a square overlap: any displacement changes the same 128 values,
and the distance between two images says nothing of how far apart their factors are. The smaller the
spacing, the more the squares overlap and the more it says.
"""

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import setting

from .dataset import Dataset, register

SIDE = 8  # of a square, in pixels
PLACES = 8  # along each axis


@register("xysquares")
class XYSquares(Dataset):
    """Three squares in red, green and blue that overlap with themselves by 8 − spacing pixels."""

    spacing: int = setting(8, low=1, high=8)

    factor_names = ("x_r", "y_r", "x_g", "y_g", "x_b", "y_b")
    factor_sizes = (PLACES,) * 6
    image_shape = (64, 64, 3)

    def load(self):
        return ()

    def observe(self, data, cells, key):
        return jax.vmap(self._image)(self.factors(cells))

    def _image(self, factors):
        """One image [64, 64, 3] of zeros and ones from the six factors' values [6]."""
        margin = (64 - (SIDE + (PLACES - 1) * self.spacing)) // 2  # the places lie in the middle
        start = margin + self.spacing * factors.reshape(3, 2)
        pixels = np.arange(64)[:, None, None]
        on = (pixels >= start[None]) & (pixels < start[None] + SIDE)  # [64, channel, (x, y)]
        return (on[:, None, :, 1] & on[None, :, :, 0]).astype(jnp.float32)
