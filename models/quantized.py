"""The posterior of vector quantisation: one code of a codebook at each of p positions, for certain.

    q(k|x) = 1[k = argmin_k ‖z_e − e_k‖²],  p(k) = 1/K  ⇒  KL(q ‖ p) = log K at every position

(van den Oord, Vinyals & Kavukcuoglu, NIPS 2017, section 3.1).
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray


class Quantized(NamedTuple):
    """The nearest codes e_k, what the encoder said, z_e, and how far that is from all K codes."""

    mean: Float[Array, "b z"]
    encoded: Float[Array, "b z"]
    distances: Float[Array, "b p k"]  # squared

    @property
    def index(self) -> Int[Array, "b p"]:
        """Which code is the nearest."""
        return jnp.argmin(self.distances, axis=-1)

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """The nearest codes; the key is not used."""
        del key
        return self.mean

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """NaN: even codes are the prior of training alone; one to draw from is learnt afterwards
        (section 3.3)."""
        del key
        return jnp.full_like(self.mean, jnp.nan)

    def log_ratio(self, z: Float[Array, "b z"]) -> Float[Array, " b"]:
        """log p(k) − log q(k|x) = −p log K."""
        return jnp.full(z.shape[0], -self._nats)

    def kl_per_latent(self) -> Float[Array, "b z"]:
        """log K a position, in equal shares to the latents that a position has."""
        return jnp.full(self.mean.shape, self._nats / self.mean.shape[1])

    def kl(self) -> Float[Array, " b"]:
        """p log K in nats, whatever the image."""
        return jnp.full(self.mean.shape[0], self._nats)

    @property
    def _nats(self):
        _, positions, codes = self.distances.shape
        return positions * math.log(codes)


def straight_through(encoded: Float[Array, "b z"], codes: Float[Array, "b z"]):
    """The codes to the bit, with the gradient of what was encoded."""
    still = jax.lax.stop_gradient
    return still(codes) + (encoded - still(encoded))  # not z_e + (e − z_e), which is rounded
