"""Encoder and decoder networks. The only file that knows Flax's modules.

An encoder maps images [b, h, w, c] to the posterior's mean and log-variance [b, z]; a decoder maps
codes [b, z] to the likelihood's parameter [b, h, w, c]. Kernels start Glorot-uniform and biases at
zero, as in the networks of the study (TensorFlow 1's `tf.layers`).
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp


class Dense(nn.Module):
    """x [b, n] → [x, 1] W [b, units]: the bias is the last row of W.

    Its gradient is then part of a matrix product and not a sum over the batch. Sums are compiled
    differently with the width of a cohort, products are not, and a run's numbers must not depend
    on how many others it was trained with.
    """

    units: int

    @nn.compact
    def __call__(self, x):
        weights = self.param("weights", _glorot_uniform_and_zero_bias, (x.shape[-1], self.units))
        return jnp.concatenate([x, jnp.ones((x.shape[0], 1))], axis=1) @ weights


def _glorot_uniform_and_zero_bias(key, shape):
    kernel = nn.initializers.glorot_uniform()(key, shape)
    return jnp.concatenate([kernel, jnp.zeros((1, shape[1]))])


class DenseEncoder(nn.Module):
    latents: int
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x):
        h = x.reshape(x.shape[0], -1)
        for width in self.widths:
            h = nn.relu(Dense(width)(h))
        return Dense(self.latents, name="mean")(h), Dense(self.latents, name="log_var")(h)


class DenseDecoder(nn.Module):
    image_shape: tuple[int, int, int]
    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, z):
        height, width, channels = self.image_shape
        h = z
        for units in self.widths:
            h = nn.relu(Dense(units)(h))
        return Dense(height * width * channels)(h).reshape(-1, height, width, channels)


def _dense(widths, latents, image_shape):
    return DenseEncoder(latents, widths), DenseDecoder(image_shape, widths[::-1])


NETWORKS = {
    "mlp": partial(_dense, (128, 128)),
    "linear": partial(_dense, ()),  # probabilistic PCA's: every quantity has a closed form
}


def resolve(network: str, image_shape: tuple[int, ...]) -> str:
    """What `network` means for images of this shape: "auto" is the dense pair."""
    return "mlp" if network == "auto" else network


def build(network: str, latents: int, image_shape: tuple[int, ...]):
    """The (encoder, decoder) pair called `network`."""
    return NETWORKS[resolve(network, image_shape)](latents, image_shape)
