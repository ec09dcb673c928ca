"""Pairs of images that share all but k factors (Locatello et al., ICML 2020, arXiv 2002.02886).

The first is an image of the batch, the second is like it but for k factors. Which of them change is
always chosen uniformly; rules differ in how many do, and to what:

    exactly    k different factors change, each to another value than it had, uniform among the
               others. The k of the paper's theorem 1, and SlowVAE's "UNI" pairs
    at_most    k different factors are drawn anew, and may have the value they had. The sampler
               that section 5 of the paper describes: its pairs differ in k factors at most
    one_or_k   as at_most, of one factor or of k, with probability ½ each. What the published code
               does (`simple_dynamics` of disentanglement_lib), and the paper does not say

`changed=0` is the paper's k = Rnd: k is drawn for every pair, uniformly from 1, …, f − 1. Pairs
that are not `matched` are the negative control of what learns from pairs: the second is any image,
whatever k and the rule.
"""

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput, setting

from .moves import cells_of, check_moves, moving_axes, observe_several, values_of
from .view import View, register


@register("pairs")
class Pairs(View):
    """Two images that differ in k factors.

    {"first": [b, …], "second": [b, …], "changed": bool [b, f]}: the images of the batch's cells and
    their partners, and which factors have another value in the second. `changed` = k ≥ 1, or 0 for
    an unknown one; `rule` and `matched` as above. Nuisances of the second are drawn anew, as noise
    is.

    "first" is what "images" shows: a model that needs both sees two images, and counts three.
    """

    changed: int = setting(0, low=0)
    rule: str = setting("exactly", choices=("exactly", "at_most", "one_or_k"))
    matched: bool = setting(True)
    images = 2

    def check(self, dataset):
        check_moves(self, dataset)
        most = len(moving_axes(self, dataset)) - 1
        if most < 1:
            raise BadInput(f"pairs: must share a factor, but {dataset.name!r} has one only")
        if self.changed > most:
            raise BadInput(
                f"pairs: changed must be ≤ {most}, as one of the {most + 1} factors of "
                f"{dataset.name!r} is shared, found {self.changed}"
            )

    def draw(self, d):
        key_k, key_one, key_which, key_values, key_noise = jax.random.split(d.key, 5)
        pairs, factors = len(d.cells), len(d.dataset.factor_sizes)
        k = self.changed or jax.random.randint(key_k, (pairs,), 1, factors)
        if self.rule == "one_or_k":
            k = jnp.where(jax.random.bernoulli(key_one, shape=(pairs,)), 1, k)
        order = jax.random.uniform(key_which, (pairs, factors)).argsort(axis=1).argsort(axis=1)
        changing = order < jnp.broadcast_to(k, (pairs,))[:, None]

        first = values_of(d.dataset, d.cells)
        grid = np.asarray(d.dataset.grid)[None]
        # A step from 1 leads to any other value, a step from 0 to any value, all as likely.
        low = np.zeros_like(grid)
        low[:, :factors] = self.rule == "exactly"
        if not self.matched:
            changing, low = jnp.ones_like(changing), np.zeros_like(grid)
        moved = (first + jax.random.randint(key_values, first.shape, low, grid)) % grid
        nuisances = jnp.ones((pairs, grid.size - factors), bool)
        second = jnp.where(jnp.concatenate([changing, nuisances], axis=1), moved, first)

        cells = jnp.stack([d.cells, cells_of(d.dataset, second)], axis=1)
        images = observe_several(d, cells, key_noise)
        changed = (second != first)[:, :factors]
        return {"first": images[:, 0], "second": images[:, 1], "changed": changed}
