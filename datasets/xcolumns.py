"""xcolumns: xysquares with one direction only (the library of Michlo, Klein & James, disent).

Three columns on black, 8 pixels wide and as high as the image, one in each channel, each at one of
8 places `spacing` pixels apart: 512 images. At spacing 8 all distances along a factor are equal.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp

from soberlook.registry import setting

from .dataset import Dataset, register
from .xysquares import covered


@register("xcolumns")
class XColumns(Dataset):
    """Three columns in red, green and blue that overlap with themselves by 8 − spacing pixels."""

    spacing: int = setting(8, low=1, high=8)

    side: ClassVar[int] = 8  # of a column, in pixels
    factor_names = ("x_r", "x_g", "x_b")
    factor_sizes = (8,) * 3
    image_shape = (64, 64, 3)

    def load(self):
        return ()

    def observe(self, data, cells, key):
        return jax.vmap(self._image)(self.factors(cells))

    def _image(self, factors):
        """One image [h, w, 3] of zeros and ones from the three factors' values [3]."""
        on = covered(factors, self.factor_sizes[0], self.spacing, self.side, self.image_shape[1])
        return jnp.broadcast_to(on[None], self.image_shape).astype(jnp.float32)
