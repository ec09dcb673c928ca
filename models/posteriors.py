"""Posteriors q(z|x) over the codes of a batch: z [b, z]. Densities in nats.

A posterior is a NamedTuple of arrays, batch first, and says five things of itself: `.mean` [b, z],
the codes that studies score; `.sample(key)` [b, z]; `.kl_per_latent()` [b, any number], which sum
to `.kl()` [b]; `.log_ratio(z)`, log p(z) − log q(z|x) [b], for bounds on log p(x), NaN where there
is no density; and `.sample_prior(key)` [b, z], as many draws of p(z), NaN where there is no prior.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


class Gaussian(NamedTuple):
    """N(mean, diag(exp(log_var))), against the prior N(0, I)."""

    mean: Float[Array, "b z"]
    log_var: Float[Array, "b z"]

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """mean + σ ε, differentiable in both (Kingma & Welling, 2014)."""
        eps = jax.random.normal(key, self.mean.shape)
        return self.mean + jnp.exp(self.log_var / 2) * eps

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """z ~ N(0, I)."""
        return jax.random.normal(key, self.mean.shape)

    def log_prob_per_latent(self, z: Float[Array, "b z"]) -> Float[Array, "b z"]:
        """log q(z_j|x) in nats."""
        eps_squared = jnp.square(z - self.mean) * jnp.exp(-self.log_var)
        return -0.5 * (eps_squared + self.log_var + math.log(2 * math.pi))

    def log_ratio(self, z: Float[Array, "b z"]) -> Float[Array, " b"]:
        """log p(z) − log q(z|x) in nats."""
        eps_squared = jnp.square(z - self.mean) * jnp.exp(-self.log_var)
        return 0.5 * (eps_squared + self.log_var - jnp.square(z)).sum(axis=-1)

    def kl_per_latent(self) -> Float[Array, "b z"]:
        """KL(q(z_j|x) ‖ N(0, 1)) in nats (Kingma & Welling, 2014, appendix B)."""
        return 0.5 * (self.mean**2 + jnp.exp(self.log_var) - self.log_var - 1)

    def kl(self) -> Float[Array, " b"]:
        """KL(q(z|x) ‖ p(z)) in nats per image, the sum over latents."""
        return self.kl_per_latent().sum(axis=-1)


class Point(NamedTuple):
    """A code without noise, of an encoder that gives no distribution. There is no KL to speak of:
    it is 0, and `log_ratio` is NaN."""

    mean: Float[Array, "b z"]

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """The code; the key is not used."""
        del key
        return self.mean

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """NaN: there is no prior."""
        del key
        return jnp.full_like(self.mean, jnp.nan)

    def log_ratio(self, z: Float[Array, "b z"]) -> Float[Array, " b"]:
        """NaN: a point has no density."""
        return jnp.full(z.shape[0], jnp.nan)

    def kl_per_latent(self) -> Float[Array, "b z"]:
        """Zeros."""
        return jnp.zeros_like(self.mean)

    def kl(self) -> Float[Array, " b"]:
        """Zeros."""
        return jnp.zeros(self.mean.shape[0])
