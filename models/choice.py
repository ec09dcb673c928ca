"""Codes of which one is a choice: z = (s, c), s normal and c a one-hot of K, independent given x.

q(z|x) = N(s; μ, σ²) Categorical(c; π),   p(z) = N(s; 0, I) / K
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from .posteriors import Gaussian


class GaussianAndChoice(NamedTuple):
    """A posterior (`posteriors.py`); π = softmax(logits) is the choice's part of its mean."""

    continuous: Gaussian
    logits: Float[Array, "b k"]

    @property
    def mean(self) -> Float[Array, "b s+k"]:
        return jnp.concatenate([self.continuous.mean, jax.nn.softmax(self.logits)], axis=1)

    @property
    def choices(self) -> int:
        """K: the last so many columns of z are a one-hot."""
        return self.logits.shape[1]

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b s+k"]:
        """Codes with a true one-hot; no gradient reaches π."""
        key_continuous, key_choice = jax.random.split(key)
        chosen = jax.random.categorical(key_choice, self.logits)
        choice = jax.nn.one_hot(chosen, self.choices)
        return jnp.concatenate([self.continuous.sample(key_continuous), choice], axis=1)

    def relaxed(self, key: PRNGKeyArray, temperature: float) -> Float[Array, "b s+k"]:
        """Codes with softmax((log π + g) / T) for a one-hot, differentiable in all parameters
        (Jang et al., ICLR 2017; Maddison et al., ICLR 2017). As T → 0 it is one."""
        key_continuous, key_choice = jax.random.split(key)
        noise = jax.random.gumbel(key_choice, self.logits.shape)
        choice = jax.nn.softmax((jax.nn.log_softmax(self.logits) + noise) / temperature)
        return jnp.concatenate([self.continuous.sample(key_continuous), choice], axis=1)

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b s+k"]:
        """z ~ N(0, I) × Uniform."""
        uniform = GaussianAndChoice(
            Gaussian(*map(jnp.zeros_like, self.continuous)), jnp.zeros_like(self.logits)
        )
        return uniform.sample(key)

    def log_prob_per_latent(self, z: Float[Array, "b s+k"]) -> Float[Array, "b s+1"]:
        """log q of every code, the choice last."""
        s, c = self._split(z)
        choice = _picked(c, self.logits)
        return jnp.concatenate([self.continuous.log_prob_per_latent(s), choice[:, None]], axis=1)

    def log_ratio(self, z: Float[Array, "b s+k"]) -> Float[Array, " b"]:
        """log p(z) − log q(z|x) in nats, of a true one-hot."""
        s, c = self._split(z)
        return self.continuous.log_ratio(s) - math.log(self.choices) - _picked(c, self.logits)

    def kl_per_latent(self) -> Float[Array, "b s+1"]:
        """In nats; that of the choice, Σ_k π_k log π_k K, is the last."""
        choice = math.log(self.choices) + _picked(jax.nn.softmax(self.logits), self.logits)
        return jnp.concatenate([self.continuous.kl_per_latent(), choice[:, None]], axis=1)

    def kl(self) -> Float[Array, " b"]:
        """KL(q(z|x) ‖ p(z)) in nats per image."""
        return self.kl_per_latent().sum(axis=1)

    def _split(self, z):
        return jnp.split(z, [z.shape[1] - self.choices], axis=1)


def _picked(c, logits):
    """Σ_k c_k log π_k [b]."""
    return (c * jax.nn.log_softmax(logits)).sum(axis=1)
