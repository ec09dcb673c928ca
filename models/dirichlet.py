"""Posteriors on the simplex that are sampled through Gamma variables, against a Dirichlet prior.

    v_k = (u_k α̂_k Γ(α̂_k))^(1/α̂_k),   u_k ~ U(0, 1),   z = v / Σ_k v_k

v is Gamma(α̂, 1) where it is small: its distribution function begins as v^α̂ / (α̂ Γ(α̂)), whose
inverse is taken everywhere (Joo, Lee, Park & Moon, 2020, section 3). For α̂ above 1 it is a rough
one: E[v] is .49 at .98 and .94 at 2. What z then has is no Dirichlet density, but a density in
closed form, below; evidence is bounded with that one and not with the one it approximates.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import digamma, gammaln
from jaxtyping import Array, Float, PRNGKeyArray

TINY = 1e-30  # codes below are one event: they may have been 0 by underflow


class MultiGamma(NamedTuple):
    """Normalised Gammas, with the KL between the Gammas themselves, as the paper has it."""

    concentration: Float[Array, "*b z"]  # α̂
    prior: Float[Array, "*b z"]  # α

    @property
    def mean(self) -> Float[Array, "*b z"]:
        """α̂ / Σ α̂, a Dirichlet's; that of the samples is within .015 of it where α̂ ≤ 2."""
        return self.concentration / self.concentration.sum(axis=-1, keepdims=True)

    def sample(self, key: PRNGKeyArray) -> Float[Array, "*b z"]:
        """z, differentiable in α̂; in logarithms, because v spans more than floats do."""
        u = jax.random.uniform(key, self.concentration.shape, minval=1e-6, maxval=1 - 1e-6)
        return jax.nn.softmax(jnp.log(u) / self.concentration + self._log_bound)

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "*b z"]:
        """z ~ Dirichlet(α), exact."""
        return jax.random.dirichlet(key, self.prior)

    def log_ratio(self, z: Float[Array, "*b z"]) -> Float[Array, "*b"]:
        """log p(z) − log q(z|x), of a Dirichlet p and of the q that `sample` draws from:

            q(z|x) = m^Â / Â Π_k z_k^(α̂_k − 1) / Γ(α̂_k),   Â = Σ α̂_k
            m = min_k (α̂_k Γ(α̂_k))^(1/α̂_k) / z_k

        the density Π v_k^(α̂_k − 1) / Γ(α̂_k) of v = s z, integrated over the sums s ≤ m that keep
        all v_k within their bounds.
        """
        prior, own = self.prior, self.concentration
        total = own.sum(axis=-1)
        log_z = jnp.log(jnp.maximum(z, TINY))
        log_m = (self._log_bound - log_z).min(axis=-1)
        # The probability of z_k < t goes as t^α / α.
        events = jnp.where(z < TINY, jnp.log(own) - jnp.log(prior), 0)
        terms = (prior - own) * log_z + events + gammaln(own) - gammaln(prior)
        return terms.sum(axis=-1) + gammaln(prior.sum(axis=-1)) - total * log_m + jnp.log(total)

    def kl_per_latent(self) -> Float[Array, "*b z"]:
        """KL(Gamma(α̂_k, 1) ‖ Gamma(α_k, 1)) in nats."""
        return gamma_kl(self.concentration, self.prior)

    def kl(self) -> Float[Array, "*b"]:
        """The sum over latents."""
        return self.kl_per_latent().sum(axis=-1)

    @property
    def _log_bound(self):
        """log v at u = 1. α Γ(α) = Γ(1 + α), which is the more exact where α is small."""
        return gammaln(1 + self.concentration) / self.concentration


class Dirichlet(MultiGamma):
    """The same samples, with KL(Dirichlet(α̂) ‖ Dirichlet(α)): the sum of the Gammas is left out."""

    def kl_per_latent(self) -> Float[Array, "*b z"]:
        """The Gammas' KL, less an equal share of that of their sum.

        A Gamma vector is its direction z and its length, independent of each other, and so its KL
        is the sum of theirs. One latent's share may be below 0.
        """
        length = gamma_kl(*(a.sum(axis=-1, keepdims=True) for a in self))
        return super().kl_per_latent() - length / self.concentration.shape[-1]


def gamma_kl(a, b):
    """KL(Gamma(a, 1) ‖ Gamma(b, 1)) in nats, elementwise."""
    return gammaln(b) - gammaln(a) + (a - b) * digamma(a)
