"""Encoder and decoder networks. The only file that knows Flax's modules.

An encoder maps images [b, h, w, c] to the posterior's mean and log-variance [b, z]; a decoder maps
codes [b, z] to the likelihood's parameter [b, h, w, c]. Kernels start Glorot-uniform and biases at
zero, as in the networks of the study (TensorFlow 1's `tf.layers`).
"""

from functools import partial

import flax.linen as nn

Dense = partial(nn.Dense, kernel_init=nn.initializers.glorot_uniform())


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
    "mlp": partial(_dense, (256, 128)),
    "linear": partial(_dense, ()),  # probabilistic PCA's: every quantity has a closed form
}


def resolve(network: str, image_shape: tuple[int, ...]) -> str:
    """What `network` means for images of this shape: "auto" is the dense pair."""
    return "mlp" if network == "auto" else network


def build(network: str, latents: int, image_shape: tuple[int, ...]):
    """The (encoder, decoder) pair called `network`."""
    return NETWORKS[resolve(network, image_shape)](latents, image_shape)
