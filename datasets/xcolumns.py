"""xcolumns: xysquares with one direction only (the library of Michlo, Klein & James, disent).

Three columns on black, 8 pixels wide and as high as the image, one in each channel, each at one of
8 places `spacing` pixels apart: 512 images. At spacing 8 all distances along a factor are equal.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import setting

from .dataset import Dataset, register
from .xysquares import covered


@register("xcolumns")
class XColumns(Dataset):
    """Three columns in red, green and blue that overlap with themselves by 8 − spacing pixels."""

    spacing: int = setting(8, low=1, high=8)

    factor_names = ("x_r", "x_g", "x_b")
    factor_sizes = (8,) * 3
    image_shape = (64, 64, 3)

    def load(self):
        return ()

    def observe(self, data, cells, key):
        return jax.vmap(self._image)(self.factors(cells))

    def _image(self, factors):
        """One image [64, 64, 3] of zeros and ones from the three factors' values [3]."""
        on = covered(factors, places=8, spacing=self.spacing, side=8, pixels=64)
        return jnp.broadcast_to(on[None], self.image_shape).astype(jnp.float32)
