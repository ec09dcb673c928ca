"""β-TCVAE: Chen, Li, Grosse & Duvenaud, "Isolating Sources of Disentanglement in Variational
Autoencoders", NeurIPS 2018.

    loss = E_q(z|x)[−log p(x|z)] + KL(q(z|x) ‖ p(z)) + (β − 1) TC(z)                       (eq. 4)
    TC(z) = E_q(z)[log q(z) − Σ_l log q(z_l)]

q(z) and q(z_l) are mixtures of the posteriors of the batch's images:
    "minibatch"  log q(z) ≈ logsumexp_i log q(z|x_i): the study's code, without constants
    "mws"        … − log(n b), for n images and batches of b: minibatch-weighted sampling, the
                 paper's (section 3.1). The estimates differ by (latents − 1) log(n b), so the
                 gradients are the same and the logged value of TC is not.
"""

import math

import jax.numpy as jnp
from jax.nn import logsumexp

from soberlook.registry import setting

from .model import hyperparameter, register
from .vae import VAE, Terms


@register("beta_tcvae")
class BetaTCVAE(VAE):
    """β-TCVAE (Chen et al., NeurIPS 2018): the KL with its total correlation weighted by β."""

    paper = "Chen et al., NeurIPS 2018"

    beta: float = hyperparameter(4.0, sweep=(1, 2, 4, 6, 8, 10), low=0)
    estimator: str = setting("minibatch", choices=("minibatch", "mws"))
    images: int = setting(737_280, low=1)  # n of "mws"; dSprites' by default

    def regularizer(self, t: Terms):
        kl = t.posterior.kl().mean()
        tc = total_correlation(t.z, t.posterior.mean, t.posterior.log_var)
        if self.estimator == "mws":
            batch, latents = t.z.shape
            tc = tc + (latents - 1) * math.log(self.images * batch)
        return kl + (self.beta - 1) * tc, {"kl": kl, "total_correlation": tc}


def total_correlation(z, mean, log_var):
    """The minibatch estimate of TC(z), all [b, z]; up to a constant, which depends on b."""
    # log q(z_j | x_i) per latent, j down and i across: (b, b, z)
    squared = (z[:, None] - mean[None]) ** 2 * jnp.exp(-log_var)[None]
    log_density = -0.5 * (squared + log_var[None] + math.log(2 * math.pi))
    log_joint = logsumexp(log_density.sum(axis=2), axis=1)
    log_marginals = logsumexp(log_density, axis=1).sum(axis=1)
    return jnp.mean(log_joint - log_marginals)
