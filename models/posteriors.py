"""Posteriors q(z|x) over the codes of a batch: z [b, z]. Densities in nats."""

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

    def kl_per_latent(self) -> Float[Array, "b z"]:
        """KL(q(z_j|x) ‖ N(0, 1)) in nats (Kingma & Welling, 2014, appendix B)."""
        return 0.5 * (self.mean**2 + jnp.exp(self.log_var) - self.log_var - 1)

    def kl(self) -> Float[Array, " b"]:
        """KL(q(z|x) ‖ p(z)) in nats per image, the sum over latents."""
        return self.kl_per_latent().sum(axis=-1)
