"""How many operations an image costs: what no implementation of a network can do without."""

import math
from functools import partial

import jax
import jax.numpy as jnp

from soberlook.models.networks import build


def trained_flops(network: str, latents: int, image_shape: tuple[int, ...]) -> int:
    """Operations per image trained: three times those forward, as two gradients are made.

    Of encoder and decoder; where a game has more networks it costs more.
    """
    return 3 * forward_flops(network, latents, image_shape)


def forward_flops(network: str, latents: int, image_shape: tuple[int, ...]) -> int:
    """Operations of the products in one encoding and decoding of one image."""
    total = 0
    modules = build(network, latents, image_shape)
    for module, shape in zip(modules, (image_shape, (latents,)), strict=True):
        apply = partial(module.init_with_output, capture_intermediates=True, mutable=True)
        x = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
        _, found = jax.eval_shape(lambda x, apply=apply: apply(jax.random.key(0), x), x)
        for layer, parameters in found["params"].items():
            (result,) = found["intermediates"][layer]["__call__"]
            total += _layer(layer, parameters, result.shape)
    return total


def _layer(name, parameters, result):
    if "weights" in parameters:
        inputs, units = parameters["weights"].shape
        return 2 * (inputs - 1) * units  # the last row is the bias
    _, height, width, _ = result
    # A transposed convolution has a product for every pixel that goes in, a quarter of the result.
    pixels = height * width // 4 if name.startswith("Transposed") else height * width
    return 2 * pixels * math.prod(parameters["kernel"].shape)
