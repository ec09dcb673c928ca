"""Likelihoods p(x|z) over the images of a batch, x [b, h, w, c], or over data of any other shape.

Densities in nats.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from soberlook.registry import BadInput

from .blur import blurred


class Bernoulli(NamedTuple):
    """Independent pixels in [0, 1], by their logits.

    Grey values are scored as they are: x log p + (1 − x) log(1 − p), the cross-entropy that the
    study minimises. It is a density over binary images only.
    """

    logits: Float[Array, "b *x"]

    @property
    def mean(self) -> Float[Array, "b *x"]:
        return jax.nn.sigmoid(self.logits)

    def log_prob(self, x: Float[Array, "b *x"]) -> Float[Array, " b"]:
        """log p(x|z), the sum over pixels and channels; exact at any size of the logits."""
        return log_bernoulli(x, self.logits).sum(axis=tuple(range(1, x.ndim)))


class Gaussian(NamedTuple):
    """Independent pixels around a mean that is not squashed; of variance 1 where none is given."""

    mean: Float[Array, "b *x"]
    log_var: Float[Array, "..."] | float = 0.0  # a scalar, or an array that broadcasts to the mean

    def log_prob(self, x: Float[Array, "b *x"]) -> Float[Array, " b"]:
        """log p(x|z), the sum over pixels and channels, constants included."""
        squared = jnp.square(x - self.mean) * jnp.exp(-self.log_var)
        per_pixel = -0.5 * squared - 0.5 * (self.log_var + math.log(2 * math.pi))
        return per_pixel.sum(axis=tuple(range(1, x.ndim)))


class Laplace(NamedTuple):
    """Independent pixels with unit scale around a mean that is not squashed: absolute errors."""

    mean: Float[Array, "b *x"]

    def log_prob(self, x: Float[Array, "b *x"]) -> Float[Array, " b"]:
        """log p(x|z), the sum over pixels and channels, constants included."""
        per_pixel = -jnp.abs(x - self.mean) - math.log(2)
        return per_pixel.sum(axis=tuple(range(1, x.ndim)))


class Autoregressive(NamedTuple):
    """Pixels that depend on those before them, in raster order, by a decoder that reads the image.

    `given(x)` is the likelihood of the pixels, each around what x shows before it. Where its errors
    e = x − x̂(x) are independent it is a product over pixels. Blurred ones are not (`blur.py`); it
    is a density all the same, since x ↦ e has a triangular Jacobian with ones on its diagonal.
    """

    given: Callable
    black: Float[Array, "b *x"]  # an image to begin with

    @property
    def mean(self) -> Float[Array, "b *x"]:
        """Pixel by pixel, each one's mean given the means of those before: for pictures.

        It is not E[x|z], which would take an average over all images. As many passes as pixels.
        """

        def settle(_, x):
            return self.given(x).mean  # after i passes the first i pixels stay as they are

        return jax.lax.fori_loop(0, math.prod(self.black.shape[1:]), settle, self.black)

    def log_prob(self, x: Float[Array, "b *x"]) -> Float[Array, " b"]:
        """log p(x|z), exact and in one pass: Σ_i log p(x_i | x_<i, z) of independent errors."""
        return self.given(x).log_prob(x)


@jax.custom_jvp
def log_bernoulli(x, logits):
    """x log p + (1 − x) log(1 − p) with p = sigmoid(logits), elementwise."""
    # Of log p and log(1 − p) one is −log(1 + e^−|l|), the other that less |l|.
    wrong = jnp.where(logits > 0, 1 - x, x)
    return -wrong * jnp.abs(logits) - jnp.log1p(jnp.exp(-jnp.abs(logits)))


@log_bernoulli.defjvp
def _derivative(primals, tangents):
    # Written out, because training needs nothing but x − p: the derivatives of the logarithms and
    # exponentials above would cost a tenth of a convolutional update.
    x, logits = primals
    dx, dlogits = tangents
    return log_bernoulli(x, logits), logits * dx + (x - jax.nn.sigmoid(logits)) * dlogits


# What a decoder's output means. The first three are of data of any shape.
LIKELIHOODS = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "laplace": Laplace,
    "box_blur": partial(blurred, "box"),
    "gaussian_blur": partial(blurred, "gaussian"),
}
BLURS = ("box_blur", "gaussian_blur")


def check_likelihood(likelihood: str, image_shape: tuple[int, ...]):
    """Raise `BadInput` where data of this shape cannot have this likelihood."""
    if likelihood in BLURS and len(image_shape) != 3:
        shape = "×".join(map(str, image_shape))
        raise BadInput(
            f"likelihood {likelihood!r} needs images of rows, columns and channels, found {shape}: "
            "use 'gaussian' there"
        )
