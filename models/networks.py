"""Encoder, decoder and discriminator networks. The only file that knows Flax's modules.

An encoder maps images [b, h, w, c] to what a posterior is made of, the mean and log-variance [b, z]
unless a model has other heads; a decoder maps codes [b, z] to the likelihood's parameters
[b, h, w, c], or several of them. Dense networks do so for data of any shape.
Kernels start Glorot-uniform and biases at zero, as in the networks of the study (TensorFlow 1's
`tf.layers`).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput

from .convolution import convolve, convolve_transposed

PRECISIONS = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


class Dense(nn.Module):
    """x [b, n] → [x, 1] W [b, units]: the bias is the last row of W.

    Computed in `dtype`; the parameters are float32 always.

    Its gradient is then part of a matrix product and not a sum over the batch. Sums are compiled
    differently with the width of a cohort, products are not, and a run's numbers must not depend
    on how many others it was trained with.
    """

    units: int
    dtype: Any = jnp.float32
    kernel: Callable = nn.initializers.glorot_uniform()

    @nn.compact
    def __call__(self, x, mask=None):
        """With a mask [n, units], weights are 0 where it is false."""
        weights = self.param("weights", self._start, (x.shape[-1], self.units))
        if mask is not None:
            weights = weights * np.vstack([mask, np.ones((1, self.units), bool)])
        x = jnp.concatenate([x.astype(self.dtype), jnp.ones((x.shape[0], 1), self.dtype)], axis=1)
        return x @ weights.astype(self.dtype)

    def _start(self, key, shape):
        return jnp.concatenate([self.kernel(key, shape), jnp.zeros((1, shape[1]))])


def _heads(heads, dtype, h):
    """h [b, n] → an array [b, width] per head, in single precision. Part of an encoder's module."""
    found = [Dense(width, dtype, name=name)(h) for name, width in heads]
    return tuple(one.astype(jnp.float32) for one in found)


class DenseEncoder(nn.Module):
    heads: tuple[tuple[str, int], ...]
    widths: tuple[int, ...]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        h = x.reshape(x.shape[0], -1)
        for width in self.widths:
            h = nn.relu(Dense(width, self.dtype)(h))
        return _heads(self.heads, self.dtype, h)


class DenseDecoder(nn.Module):
    image_shape: tuple[int, ...]
    widths: tuple[int, ...]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, z):
        h = z
        for units in self.widths:
            h = nn.relu(Dense(units, self.dtype)(h))
        images = Dense(math.prod(self.image_shape), self.dtype)(h)
        return images.astype(jnp.float32).reshape(-1, *self.image_shape)


class MaskedDecoder(nn.Module):
    """z [b, n], x [b, …] → what z and the pixels before say of each pixel, in raster order.

    MADE with direct connections: Germain, Gregor, Murray & Larochelle, "Masked Autoencoder for
    Distribution Estimation", ICML 2015. Each of so many `units` knows the pixels up to some number,
    and pixel i reads units that know up to i − 1, those pixels themselves, and z, through a layer
    of `widths`. Pixels explain one another before z does: a decoder that makes codes collapse.
    """

    image_shape: tuple[int, ...]
    units: int
    widths: tuple[int, ...]
    outputs: int = 1
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, z, x):
        for width in self.widths:
            z = nn.relu(Dense(width, self.dtype)(z))
        pixels = np.arange(math.prod(self.image_shape))
        # As even as it goes; none knows the last pixel, which nothing may read.
        known = np.arange(self.units) * (len(pixels) - 1) // self.units
        said = np.tile(pixels.reshape(self.image_shape), self.outputs)
        x = x.reshape(len(x), -1)
        h = nn.relu(Dense(self.units, self.dtype)(x, pixels[:, None] <= known[None]))
        read = np.concatenate([known, pixels, np.full(z.shape[1], -1)])
        h = jnp.concatenate([h, x, z], axis=1)
        h = Dense(said.size, self.dtype)(h, read[:, None] < said.reshape(1, -1))
        return h.astype(jnp.float32).reshape(-1, *said.shape)


class Convolution(nn.Module):
    """x [b, h, w, c] → [b, h/2, w/2, features], stride 2.

    The bias is a plain one, unlike that of `Dense`: on a CPU, where widths show, the members of a
    convolutional cohort are trained one after another.
    """

    features: int
    size: int
    dtype: Any = jnp.float32
    gradients: str = "written"

    @nn.compact
    def __call__(self, x):
        shape = (self.size, self.size, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.glorot_uniform(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x, kernel, bias = (a.astype(self.dtype) for a in (x, kernel, bias))
        return convolve(x, kernel, self.gradients) + bias[None, None, None]


class TransposedConvolution(nn.Module):
    """x [b, h, w, c] → [b, 2h, 2w, features], kernel 4×4, stride 2.

    The kernel is [4, 4, features, c]: what is called fan in and fan out is exchanged, which
    Glorot's limit √(6 / (fan in + fan out)) does not see.
    """

    features: int
    dtype: Any = jnp.float32
    gradients: str = "written"

    @nn.compact
    def __call__(self, x):
        shape = (4, 4, self.features, x.shape[-1])
        kernel = self.param("kernel", nn.initializers.glorot_uniform(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x, kernel, bias = (a.astype(self.dtype) for a in (x, kernel, bias))
        return convolve_transposed(x, kernel, self.gradients) + bias[None, None, None]


class ConvEncoder(nn.Module):
    """The study's encoder: convolutions of so many `features` and kernels of these `sizes`."""

    heads: tuple[tuple[str, int], ...]
    features: tuple[int, ...]
    sizes: tuple[int, ...]
    dtype: Any = jnp.float32
    gradients: str = "written"

    @nn.compact
    def __call__(self, x, maps=None):
        """`maps` [b, h, w, features], where given, take the place of the last convolution's, which
        can be read as the intermediate "maps": what comes out can be derived by them."""
        h = x
        for features, size in zip(self.features, self.sizes, strict=True):
            h = nn.relu(Convolution(features, size, self.dtype, self.gradients)(h))
        self.sow("intermediates", "maps", h)
        h = h if maps is None else maps
        h = nn.relu(Dense(256, self.dtype)(h.reshape(h.shape[0], -1)))
        return _heads(self.heads, self.dtype, h)


class ConvDecoder(nn.Module):
    """The study's decoder, from a map of `side` and the encoder's features in reverse."""

    side: tuple[int, int]
    features: tuple[int, ...]
    channels: int
    dtype: Any = jnp.float32
    gradients: str = "written"

    @nn.compact
    def __call__(self, z):
        h = nn.relu(Dense(256, self.dtype)(z))
        last = self.features[-1]
        h = nn.relu(Dense(math.prod(self.side) * last, self.dtype)(h)).reshape(-1, *self.side, last)
        for features in self.features[-2::-1]:
            h = nn.relu(TransposedConvolution(features, self.dtype, self.gradients)(h))
        images = TransposedConvolution(self.channels, self.dtype, self.gradients)(h)
        return images.astype(jnp.float32)


class Discriminator(nn.Module):
    """z [b, n] → two logits [b, 2]. FactorVAE's in the study has six layers of 1,000."""

    widths: tuple[int, ...]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, z):
        h = z
        for width in self.widths:
            # TensorFlow's slope; JAX's is 0.01.
            h = nn.leaky_relu(Dense(width, self.dtype)(h), 0.2)
        return Dense(2, self.dtype)(h).astype(jnp.float32)


class ImageDiscriminator(nn.Module):
    """x [b, …] → a logit [b], and what each layer makes of x [b, n], the first being x itself.

    Convolutions and dense layers like an encoder's, with the slope of `Discriminator`.
    """

    features: tuple[int, ...]
    sizes: tuple[int, ...]
    widths: tuple[int, ...]
    dtype: Any = jnp.float32
    gradients: str = "written"

    @property
    def hidden(self) -> int:
        """How many layers there are between x and the logit."""
        return len(self.features) + len(self.widths)

    @nn.compact
    def __call__(self, x):
        h, layers = x, [x]
        for features, size in zip(self.features, self.sizes, strict=True):
            h = nn.leaky_relu(Convolution(features, size, self.dtype, self.gradients)(h), 0.2)
            layers.append(h)
        h = h.reshape(h.shape[0], -1)
        for width in self.widths:
            h = nn.leaky_relu(Dense(width, self.dtype)(h), 0.2)
            layers.append(h)
        logit = Dense(1, self.dtype)(h)[:, 0].astype(jnp.float32)
        return logit, [h.astype(jnp.float32).reshape(h.shape[0], -1) for h in layers]


class Regressor(nn.Module):
    """x [b, n] → one number [b, 1]: a self-normalising network (Klambauer et al., NIPS 2017)."""

    widths: tuple[int, ...]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        h, kernel = x, nn.initializers.lecun_normal()
        for width in self.widths:
            h = nn.selu(Dense(width, self.dtype, kernel)(h))
        return Dense(1, self.dtype, kernel)(h).astype(jnp.float32)


def _dense(widths, heads, image_shape, outputs, dtype, gradients):
    decoded = (*image_shape[:-1], image_shape[-1] * outputs)
    return DenseEncoder(heads, widths, dtype), DenseDecoder(decoded, widths[::-1], dtype)


def _made(widths, units, heads, image_shape, outputs, dtype, gradients):
    encoder = DenseEncoder(heads, widths, dtype)
    return encoder, MaskedDecoder(image_shape, units, widths[::-1], outputs, dtype)


def _conv(wide_kernel, heads, image_shape, outputs, dtype, gradients):
    *side, channels = image_shape
    halvings = _halvings(image_shape)
    # The study's for 64×64 pixels, which are halved four times: 32, 32, 64 and 64 features.
    features = (32,) * (halvings - halvings // 2) + (64,) * (halvings // 2)
    sizes = tuple(4 if width == 32 else wide_kernel for width in features)
    smallest = tuple(length >> halvings for length in side)
    encoder = ConvEncoder(heads, features, sizes, dtype, gradients)
    return encoder, ConvDecoder(smallest, features, channels * outputs, dtype, gradients)


def _halvings(image_shape):
    """How often a convolution of stride 2 can halve both sides, until one has no more than 4 pixels
    (or 3, of 24, 48 or 96); 0 for what is no image, and where more than 8 would be left."""
    if len(image_shape) != 3:
        return 0
    times, side = 0, image_shape[:2]
    while min(side) > 4 and not any(length % 2 for length in side):
        times, side = times + 1, [length // 2 for length in side]
    return times if max(side) <= 8 else 0


NETWORKS = {
    "mlp": partial(_dense, (128, 128)),
    "linear": partial(_dense, ()),  # probabilistic PCA's: every quantity has a closed form
    "made": partial(_made, (128, 128), 1024),  # its decoder is autoregressive over pixels
    "conv": partial(_conv, 2),  # the study's, as its code has it
    "conv_paper": partial(_conv, 4),  # and as Table 2 of its paper has it
}
CONVOLUTIONAL = ("conv", "conv_paper")
AUTOREGRESSIVE = ("made",)  # the decoder reads the image, too


def resolve(network: str, image_shape: tuple[int, ...]) -> str:
    """What `network` means for data of this shape.

    "auto" is the study's convolutions for images of more than 16 pixels that they fit, with as many
    of them as halve the image to 8 pixels or fewer, and dense layers for all else.
    """
    halvings = _halvings(image_shape)
    if network == "auto":
        return "conv" if halvings > 1 and min(image_shape[:2]) > 16 else "mlp"
    if network in CONVOLUTIONAL and halvings < 2:
        shape = "×".join(map(str, image_shape))
        raise BadInput(
            f"network {network!r} needs images whose sides can be halved, twice at least and down "
            f"to 8 pixels, found {shape}: use 'mlp' there"
        )
    return network


def build(
    network: str,
    latents: int,
    image_shape: tuple[int, ...],
    precision: str = "float32",
    gradients: str = "written",
    *,
    heads: dict[str, int] | None = None,
    outputs: int = 1,
):
    """The (encoder, decoder) pair called `network`.

    The encoder has the `heads` of these names and widths: a mean and a log-variance of `latents`
    each, where none are given. The decoder says so many `outputs` of every pixel and channel, all
    channels of the first before those of the second. Activations and products are in `precision`;
    parameters, and what comes out, are float32. `gradients` of convolutions are "written" out or
    "plain" ones of autodiff (`convolution.py`).
    """
    network = NETWORKS[resolve(network, image_shape)]
    heads = tuple((heads or {"mean": latents, "log_var": latents}).items())
    return network(heads, image_shape, outputs, PRECISIONS[precision], gradients)


def discriminator(widths: tuple[int, ...], precision: str = "float32"):
    """A discriminator of codes; float32 outside, `precision` inside."""
    return Discriminator(widths, PRECISIONS[precision])


def image_discriminator(
    network: str,
    image_shape: tuple[int, ...],
    precision: str = "float32",
    gradients: str = "written",
):
    """A discriminator of images with the layers that the encoder of this `network` has."""
    encoder, _ = build(network, 1, image_shape, precision, gradients)
    if isinstance(encoder, ConvEncoder):
        layers = encoder.features, encoder.sizes, (256,)
    else:
        layers = (), (), encoder.widths
    return ImageDiscriminator(*layers, encoder.dtype, gradients)


def regressor(widths: tuple[int, ...], precision: str = "float32"):
    """A network of one output; float32 outside, `precision` inside."""
    return Regressor(widths, PRECISIONS[precision])


def classifier(widths: tuple[int, ...], classes: int, precision: str = "float32"):
    """A dense network [b, n] → ([b, classes],): logits of classes, or any other numbers."""
    return DenseEncoder((("logits", classes),), widths, PRECISIONS[precision])
