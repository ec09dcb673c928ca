"""AnnealedVAE: Burgess et al., "Understanding disentangling in β-VAE", 2018 (arXiv 1804.03599).

    loss = E_q(z|x)[−log p(x|z)] + γ |KL(q(z|x) ‖ p(z)) − C|                               (eq. 8)
    C = C_max min(1, step / threshold)

The difference is taken of the batch's mean KL, so that KL is pushed up to C as well as down.
"""

import jax.numpy as jnp

from .model import hyperparameter, register
from .vae import VAE, Terms


@register("annealed_vae")
class AnnealedVAE(VAE):
    """AnnealedVAE (Burgess et al., 2018): a KL that must equal a capacity, which grows."""

    paper = "Burgess et al., arXiv 1804.03599, 2018"

    c_max: float = hyperparameter(25.0, sweep=(5, 10, 25, 50, 75, 100), low=0)
    gamma: float = hyperparameter(1000.0, low=0)
    iteration_threshold: float = hyperparameter(100_000.0, low=1)

    def regularizer(self, t: Terms):
        kl = t.posterior.kl().mean()
        capacity = self.c_max * jnp.minimum(1.0, t.state.step / self.iteration_threshold)
        return self.gamma * jnp.abs(kl - capacity), {"kl": kl, "capacity": capacity}
