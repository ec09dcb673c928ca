"""Groups of images that share a factor, as ML-VAE's (Bouchacourt et al., AAAI 2018)."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput, setting

from ..cells import AllCells, HeldOut
from .moves import cells_of, observe_several, values_of
from .view import View, register


@register("groups")
class Groups(View):
    """Groups of images that share the value of one factor.

    {"images": [b, g, …], "value": int32 [b], "factor": int32 [b]}: of each group its images, the
    value they share, and the number of the factor it is a value of. `members` is g; `factor` the
    factor's name, "" for the dataset's first (the label, where a dataset has one), or "any" for one
    drawn for every group, uniformly.

    The first image of a group is one of "images". The others are independent of each other and of
    the first, given the value: each is uniform among the cells with this value that models are
    trained on. So every single image has the distribution of "images", and held-out cells are in no
    group. Correlated cells are refused. Where groups are not `matched` the others are any images,
    and value and factor the first one's: the negative control of what learns from groups.
    """

    factor: str = setting("")
    members: int = setting(2, low=2)
    matched: bool = setting(True)

    @property
    def images(self):
        return self.members

    def check(self, dataset):
        self._axis(dataset)
        if len(dataset.grid) == 1:
            raise BadInput(
                f"groups: members differ in what they do not share, and {dataset.name!r} has one "
                "factor only and no nuisance"
            )
        if not isinstance(dataset.training, (AllCells, HeldOut)):
            raise BadInput(
                f"groups: members are drawn uniformly, so {dataset.name!r} must be trained on "
                f"'all' or 'held_out' cells, found training {dataset.training.name!r}"
            )

    def draw(self, d):
        key_factor, key_members, key_noise = jax.random.split(d.key, 3)
        factors = len(d.dataset.factor_names)
        if self.factor == "any":
            axis = jax.random.randint(key_factor, (len(d.cells),), 0, factors)
        else:
            axis = jnp.full(len(d.cells), self._axis(d.dataset))
        values = values_of(d.dataset, d.cells)
        value = jnp.take_along_axis(values, axis[:, None], axis=1)[:, 0]
        if not self.matched:
            count = len(d.cells) * (self.members - 1)
            others = d.dataset.training.draw(d.dataset, key_members, count)
            others = others.reshape(-1, self.members - 1)
        elif d.dataset.training == AllCells():
            others = self._of_all(d.dataset, key_members, values, axis)
        else:
            others = self._of_seen(d.dataset, key_members, value, axis)
        cells = jnp.concatenate([d.cells[:, None], others], axis=1)
        images = observe_several(d, cells, key_noise)
        return {"images": images, "value": value, "factor": axis}

    def _axis(self, dataset):
        """The axis that all groups share; None where it is drawn for each."""
        if self.factor == "any":
            return None
        return dataset.axis(self.factor) if self.factor else 0

    def _of_all(self, dataset, key, values, axis):
        """Cells [b, g − 1] of the whole grid: all axes drawn anew but the shared one."""
        shape = (len(values), self.members - 1, values.shape[1])
        drawn = jax.random.randint(key, shape, 0, np.asarray(dataset.grid)[None, None])
        shared = jnp.arange(values.shape[1])[None] == axis[:, None]
        return cells_of(dataset, jnp.where(shared[:, None], values[:, None], drawn))

    def _of_seen(self, dataset, key, value, axis):
        """Cells [b, g − 1] that are not held out, from a table of those with each value."""
        shared = self._axis(dataset)
        cells, starts, counts = map(jnp.asarray, _by_value(dataset, shared))
        row = axis if shared is None else jnp.zeros_like(axis)
        count = counts[row, value][:, None]
        drawn = jax.random.randint(key, (len(value), self.members - 1), 0, count)
        return cells[row[:, None], starts[row, value][:, None] + drawn]


@lru_cache(maxsize=8)
def _by_value(dataset, axis):
    """For this axis (None: for each factor's) all seen cells [a, n] in the order of their values
    there, where the cells of a value start [a, v], and how many they are [a, v]."""
    held_out = dataset.training.held_out(dataset)
    seen = np.setdiff1d(np.arange(dataset.size, dtype=np.int32), held_out, assume_unique=True)
    values = np.unravel_index(seen, dataset.grid)
    axes = range(len(dataset.factor_sizes)) if axis is None else (axis,)
    cells = np.stack([seen[np.argsort(values[axis], kind="stable")] for axis in axes])
    most = max(dataset.factor_sizes)
    counts = np.stack([np.bincount(values[axis], minlength=most) for axis in axes])
    starts = np.cumsum(counts, axis=1) - counts
    return cells, starts.astype(np.int32), counts.astype(np.int32)
