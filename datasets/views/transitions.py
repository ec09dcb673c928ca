"""Transitions: two images a step of time apart, as SlowVAE's (Klindt et al., ICLR 2021)."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput, setting

from .moves import cells_of, check_moves, moving_axes, observe_several, values_of
from .view import View, register

MOST_VALUES = 1_000  # of a factor in a Laplace law, which is a table of their square


@register("transitions")
class Transitions(View):
    """An image, and another a step of time later.

    {"before": [b, …], "after": [b, …]}: an image of the batch, and one whose `factors` (all, where
    none are named) have moved, independently of each other. Other factors and nuisances stay: name
    the ordered ones where some are not, as SlowVAE does. Noise is drawn anew. By `kind`:

        laplace   of value v of s, p(w) ∝ exp(−rate · |w − v| / ln s) for w = 0, …, s − 1: a Laplace
                  density of scale ln(s) / rate, at whole numbers, truncated. Where by this no
                  factor would move one does, drawn uniformly, by the same law without w = v
        sparse    each factor moves with probability `rate`, to any other value, all as likely;
                  there are pairs in which nothing moves

    The first is the law of SlowVAE's code, for its "LAP" datasets; their "UNI" ones are "pairs".
    """

    # Their code can also draw the rate of every pair from U(1, 10). Its default is 1, as ours.
    kind: str = setting("laplace", choices=("laplace", "sparse"))
    rate: float = setting(1.0, low=0, real=True)
    factors: tuple[str, ...] = setting(())
    images = 2

    def check(self, dataset):
        check_moves(self, dataset)
        axes = moving_axes(self, dataset, self.factors)
        largest = max(dataset.factor_sizes[axis] for axis in axes)
        if self.kind == "laplace" and largest > MOST_VALUES:
            raise BadInput(
                f"transitions: laplace moves factors of ≤ {MOST_VALUES:,} values, found {largest:,}"
            )
        if self.kind == "sparse" and self.rate > 1:
            raise BadInput(f"transitions: rate of sparse is a probability ≤ 1, found {self.rate:g}")

    def draw(self, d):
        key_moves, key_noise = jax.random.split(d.key)
        axes = np.array(moving_axes(self, d.dataset, self.factors))
        sizes = [d.dataset.factor_sizes[axis] for axis in axes]
        before = values_of(d.dataset, d.cells)
        law = self._laplace if self.kind == "laplace" else self._sparse
        moved = law(key_moves, before[:, axes], sizes)
        after = before.at[:, axes].set(moved)
        cells = jnp.stack([d.cells, cells_of(d.dataset, after)], axis=1)
        images = observe_several(d, cells, key_noise)
        return {"before": images[:, 0], "after": images[:, 1]}

    def _sparse(self, key, values, sizes):
        """Values [b, f] a step later."""
        key_which, key_steps = jax.random.split(key)
        sizes = np.asarray(sizes)[None]
        steps = jax.random.randint(key_steps, values.shape, 1, sizes)
        moves = jax.random.bernoulli(key_which, self.rate, values.shape)
        return jnp.where(moves, (values + steps) % sizes, values)

    def _laplace(self, key, values, sizes):
        """Values [b, f] a step later."""
        key_law, key_forced, key_which = jax.random.split(key, 3)
        drawn = _draw(key_law, values, [_table(size, self.rate, True) for size in sizes])
        forced = _draw(key_forced, values, [_table(size, self.rate, False) for size in sizes])
        rests = (drawn == values).all(axis=1, keepdims=True)
        which = jax.random.randint(key_which, (len(values), 1), 0, len(sizes))
        return jnp.where(rests & (jnp.arange(len(sizes))[None] == which), forced, drawn)


def _table(size, rate, may_rest):
    """p(w | v) [size, size]."""
    distance = np.abs(np.arange(size)[:, None] - np.arange(size)[None])
    nearest = 0 if may_rest else 1
    log_p = np.where(distance < nearest, -np.inf, (nearest - distance) * (rate / math.log(size)))
    p = np.exp(log_p)
    return p / p.sum(axis=1, keepdims=True)


def _draw(key, values, tables):
    """Values [b, f] drawn by a table for each of the f, given the present ones."""
    most = max(map(len, tables))
    shares = np.ones((len(tables), most, most), np.float32)
    for own, table in zip(shares, tables, strict=True):
        own[: len(table), : len(table) - 1] = np.cumsum(table, axis=1)[:, :-1]
    u = jax.random.uniform(key, values.shape)
    given = jnp.asarray(shares)[np.arange(len(tables))[None], values]  # [b, f, most]
    return (u[..., None] >= given).sum(axis=-1)
