"""Attributes: factors by name, for models that tie codes to them (Pati and Lerch, 2020)."""

import numpy as np

from soberlook.registry import setting

from .moves import moving_axes
from .view import View, register


@register("attributes")
class Attributes(View):
    """Named factors of the batch's images, standardised.

    float32 [b, a]: the factors in `names`, in this order; all where there are none. As of
    "factors", their mean over the grid is 0 and their variance 1. A factor with one value only has
    no variance, and is refused.
    """

    names: tuple[str, ...] = setting(())

    def check(self, dataset):
        moving_axes(self, dataset, self.names)

    def draw(self, d):
        axes = moving_axes(self, d.dataset, self.names)
        return d.dataset.standardized(d.cells)[:, np.array(axes)]
