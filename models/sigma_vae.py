"""σ-VAE: Rybkin, Daniilidis & Levine, "Simple and Effective VAE Training with Calibrated Decoders",
ICML 2021.

    loss = E_q(z|x)[−log N(x; μ(z), σ² I)] + KL(q(z|x) ‖ p(z))
    log σ = s + log(1 + exp(log σ̂ − s)),   s = −6: bounded softly from below

    "optimal"  σ̂² = E (x − μ(z))², of the batch and its pixels; gradients flow through it
    "trained"  log σ̂ is a parameter like all others

The state keeps σ for evaluation: it is that of the last batch of training, where the authors'
code takes that of the very images which are scored.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import setting

from .ar_elbo import mean_squares
from .likelihoods import Gaussian
from .model import hyperparameter, register
from .vae import VAE, Terms


@register("sigma_vae")
class SigmaVAE(VAE):
    """σ-VAE (Rybkin et al., ICML 2021): one σ for all pixels, the error's own or trained."""

    paper = "Rybkin et al., ICML 2021"

    sigma: str = setting("optimal", choices=("optimal", "trained"))
    initial_sigma: float = hyperparameter(0.1, low=1e-6)  # of "trained"
    least_log_sigma: float = hyperparameter(-6.0)
    likelihood: str = setting("gaussian", choices=("gaussian",))

    def init(self, key, batch):
        state = super().init(key, batch)
        if self.sigma == "optimal":
            return state.replace(extra={"variance": jnp.float32(1)})
        return self.with_params(state, log_sigma=jnp.log(self.initial_sigma))

    def likelihood_of(self, state, outputs):
        return Gaussian(outputs, jnp.log(self.variance(state)))

    def objective(self, t: Terms):
        if self.sigma == "optimal":
            mean = self.outputs_of(t.state, t.z, t.images)
            log_sigma = 0.5 * jnp.log(mean_squares(t.images - mean).mean() + 1e-12)
            state = t.state.replace(extra={"variance": self.bounded(log_sigma)})
            reconstruction = -self.likelihood_of(state, mean).log_prob(t.images)
            t = t._replace(state=state, reconstruction=reconstruction)
        loss, logs = super().objective(t)
        return loss, logs | {"variance": self.variance(t.state)}

    def update(self, state, batch, key):
        after, logs = super().update(state, batch, key)
        if self.sigma == "optimal":
            after = after.replace(extra={"variance": logs["variance"]})
        return after, logs

    def variance(self, state):
        """σ² of the state."""
        if self.sigma == "optimal":
            return state.extra["variance"]
        return self.bounded(state.params["log_sigma"])

    def bounded(self, log_sigma):
        """σ² by log σ̂."""
        least = self.least_log_sigma
        return jnp.exp(2 * (least + jax.nn.softplus(log_sigma - least)))
