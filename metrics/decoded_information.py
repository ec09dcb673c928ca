"""How much of a code can be read from what is decoded of it: Barber & Agakov, "The IM Algorithm",
NIPS 2003, as Serdega & Kim, 2020 (arXiv 2005.13953) ask it of a VAE.

    I(c; x̂) ≥ H(c) − E[−log Q(c|x̂)],   z ~ q(z) = 1/N Σ_n q(z|x_n),   c part of z,   x̂ = decode(z)
    H(c) = −E[log 1/N Σ_n q(c|x_n)]

Q is a network of images, trained here, on what the fixed model decodes: normal for each continuous
code, a softmax for a choice. It is the entropy of codes as they are that counts: with that of the
prior in its place, codes that fill but a part of it would seem to say more than they do.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.nn.initializers import lecun_normal
from jax.scipy.special import entr, logsumexp
from jax.tree_util import Partial
from jaxtyping import Array, Float

from . import asking
from .metric import Posterior, Trained, register


@register("decoded_information", of="trained")
def decoded_information(
    trained: Trained,
    rng: np.random.Generator,
    *,
    codes: int = 2,
    cells: int = 2_000,
    updates: int = 1_000,
    batch: int = 128,
    width: int = 128,
    learning_rate: float = 3e-3,
) -> dict[str, float]:
    """How many nats of a code can be read from the decoded image? A bound from below.

    `decoded_information` of the first `codes` continuous codes together, which are those that a
    VMI-VAE chooses; `decoded_information_j` of code j alone; and of a model with a choice among its
    codes `decoded_information_choice`, with true one-hots, at most log K. Higher is more; about 0
    where the decoder ignores the code. A bound can be below 0, where codes are not normal and Q
    finds nothing in the images. It is unbounded for continuous codes: what is decoded has no noise,
    and a finer Q reads more. Compare equal options only.

    N = `cells`, drawn without replacement from the whole grid, or all there are. Q has two hidden
    layers of `width` and sees `updates` batches of fresh codes; H and −log Q are estimated from
    one further code of every cell. The bound holds for c from these N cells. Raises ValueError for
    posteriors that have no density of each code.
    """
    if min(codes, cells, updates, batch, width) < 1:
        raise ValueError("codes, cells, updates, batch and width must be one at least")
    drawn = rng.permutation(len(trained.representation.mean))[:cells]
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    posterior = asking.encode(trained, images)
    if not hasattr(posterior, "log_prob_per_latent"):
        raise ValueError("posteriors must have a density of each code")
    choices = getattr(posterior, "choices", 0)
    z, log_ratio = asking.sample(posterior, asking.draw_key(rng))
    asking.check_density(np.asarray(log_ratio))
    decoded = asking.decode(trained, np.asarray(z))
    reader = start_reader(asking.draw_key(rng), np.asarray(z), decoded, choices, width)
    decode = trained.decode if isinstance(trained.decode, Partial) else Partial(trained.decode)
    reader = train_reader(
        reader, posterior, decode, asking.draw_key(rng), learning_rate, updates, batch=batch
    )
    unread = np.asarray(surprise(reader, z, jnp.asarray(decoded)), np.float64).mean(axis=0)
    latents = z.shape[1] - choices
    own, together = entropies(posterior, z, min(codes, latents))
    own = np.asarray(own, np.float64)
    found = {"decoded_information": float(together - unread[:codes][:latents].sum())}
    found |= {f"decoded_information_{j}": float(own[j] - unread[j]) for j in range(latents)}
    if choices:
        found["decoded_information_choice"] = float(own[-1] - unread[-1])
    return found


@partial(jax.jit, static_argnames="codes")
def entropies(
    posterior: Posterior, z: Float[Array, "n z"], codes: int
) -> tuple[Float[Array, " k"], Float[Array, ""]]:
    """H of each code, and of the first so many together, over the mixture of these posteriors."""

    def log_mixture(one):
        log_q = posterior.log_prob_per_latent(jnp.broadcast_to(one[None], z.shape))
        log_q = jnp.concatenate([log_q, log_q[:, :codes].sum(axis=1, keepdims=True)], axis=1)
        return logsumexp(log_q, axis=0) - jnp.log(len(z))

    found = -jax.lax.map(log_mixture, z).mean(axis=0)
    own, together = found[:-1], found[-1]
    choices = getattr(posterior, "choices", 0)
    if choices:  # exactly, and so at most log K
        own = own.at[-1].set(entr(posterior.mean[:, -choices:].mean(axis=0)).sum())
    return own, together


class Reader(NamedTuple):
    """Q's parameters, and the units of images and codes, which are not trained."""

    layers: list[Float[Array, "i o"]]  # the last row of each is its bias
    image: tuple[Array, Array]  # what is subtracted from images, and what they are divided by
    code: tuple[Array, Array]  # the mean and the deviation of each code


def start_reader(key, z, decoded, choices, width) -> Reader:
    """A network whose Q is, before it is trained, what is known without an image."""
    latents = z.shape[1] - choices
    deviation = z.std(axis=0)[:latents]
    deviation = np.where(deviation > 0, deviation, 1)
    middle = decoded.mean(axis=0)
    spread = (decoded - middle).std()
    widths = middle.size, width, width
    layers = [
        jnp.concatenate([lecun_normal()(k, (i, o)), jnp.zeros((1, o))])
        for k, i, o in zip(jax.random.split(key), widths[:-1], widths[1:], strict=True)
    ]
    layers.append(jnp.zeros((width + 1, 2 * latents + choices)))
    units = (middle[None], spread if spread > 1e-6 else 1.0), (z.mean(axis=0)[:latents], deviation)
    return Reader(layers, *jax.tree.map(jnp.asarray, units))


@jax.jit
def surprise(
    reader: Reader, z: Float[Array, "n z"], decoded: Float[Array, "n *x"]
) -> Float[Array, "n k"]:
    """−log Q of each continuous code and, last, of the choice, in nats."""
    middle, spread = reader.image
    h = ((decoded - middle) / spread).reshape(len(decoded), -1)
    for i, layer in enumerate(reader.layers):
        h = jnp.matmul(h, layer[:-1], precision="highest") + layer[None, -1]
        h = jax.nn.relu(h) if i < len(reader.layers) - 1 else h
    centre, deviation = (a[None] for a in reader.code)
    latents = centre.shape[1]
    mean, log_std, logits = jnp.split(h, [latents, 2 * latents], axis=1)
    error = ((z[:, :latents] - centre) / deviation - mean) * jnp.exp(-log_std)
    continuous = 0.5 * (error**2 + jnp.log(2 * jnp.pi)) + log_std + jnp.log(deviation)
    if not logits.shape[1]:
        return continuous
    choice = -(z[:, latents:] * jax.nn.log_softmax(logits)).sum(axis=1, keepdims=True)
    return jnp.concatenate([continuous, choice], axis=1)


@partial(jax.jit, static_argnames="batch")
def train_reader(reader, posterior, decode, key, learning_rate, updates, *, batch) -> Reader:
    """The reader after so many updates by Adam, at rates that fall to 0 along a cosine."""
    cells = len(posterior.mean)

    def update(step, carry):
        layers, moments = carry
        key_cells, key_codes = jax.random.split(jax.random.fold_in(key, step))
        drawn = jax.random.randint(key_cells, (batch,), 0, cells)
        z = jax.tree.map(lambda leaf: jnp.asarray(leaf)[drawn], posterior).sample(key_codes)
        decoded = decode(z)

        def loss(layers):
            return surprise(reader._replace(layers=layers), z, decoded).sum(axis=1).mean()

        rate = learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * step / updates))
        steps, moments = optax.adam(rate).update(jax.grad(loss)(layers), moments)
        return optax.apply_updates(layers, steps), moments

    start = reader.layers, optax.adam(0.0).init(reader.layers)
    return reader._replace(layers=jax.lax.fori_loop(0, updates, update, start)[0])
