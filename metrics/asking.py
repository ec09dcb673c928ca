"""Asking a trained run for many images, codes and likelihoods: what its metrics are made from.

Programs are compiled for one batch size, so that a run needs one program a function, however many
rows it is asked for. Runs whose functions are `jax.tree_util.Partial`s of one function, with their
parameters as arguments, share that program; any other function is compiled for itself.
"""

from collections.abc import Callable

import jax
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Float, Int

from .metric import Posterior, Trained, check_codes

BATCH = 256


def draw_cells(trained: Trained, rng: np.random.Generator, count: int) -> Int[np.ndarray, " n"]:
    """`count` cells of the whole grid, uniform and with replacement."""
    if count < 1:
        raise ValueError(f"cells must be one at least, found {count}")
    return rng.integers(len(trained.representation.mean), size=count)


def draw_key(rng: np.random.Generator) -> jax.Array:
    """A key of JAX."""
    return jax.random.key(int(rng.integers(2**31)))


def observe(
    trained: Trained, cells: Int[np.ndarray, " n"], key: jax.Array
) -> Float[np.ndarray, "n *x"]:
    """The images of these cells."""
    return _finite(in_batches(trained.observe, cells, after=(key,)), "images")


def observe_pictures(
    trained: Trained, cells: Int[np.ndarray, " n"], key: jax.Array
) -> Float[np.ndarray, "n h w c"]:
    """The same, or a ValueError where they are no pictures."""
    images = observe(trained, cells, key)
    if images.ndim != 4:
        raise ValueError(f"images must have rows, columns and channels, found {images.shape[1:]}")
    return images


def encode(trained: Trained, images: Float[np.ndarray, "n *x"]) -> Posterior:
    """q(z|x) of these images, or a ValueError where its mean is not finite."""
    posterior = in_batches(trained.encode, images)
    check_codes(posterior.mean, "encoded means")
    return posterior


@jax.jit
def sample(posterior: Posterior, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Codes z of q(z|x) [n, z], and log p(z) − log q(z|x) of them [n], NaN without a density."""
    z = posterior.sample(key)
    return z, posterior.log_ratio(z)


def check_density(log_ratio: Float[np.ndarray, "..."]):
    """Raise ValueError where a posterior has no density at its own samples."""
    if np.isnan(log_ratio).any() or np.isposinf(log_ratio).any():
        raise ValueError("posteriors must have a density, found log p(z) − log q(z|x) of NaN or ∞")


def decode(trained: Trained, codes: Float[np.ndarray, "n z"]) -> Float[np.ndarray, "n *x"]:
    """The mean of p(x|z) for these codes, or a ValueError where it is not finite."""
    return _finite(in_batches(trained.decode, codes.astype(np.float32)), "decoded images")


def in_batches(function: Callable, *rows, after: tuple = (), size: int = BATCH):
    """`function(*rows, *after)` as arrays of NumPy, called with `size` rows at a time.

    The last batch is filled up with rows from the start, which are cut off its result.
    """
    function = as_argument(function)
    count = len(rows[0])
    batches = (np.arange(start, start + size) % count for start in range(0, count, size))
    found = [_call(function, *(row[batch] for row in rows), *after) for batch in batches]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:count], *jax.device_get(found))


def as_argument(function: Callable) -> Partial:
    """The function as one that others may be given under `jax.jit`."""
    return function if isinstance(function, Partial) else Partial(function)


@jax.jit
def _call(function, *arguments):
    return function(*arguments)


def _finite(images, name):
    if not np.isfinite(images).all():
        raise ValueError(f"{name} must be finite, found NaN or infinity")
    return images
