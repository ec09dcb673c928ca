"""The VAE with a Gaussian decoder of fixed variance: what happens when it is chosen wrongly is the
subject of Lucas, Tucker, Grosse & Norouzi, "Don't Blame the ELBO! A Linear VAE Perspective on
Posterior Collapse", NeurIPS 2019.

    loss = E_q(z|x)[−log N(x; μ(z), σ² I)] + KL(q(z|x) ‖ p(z))

But for constants this is 1/σ² times ½ ‖x − μ(z)‖² + σ² KL, the loss of a β-VAE of unit variance
with β = σ². A linear one collapses where σ² exceeds every eigenvalue of the data's covariance.
"""

import jax.numpy as jnp

from soberlook.registry import setting

from .likelihoods import Gaussian
from .model import hyperparameter, register
from .vae import VAE


@register("gaussian_vae")
class GaussianVAE(VAE):
    """Gaussian VAE (Lucas et al., NeurIPS 2019): a decoder of fixed variance."""

    paper = "Lucas et al., NeurIPS 2019"

    variance: float = hyperparameter(1.0, sweep=(1, 0.1, 0.01, 0.001), low=1e-6)
    likelihood: str = setting("gaussian", choices=("gaussian",))

    def likelihood_of(self, state, outputs):
        return Gaussian(outputs, jnp.log(self.variance))
