"""Likelihoods p(x|z) over the images of a batch: x [b, h, w, c] in [0, 1]. Densities in nats."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Bernoulli(NamedTuple):
    """Independent pixels, by their logits.

    Grey values are scored as they are: x log p + (1 − x) log(1 − p), the cross-entropy that the
    study minimises. It is a density over binary images only.
    """

    logits: Float[Array, "b h w c"]

    @property
    def mean(self) -> Float[Array, "b h w c"]:
        return jax.nn.sigmoid(self.logits)

    def log_prob(self, x: Float[Array, "b h w c"]) -> Float[Array, " b"]:
        """log p(x|z), the sum over pixels and channels; exact at any size of the logits."""
        log_p, log_not_p = jax.nn.log_sigmoid(self.logits), jax.nn.log_sigmoid(-self.logits)
        return (x * log_p + (1 - x) * log_not_p).sum(axis=(-3, -2, -1))


class Gaussian(NamedTuple):
    """Independent pixels with unit variance around a mean that is not squashed."""

    mean: Float[Array, "b h w c"]

    def log_prob(self, x: Float[Array, "b h w c"]) -> Float[Array, " b"]:
        """log p(x|z), the sum over pixels and channels, constants included."""
        per_pixel = -0.5 * jnp.square(x - self.mean) - 0.5 * math.log(2 * math.pi)
        return per_pixel.sum(axis=(-3, -2, -1))


LIKELIHOODS = {"bernoulli": Bernoulli, "gaussian": Gaussian}
