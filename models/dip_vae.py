"""DIP-VAE-I and DIP-VAE-II: Kumar, Sattigeri & Balakrishnan, "Variational Inference of Disentangled
Latent Concepts from Unlabeled Observations", ICLR 2018.

    loss = E_q(z|x)[−log p(x|z)] + KL(q(z|x) ‖ p(z))
           + λ_od Σ_{i≠j} C_ij² + λ_d Σ_i (C_ii − 1)²                                  (eq. 6, 7)

    I:  C = Cov[μ(x)]
    II: C = Cov[μ(x)] + E[diag σ²(x)], the covariance of the aggregated posterior

Covariances are of the batch and biased, 1/b. The sum counts (i, j) and (j, i). As in the study,
λ_d = factor · λ_od, and the third moments of the paper's appendix are left out.
"""

import jax.numpy as jnp

from .model import hyperparameter, register
from .vae import VAE, Terms

SWEEP = (1, 2, 5, 10, 20, 50)


@register("dip_vae_i")
class DIPVAEI(VAE):
    """DIP-VAE-I (Kumar et al., ICLR 2018): the means' covariance is pulled to the identity."""

    paper = "Kumar et al., ICLR 2018"

    lambda_od: float = hyperparameter(10.0, sweep=SWEEP, low=0)
    lambda_d_factor: float = hyperparameter(10.0, low=0)

    def regularizer(self, t: Terms):
        return _penalty(self, t, covariance(t.posterior.mean))


@register("dip_vae_ii")
class DIPVAEII(VAE):
    """DIP-VAE-II (Kumar et al., ICLR 2018): the sampled codes' is pulled to the identity."""

    paper = "Kumar et al., ICLR 2018"

    lambda_od: float = hyperparameter(10.0, sweep=SWEEP, low=0)
    lambda_d_factor: float = hyperparameter(1.0, low=0)

    def regularizer(self, t: Terms):
        noise = jnp.diag(jnp.exp(t.posterior.log_var).mean(axis=0))
        return _penalty(self, t, covariance(t.posterior.mean) + noise)


def covariance(mu):
    """E[μ μᵀ] − E[μ] E[μ]ᵀ of a batch [b, z], biased."""
    centred = mu - mu.mean(axis=0, keepdims=True)
    return centred.T @ centred / len(mu)


def _penalty(model, t, c):
    """KL + λ_od Σ_{i≠j} C_ij² + λ_d Σ_i (C_ii − 1)², per image."""
    diagonal = jnp.diag(c)
    off_diagonal = jnp.sum(c**2) - jnp.sum(diagonal**2)
    lambda_d = model.lambda_d_factor * model.lambda_od
    kl = t.posterior.kl()
    penalty = model.lambda_od * off_diagonal + lambda_d * jnp.sum((diagonal - 1) ** 2)
    return kl + penalty, {"kl": kl, "off_diagonal": off_diagonal}
