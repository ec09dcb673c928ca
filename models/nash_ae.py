"""NashAE: Yeats, Liu, Womble & Li, "NashAE: Disentangling Representations Through Adversarial
Covariance Minimization", ECCV 2022.

    z = sigmoid(encoder(x))
    predictors' loss = ½ mean_i (ρ_i(z_−i) − z_i)²                          several steps, then
    autoencoder's loss = (1 − λ) −log p(x|z) / D + λ Σ_i Cov(sg(z_i), ρ_i(z_−i))       one step

on the same batch. Predictor ρ_i sees the other codes, its own being 0, and D is the number of
values of an image, so that with a Gaussian likelihood the first term is half the mean squared error
of the paper, but for a constant. Covariance, and not correlation: a latent that has no need to vary
can lower it by dying. The gradient stops at the true z_i and reaches the encoder through what the
predictors see.
"""

import jax
import jax.numpy as jnp
import optax

from soberlook.registry import setting

from . import networks
from .adam import adam
from .likelihoods import LIKELIHOODS
from .model import hyperparameter, register
from .posteriors import Point
from .vae import VAE, Terms


@register("nash_ae")
class NashAE(VAE):
    """NashAE (Yeats et al., ECCV 2022): an autoencoder whose codes no network can predict."""

    paper = "Yeats et al., ECCV 2022"
    span = (0.0, 1.0)
    trial = {"predictor_widths": (16,)}

    lambda_cov: float = hyperparameter(
        0.008, sweep=(0, 0.001, 0.004, 0.008, 0.02, 0.1, 0.2), low=0, high=1
    )
    likelihood: str = setting("gaussian", choices=tuple(LIKELIHOODS))
    learning_rate: float = hyperparameter(1e-3, low=0)
    predictor_learning_rate: float = hyperparameter(1e-2, low=0)
    predictor_widths: tuple[int, ...] = setting((40, 40))
    predictor_steps: int = setting(5, low=1)

    @property
    def heads(self):
        return {"code": self.latents}

    def init(self, key, batch):
        key_vae, key_predictors = jax.random.split(key)
        keys = jax.random.split(key_predictors, self.latents)
        predictors = jax.vmap(self._predictor.init, (0, None))(keys, jnp.zeros((1, self.latents)))
        opt = adam(self.predictor_learning_rate).init(predictors)
        return super().init(key_vae, batch).replace(extra={"predictors": predictors, "opt": opt})

    def encode(self, state, x):
        (logits,) = self.heads_of(state, x)
        return Point(jax.nn.sigmoid(logits))

    def predict(self, predictors, z):
        """ρ_i(z_−i) [n, z]: of each code, what the others say of it."""
        others = z[None] * (1 - jnp.eye(self.latents))[:, None]
        return jax.vmap(self._predictor.apply)(predictors, others)[..., 0].T

    def predictor_loss(self, predictors, z):
        """Half the mean squared error."""
        return 0.5 * jnp.mean(jnp.square(self.predict(predictors, z) - z))

    def objective(self, t: Terms):
        predicted = self.predict(t.state.extra["predictors"], t.z)
        covariances = covariance(jax.lax.stop_gradient(t.z), predicted)
        reconstruction = jnp.mean(t.reconstruction) / t.images[0].size
        loss = (1 - self.lambda_cov) * reconstruction + self.lambda_cov * covariances.sum()
        live = jnp.ptp(t.z, axis=0) > 0.2  # of this batch: the more, the larger it is
        logs = {
            "reconstruction": t.reconstruction,
            "covariance": covariances.sum(),
            "live": jnp.float32(live.sum()),
            # The mean over latents that are live: a dead one is no evidence of anything.
            "predictability": (live * r2(t.z, predicted)).sum() / jnp.maximum(live.sum(), 1),
        }
        return loss, logs

    def update(self, state, batch, key):
        z = self.encode(state, self.observed(batch)).mean
        return super().update(state.replace(extra=self.taught(state.extra, z)), batch, key)

    def taught(self, extra, z):
        """The predictors after their steps on these codes."""

        def step(_, extra):
            grads = jax.grad(self.predictor_loss)(extra["predictors"], z)
            updates, opt = adam(self.predictor_learning_rate).update(grads, extra["opt"])
            return {"predictors": optax.apply_updates(extra["predictors"], updates), "opt": opt}

        return jax.lax.fori_loop(0, self.predictor_steps, step, extra)

    @property
    def _predictor(self):
        return networks.regressor(self.predictor_widths, self.precision)


def covariance(a, b):
    """mean(ab) − mean(a) mean(b) over the batch, of every column [z]."""
    return jnp.mean(a * b, axis=0) - jnp.mean(a, axis=0) * jnp.mean(b, axis=0)


def r2(z, predicted):
    """The squared correlation of every column [z]; 0 where one is constant."""
    variances = covariance(z, z) * covariance(predicted, predicted)
    squared = covariance(z, predicted) ** 2
    return jnp.where(variances > 1e-12, squared / jnp.maximum(variances, 1e-12), 0)
