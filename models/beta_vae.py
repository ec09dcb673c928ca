"""β-VAE: Higgins et al., "β-VAE: Learning Basic Visual Concepts with a Constrained Variational
Framework", ICLR 2017.

    loss = E_q(z|x)[−log p(x|z)] + β KL(q(z|x) ‖ p(z))                                     (eq. 4)
"""

from .model import hyperparameter, register
from .vae import VAE, Terms


@register("beta_vae")
class BetaVAE(VAE):
    """β-VAE (Higgins et al., ICLR 2017); β = 1 is the variational autoencoder."""

    paper = "Higgins et al., ICLR 2017"

    beta: float = hyperparameter(4.0, sweep=(1, 2, 4, 6, 8, 16), low=0)

    def regularizer(self, t: Terms):
        kl = t.posterior.kl()
        return self.beta * kl, {"kl": kl}
