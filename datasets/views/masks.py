"""Masks: which parts of an image or of a row of a table are observed (Rubin, 1976)."""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from .view import View, register


@register("masks")
class Masks(View):
    """Which parts of the batch's images are observed.

    bool [b, m], True where observed. The parts of a table, of image_shape (d,), are its m = d
    columns; those of images the m = patches² patches of an equal grid, row by row. Every part is
    missing at a rate of `rate`:

        mcar   completely at random: each with probability `rate`
        mar    at random: of each example one part, drawn uniformly, is observed, and the others
               are missing with a probability that rises with the value of this part
        mnar   not at random: a part is missing with a probability that rises with its own value

    A patch's value is the mean of its pixels. The probability is

        r + 2 min(r, 1 − r) · (u − ½)

    which is from 0 to 2r, or from 2r − 1 to 1. u is the share of the batch with a smaller value of
    this part, and half the share with an equal one. Its mean over a batch is ½, whatever the
    values, so that the mean probability is r: the `rate`, or m / (m − 1) of it for the others of
    mar. Given an image alone, it is linear in the part's distribution function among all images.

    The mask is all there is: "images" of the same batch are whole, and a model hides from itself
    what is missing.
    """

    kind: str = setting("mcar", choices=("mcar", "mar", "mnar"))
    rate: float = setting(0.5, low=0, high=1, real=True)
    patches: int = setting(2, low=1)
    needs_factors = False

    def check(self, dataset):
        shape = dataset.image_shape
        if len(shape) not in (1, 3):
            raise BadInput(f"masks: must be of images h, w, c or of tables, found {shape}")
        if len(shape) == 3 and (shape[0] % self.patches or shape[1] % self.patches):
            raise BadInput(
                f"masks: patches must divide the {shape[0]}×{shape[1]} pixels of "
                f"{dataset.name!r}, found {self.patches}"
            )
        parts = self._parts(shape)
        if self.kind == "mar" and (parts == 1 or self.rate * parts > parts - 1):
            raise BadInput(
                f"masks: rate must be ≤ {(parts - 1) / parts:.3g}, as mar keeps one of the "
                f"{parts} parts of {dataset.name!r}, found {self.rate:g}"
            )

    def draw(self, d):
        key_missing, key_kept = jax.random.split(d.key)
        parts = self._parts(d.dataset.image_shape)
        chance = jax.random.uniform(key_missing, (len(d.cells), parts))
        if self.kind == "mcar":
            return chance >= self.rate
        u = _shares_below(self._values(d.dataset.observe(d.data, d.cells, d.images_key)))
        if self.kind == "mnar":
            return chance >= _probability(self.rate, u)
        kept = jax.random.randint(key_kept, (len(d.cells), 1), 0, parts)
        u = jnp.take_along_axis(u, kept, axis=1)
        rate = min(self.rate * parts / (parts - 1), 1.0)
        return (chance >= _probability(rate, u)) | (jnp.arange(parts)[None] == kept)

    def _parts(self, shape) -> int:
        return shape[0] if len(shape) == 1 else self.patches**2

    def _values(self, x):
        """The parts' values [b, m]."""
        if x.ndim == 2:
            return x
        b, h, w, c = x.shape
        p = self.patches
        return x.reshape(b, p, h // p, p, w // p, c).mean(axis=(2, 4, 5)).reshape(b, p * p)


def _shares_below(values):
    """Of each value [b, m] the share of its column that is smaller, and half that of equals."""
    smaller = values[None] < values[:, None]  # [b, b, m]
    equal = values[None] == values[:, None]
    return smaller.mean(axis=1) + equal.mean(axis=1) / 2


def _probability(rate, u):
    return rate + 2 * min(rate, 1 - rate) * (u - 0.5)
