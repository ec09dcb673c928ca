"""Encoder, decoder and discriminator networks. The only file that knows Flax's modules.

An encoder maps images [b, h, w, c] to the posterior's mean and log-variance [b, z]; a decoder maps
codes [b, z] to the likelihood's parameter [b, h, w, c]. Kernels start Glorot-uniform and biases at
zero, as in the networks of the study (TensorFlow 1's `tf.layers`).
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from soberlook.registry import BadInput

from .convolution import convolve, convolve_transposed


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


class Convolution(nn.Module):
    """x [b, h, w, c] → [b, h/2, w/2, features], stride 2.

    The bias is a plain one, unlike that of `Dense`: on a CPU, where widths show, the members of a
    convolutional cohort are trained one after another.
    """

    features: int
    size: int

    @nn.compact
    def __call__(self, x):
        shape = (self.size, self.size, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.glorot_uniform(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return convolve(x, kernel) + bias[None, None, None]


class TransposedConvolution(nn.Module):
    """x [b, h, w, c] → [b, 2h, 2w, features], kernel 4×4, stride 2.

    The kernel is [4, 4, features, c]: what is called fan in and fan out is exchanged, which
    Glorot's limit √(6 / (fan in + fan out)) does not see.
    """

    features: int

    @nn.compact
    def __call__(self, x):
        shape = (4, 4, self.features, x.shape[-1])
        kernel = self.param("kernel", nn.initializers.glorot_uniform(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return convolve_transposed(x, kernel) + bias[None, None, None]


class ConvEncoder(nn.Module):
    """The study's encoder for 64×64 images; `sizes` are those of its four kernels."""

    latents: int
    sizes: tuple[int, int, int, int]

    @nn.compact
    def __call__(self, x):
        h = x
        for features, size in zip((32, 32, 64, 64), self.sizes, strict=True):
            h = nn.relu(Convolution(features, size)(h))
        h = nn.relu(Dense(256)(h.reshape(h.shape[0], -1)))
        return Dense(self.latents, name="mean")(h), Dense(self.latents, name="log_var")(h)


class ConvDecoder(nn.Module):
    """The study's decoder for 64×64 images."""

    channels: int

    @nn.compact
    def __call__(self, z):
        h = nn.relu(Dense(256)(z))
        h = nn.relu(Dense(1024)(h)).reshape(-1, 4, 4, 64)
        for features in (64, 32, 32):
            h = nn.relu(TransposedConvolution(features)(h))
        return TransposedConvolution(self.channels)(h)


class Discriminator(nn.Module):
    """z [b, n] → two logits [b, 2]. FactorVAE's in the study has six layers of 1,000."""

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, z):
        h = z
        for width in self.widths:
            h = nn.leaky_relu(Dense(width)(h), 0.2)  # TensorFlow's slope; JAX's is 0.01
        return Dense(2)(h)


def _dense(widths, latents, image_shape):
    return DenseEncoder(latents, widths), DenseDecoder(image_shape, widths[::-1])


def _conv(sizes, latents, image_shape):
    return ConvEncoder(latents, sizes), ConvDecoder(image_shape[-1])


NETWORKS = {
    "mlp": partial(_dense, (128, 128)),
    "linear": partial(_dense, ()),  # probabilistic PCA's: every quantity has a closed form
    "conv": partial(_conv, (4, 4, 2, 2)),  # the study's, as its code has it
    "conv_paper": partial(_conv, (4, 4, 4, 4)),  # and as Table 2 of its paper has it
}
CONVOLUTIONAL = ("conv", "conv_paper")


def resolve(network: str, image_shape: tuple[int, ...]) -> str:
    """What `network` means for images of this shape: "auto" is the study's where it fits."""
    fits = tuple(image_shape[:2]) == (64, 64)
    if network == "auto":
        return "conv" if fits else "mlp"
    if network in CONVOLUTIONAL and not fits:
        shape = "×".join(map(str, image_shape))
        raise BadInput(f"network {network!r} needs 64×64 images, found {shape}: use 'mlp' there")
    return network


def build(network: str, latents: int, image_shape: tuple[int, ...]):
    """The (encoder, decoder) pair called `network`."""
    return NETWORKS[resolve(network, image_shape)](latents, image_shape)
