"""Attributes: quantities by name, for models that tie codes to them (Pati and Lerch, 2020)."""

import jax
import numpy as np

from soberlook.registry import BadInput, setting, unknown

from .moves import moving_axes
from .view import View, register


@register("attributes")
class Attributes(View):
    """Named attributes of the batch's images, standardised.

    float32 [b, a]: those in `names`, in this order; all where there are none. They are the factors,
    or what a dataset measures in its images instead ("digits"). As of "factors", their mean over
    the grid is 0 and their variance 1. A factor with one value only has no variance, and is
    refused. Where not `matched`, images have those of others, at random: the negative control.
    """

    names: tuple[str, ...] = setting(())
    matched: bool = setting(True)

    def check(self, dataset):
        known, names = dataset.attribute_names, self.names
        if known == dataset.factor_names:
            moving_axes(self, dataset, names)
        for name in names:
            if name not in known:
                raise unknown(f"attribute of {dataset.name}", name, known)
            if names.count(name) > 1:
                raise BadInput(f"{self.name}: {name!r} is named {names.count(name)} times")

    def draw(self, d):
        known = d.dataset.attribute_names
        columns = [known.index(name) for name in self.names or known]
        found = d.dataset.attributes(d.data, d.cells)[:, np.array(columns)]
        return found if self.matched else jax.random.permutation(d.key, found)
