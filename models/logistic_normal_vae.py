"""Logistic-normal VAE: the softmax of a Gaussian code, with the prior of Srivastava & Sutton,
"Autoencoding Variational Inference for Topic Models", ICLR 2017.

    loss = E_q(y|x)[−log p(x|z)] + KL(q(y|x) ‖ N(0, s² I)),   z = softmax(y)
    s² = (1 − 1/K) / α

the Laplace approximation, in the softmax's basis, of a Dirichlet with all α_k = α.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from soberlook.registry import setting

from .model import hyperparameter, register
from .posteriors import Gaussian
from .vae import VAE


class LogisticNormal(NamedTuple):
    """z = softmax(s y) with y ~ N(mean, diag(exp(log_var))), prior y ~ N(0, I)."""

    y: Gaussian
    scale: Float[Array, "b 1"]  # s

    @property
    def mean(self) -> Float[Array, "b z"]:
        """softmax(E[s y]), the code of the mean: E[z] has no closed form."""
        return jax.nn.softmax(self.scale * self.y.mean)

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """z, differentiable."""
        return jax.nn.softmax(self.scale * self.y.sample(key))

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b z"]:
        """z of y ~ N(0, I)."""
        return jax.nn.softmax(self.scale * self.y.sample_prior(key))

    def log_ratio(self, z: Float[Array, "b z"]) -> Float[Array, " b"]:
        """log p(z) − log q(z|x), of z itself: all y that have this softmax, log z + c, are one."""
        y = jnp.log(jnp.maximum(z, 1e-37)) / self.scale
        mean, log_var = self.y
        return line(y, jnp.zeros_like(mean), jnp.zeros_like(mean)) - line(y, mean, log_var)

    def kl_per_latent(self) -> Float[Array, "b z"]:
        """The Gaussians', which is no less than that of z."""
        return self.y.kl_per_latent()

    def kl(self) -> Float[Array, " b"]:
        """The sum over latents."""
        return self.y.kl()


def line(y, mean, log_var):
    """log ∫ N(y + c; mean, diag(exp(log_var))) dc in nats [b], less what is equal for all."""
    precision = jnp.exp(-log_var)
    total = precision.sum(axis=1, keepdims=True)
    # Squares around their weighted mean, where the integrand is largest.
    off = y - mean
    off = off - (precision * off).sum(axis=1, keepdims=True) / total
    return -0.5 * (precision * jnp.square(off) + log_var).sum(axis=1) - 0.5 * jnp.log(total[:, 0])


@register("logistic_normal_vae")
class LogisticNormalVAE(VAE):
    """Logistic-normal VAE (Srivastava & Sutton, ICLR 2017): the softmax of a Gaussian code."""

    paper = "Srivastava & Sutton, ICLR 2017"
    span = (0.0, 1.0)

    latents: int = setting(10, low=2)
    concentration: float = hyperparameter(0.98, low=1e-3, high=100)  # α

    def encode(self, state, x):
        y = super().encode(state, x)
        scale = jnp.sqrt((1 - 1 / self.latents) / self.concentration)
        return LogisticNormal(y, jnp.broadcast_to(scale, (len(x), 1)))
