"""VQ-VAE: van den Oord, Vinyals & Kavukcuoglu, "Neural Discrete Representation Learning", NIPS
2017.

    loss = −log p(x|e_k) + ‖sg(z_e) − e_k‖² + c ‖z_e − sg(e_k)‖²                           (eq. 3)
    k = argmin_k ‖z_e − e_k‖²

sg stops a gradient; that of the first term goes past the quantisation to z_e, unchanged. Instead of
by the second term the codes may move by averages (appendix A.1): with γ the decay, and n_k of the
batch's z_e nearest to e_k,

    N_k ← γ N_k + (1 − γ) n_k,  m_k ← γ m_k + (1 − γ) Σ z_e,  e_k = m_k / N_k
    which is                    e_k ← e_k + (1 − γ) (Σ z_e − n_k e_k) / N_k

so that a code that is not taken stays. Public code smooths N, which draws it to the origin.

All norms are sums, as the reconstruction is in nats per image. The latents may be split into
several positions, which share the codebook, as the places of a feature map do.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from .model import hyperparameter, register
from .quantized import Quantized, straight_through
from .vae import VAE, Terms

TINY = 1e-30  # of N, which is 0 by underflow where a code is never taken


@register("vq_vae")
class VQVAE(VAE):
    """VQ-VAE (van den Oord et al., NIPS 2017): codes are the nearest ones of a learnt codebook."""

    version = 2
    paper = "van den Oord et al., NIPS 2017"
    trial = {"codebook": 32, "positions": 2}

    codebook: int = setting(512, low=2)  # how many codes there are
    positions: int = setting(1, low=1)  # of `latents` / `positions` latents each
    learns: str = setting("gradient", choices=("gradient", "average"))  # how the codes do
    commitment: float = hyperparameter(0.25, sweep=(0.1, 0.25, 0.5, 1, 2), low=0)
    # Of N, and of what is logged of usage: where codes learn by gradients, of that alone.
    decay: float = hyperparameter(0.99, low=0, high=0.9999)
    learning_rate: float = hyperparameter(2e-4, low=0)

    def __post_init__(self):
        super().__post_init__()
        if self.latents % self.positions:
            raise BadInput(
                f"{self.name}: latents must be a multiple of positions, found {self.latents} "
                f"and {self.positions}"
            )

    def check(self, dataset):
        images = dataset.size - len(dataset.training.held_out(dataset))
        if self.codebook > images:
            raise BadInput(
                f"{self.name}: codebook must be ≤ {images}, the training images of "
                f"{dataset.name!r}, found {self.codebook}"
            )

    @property
    def heads(self):
        return {"encoded": self.latents}

    def init(self, key, batch):
        key_vae, key_book = jax.random.split(key)
        state = super().init(key_vae, batch)
        shape, limit = (self.codebook, self.latents // self.positions), 1 / self.codebook
        book = jax.random.uniform(key_book, shape, minval=-limit, maxval=limit)
        ones = jnp.ones(self.codebook)
        extra = {"usage": ones / self.codebook}  # each one's share, a running average of batches
        if self.learns == "average":
            return state.replace(extra=extra | {"counts": ones, "codes": book})
        return self.with_params(state.replace(extra=extra), codebook=book)

    def book(self, state):
        """The codes e [K, z / positions]."""
        if self.learns == "gradient":
            return state.params["codebook"]
        return state.extra["codes"]

    def encoded(self, state, x):
        """z_e [n, z], before it is quantised."""
        return self.heads_of(state, x)[0]

    def encode(self, state, x):
        encoded, book = self.encoded(state, x), self.book(state)
        parts = encoded.reshape(len(encoded), self.positions, 1, -1)
        distances = jnp.square(parts - book[None, None]).sum(axis=-1)
        nearest = look_up(jnp.argmin(distances, axis=-1), book)
        return Quantized(nearest.reshape(encoded.shape), encoded, distances)

    def infer(self, state, x, key):
        q = self.encode(state, x)
        return q, straight_through(q.encoded, q.mean)

    def regularizer(self, t: Terms):
        encoded, nearest = t.posterior.encoded, t.posterior.mean
        distance = jnp.square(encoded - nearest).sum(axis=1)
        return self.pull(encoded, nearest, self.commitment), {"distance": distance}

    def pull(self, encoded, codes, commitment):
        """‖sg(z_e) − e‖² + c ‖z_e − sg(e)‖² [n]; without the first where codes are averages."""
        still = jax.lax.stop_gradient
        pull = commitment * jnp.square(encoded - still(codes)).sum(axis=1)
        if self.learns == "gradient":
            pull += jnp.square(still(encoded) - codes).sum(axis=1)
        return pull

    def assigned(self, q, batch):
        """Which code each z_e moves, where codes are averages [n, positions]."""
        return q.index

    def update(self, state, batch, key):
        after, logs = super().update(state, batch, key)
        q = self.encode(state, self.observed(batch))  # the codes of the update above

        def running(average, new):
            return self.decay * average + (1 - self.decay) * new

        extra = {"usage": running(state.extra["usage"], self.one_hot(q.index).mean(axis=0))}
        if self.learns == "average":
            taken = self.one_hot(self.assigned(q, batch))
            codes, n = self.book(state), taken.sum(axis=0)
            towards = taken.T @ q.encoded.reshape(len(taken), -1) - n[:, None] * codes
            counts = running(state.extra["counts"], n)
            move = (1 - self.decay) * towards / jnp.maximum(counts, TINY)[:, None]
            extra |= {"counts": counts, "codes": codes + move}
        entropy = jax.scipy.special.entr(extra["usage"]).sum()
        # Dead: taken less than a hundredth as often as if all were taken alike.
        dead = (extra["usage"] * self.codebook < 0.01).sum()
        logs |= {"perplexity": jnp.exp(entropy), "dead_codes": jnp.float32(dead)}
        return after.replace(extra=extra), logs

    def one_hot(self, index):
        """index [n, positions] → [n · positions, K], 1 where a code is taken."""
        return jax.nn.one_hot(index.reshape(-1), self.codebook)


def look_up(index, book):
    """book [K, d] at index [...] → [..., d], to the bit.

    A product, whose gradient is one, too: a gather's would be a sum over the batch, which is
    compiled differently with the width of a cohort (see `networks.Dense`).
    """
    return jnp.matmul(jax.nn.one_hot(index, len(book)), book, precision="highest")
