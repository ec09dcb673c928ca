"""Sequences of actions on cyclic factors, as of Quessard, Barrett and Clements (NeurIPS 2020)."""

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import setting

from .moves import cells_of, check_moves, moving_axes, observe_several, values_of
from .view import View, register


@register("sequences")
class Sequences(View):
    """A sequence of images, and the actions that lead from each to the next.

    {"images": [b, t + 1, …], "actions": int32 [b, t]}: from an image of the batch on, `steps` = t
    independent actions, all as likely. Action 2j adds 1 to the j-th of the `factors` (all of them,
    where none are named), 2j + 1 subtracts 1, both modulo its size; where `still`, a last one does
    nothing. There are 2 · len(factors) + still actions. Other factors and nuisances stay; noise is
    drawn anew for every image. Which factors are cyclic in their images, a model must know: values
    of all of them are taken to be.
    """

    factors: tuple[str, ...] = setting(())
    steps: int = setting(5, low=1)
    still: bool = setting(False)

    @property
    def images(self):
        return self.steps + 1

    def check(self, dataset):
        check_moves(self, dataset)
        moving_axes(self, dataset, self.factors)

    def draw(self, d):
        key_actions, key_noise = jax.random.split(d.key)
        axes = moving_axes(self, d.dataset, self.factors)
        steps = np.zeros((2 * len(axes) + self.still, len(d.dataset.grid)), np.int32)
        for j, axis in enumerate(axes):
            steps[2 * j, axis], steps[2 * j + 1, axis] = 1, -1
        actions = jax.random.randint(key_actions, (len(d.cells), self.steps), 0, len(steps))
        start = values_of(d.dataset, d.cells)[:, None]
        path = jnp.cumsum(jnp.asarray(steps)[actions], axis=1)  # [b, t, axes]
        values = (
            jnp.concatenate([start, start + path], axis=1) % np.asarray(d.dataset.grid)[None, None]
        )
        images = observe_several(d, cells_of(d.dataset, values), key_noise)
        return {"images": images, "actions": actions}
