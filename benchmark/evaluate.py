"""Evaluating a trained member: encode the whole grid once, then every metric from that.

Each program here is for one member at a time: memory does not grow with the width of a cohort, and
a member's numbers cannot depend on it.
"""

import zlib
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from threadpoolctl import threadpool_limits

from soberlook import metrics

from .train import EVALUATION, pick, purpose_key

BLOCK = 512  # cells encoded at a time
EVALUATION_SEED = 0  # of the cells metrics draw: the same for all runs of all studies


def represent(models, seeds, states, member: int, data, dataset) -> metrics.Representation:
    """The representation that one member has learnt, over every cell of the dataset."""
    encoded = encode(models, seeds, states, member, data, dataset=dataset)
    mean, kl, reconstruction, sampled = map(np.asarray, encoded)
    return metrics.Representation(mean, kl, reconstruction, dataset.factor_sizes, sampled)


def measure(names, representation) -> tuple[list[tuple[str, float, int]], list[str]]:
    """(name, value, version) of every number of these metrics, and what could not be computed.

    A metric draws the same cells for every run. One that raises ValueError, or gives a number that
    is not finite, gives no number at all, and its reason.
    """
    numbers, reasons = [], []
    for name in names:
        metric = metrics.METRICS.find(name)
        rng = np.random.default_rng([EVALUATION_SEED, zlib.crc32(name.encode())])
        try:
            # The pools of NumPy's and SciPy's BLAS wait for each other on few cores: on two, a
            # logistic regression takes eight times as long with them.
            with threadpool_limits(1, "blas"):
                found = metrics.compute(metric, representation, rng)
        except ValueError as error:
            reasons.append(f"{name}: {error}")
            continue
        for key, value in found.items():
            if np.isfinite(value):
                numbers.append((key, float(value), metric.version))
            else:
                reasons.append(f"{name}: {key} is {value}")
    return numbers, reasons


def traverse(models, seeds, states, member: int, data, dataset, *, columns=9) -> np.ndarray:
    """Latent traversals [z, columns, h, w, c] in [0, 1]: each latent from −2 to 2, the others as
    encoded for the cell in the middle of the grid."""
    middle = [size // 2 for size in dataset.factor_sizes]
    cell = np.ravel_multi_index(middle, dataset.factor_sizes)
    program = {"dataset": dataset, "columns": columns}
    return np.asarray(decode_lines(models, seeds, states, member, data, int(cell), **program))


@partial(jax.jit, static_argnames=("dataset",))
def encode(models, seeds, states, member, data, *, dataset):
    """Posterior means [n, z], KL per latent [n, z], −log p(x|z) [n] and z [n, z] of one member."""
    model, seed, state = pick(member, models, seeds, states)
    key = purpose_key(seed, EVALUATION)
    blocks = -(-dataset.size // BLOCK)

    def encode_block(block):
        # The last block ends with cells from the start again, which are cut off below.
        cells = (block * BLOCK + jnp.arange(BLOCK)) % dataset.size
        key_noise, key_sample = jax.random.split(jax.random.fold_in(key, block))
        x = dataset.observe(data, cells, key_noise)
        posterior = model.encode(state, x)
        z = posterior.sample(key_sample)
        reconstruction = -model.decode(state, z).log_prob(x)
        return posterior.mean, posterior.kl_per_latent(), reconstruction, z

    encoded = jax.lax.map(encode_block, jnp.arange(blocks))
    return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:])[: dataset.size], encoded)


@partial(jax.jit, static_argnames=("dataset", "columns"))
def decode_lines(models, seeds, states, member, data, cell, *, dataset, columns):
    """The images of `traverse`."""
    model, seed, state = pick(member, models, seeds, states)
    x = dataset.observe(data, jnp.asarray([cell]), purpose_key(seed, EVALUATION))
    code = model.encode(state, x).mean[0]
    latents = code.shape[0]
    values = jnp.linspace(-2.0, 2.0, columns)
    codes = jnp.broadcast_to(code, (latents, columns, latents))
    here = jnp.eye(latents, dtype=bool)[:, None, :]
    codes = jnp.where(here, values[None, :, None], codes)
    images = model.decode(state, codes.reshape(-1, latents)).mean
    return images.reshape(latents, columns, *images.shape[1:])
