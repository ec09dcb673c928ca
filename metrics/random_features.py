"""Features of images from a network with fixed random weights, equal on every machine.

Convolutions 3×3 of stride 2 with 32 channels and ReLU until no side is above 4, then a matrix to
64 features. No training, so they know no dataset and no model. Random convolutional features see
edges and places (Jarrett, Kavukcuoglu, Ranzato & LeCun, "What is the Best Multi-Stage Architecture
for Object Recognition?", ICCV 2009); they see no meaning.

Weights are uniform, from the raw bits of NumPy's PCG64, which NumPy promises to keep. Their SHA-256
is in `HASHES`; other weights would be another metric, under another name.
"""

import hashlib
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SEED = 2017
CHANNELS = 32
FEATURES = 64
HASHES = {
    (16, 16, 1): "fe1444ba076c7e954b3957c5cf4d6c308b08cabb652de5c96afb2272ac00a9e3",
    (16, 16, 3): "0f5b98e022a951df812d5f5f8f04e55a6a64c526354dc058d8f2e4bff976011c",
    (28, 28, 1): "3a977305fbd9bb14c67e44fe0a5a04c637e71be33bd1104944da9186a0957eee",
    (64, 64, 1): "aa4b03f25c01e6b9d571b870fd88e144f73b51ba638a4bb2b30c1ed82715ee1e",
    (64, 64, 3): "175a09e65655c8d7f2d2d643cc40d6ccf1bcefa472397210b9bc8b5a3537f4f7",
}


def random_features(
    images: Float[Array, "b h w c"], weights: tuple[Float[Array | np.ndarray, "..."], ...]
) -> Float[Array, "b f"]:
    """The features of these images; use under `jax.jit`."""
    *kernels, matrix = weights
    for kernel in kernels:
        layout = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "precision": "highest"}
        images = jax.lax.conv_general_dilated(images, kernel, (2, 2), "SAME", **layout)
        images = jax.nn.relu(images)
    return jnp.matmul(images.reshape(len(images), -1), matrix, precision="highest")


@cache
def weights(image_shape: tuple[int, int, int]) -> tuple[Float[np.ndarray, "..."], ...]:
    """The network's weights for images of this shape: kernels [3, 3, in, out], and a matrix."""
    height, width, channels = image_shape
    bits = np.random.PCG64(SEED)
    kernels = []
    while max(height, width) > 4:
        kernels.append(_uniform(bits, (3, 3, channels, CHANNELS), variance=2 / (9 * channels)))
        height, width, channels = -(-height // 2), -(-width // 2), CHANNELS
    inputs = height * width * channels
    return *kernels, _uniform(bits, (inputs, FEATURES), variance=1 / inputs)


def weights_hash(image_shape: tuple[int, int, int]) -> str:
    """SHA-256 of the weights as little-endian single precision, in their order."""
    together = b"".join(w.astype("<f4").tobytes() for w in weights(image_shape))
    return hashlib.sha256(together).hexdigest()


def _uniform(bits, shape, variance):
    """Uniform on ±√(3 variance), by exact steps: no rounding of a library enters."""
    unit = (bits.random_raw(int(np.prod(shape))) >> np.uint64(11)) * 2.0**-53
    return (np.sqrt(3 * variance) * (2 * unit - 1)).reshape(shape).astype(np.float32)
