"""AR-ELBO: Takida, Liao, Lai, Uesaka, Takahashi & Mitsufuji, "Preventing Oversmoothing in VAE via
Generalized Variance Parameterization", Neurocomputing 2022.

    loss = E_q(z|x)[−log N(x; μ(z), Σ)] + KL(q(z|x) ‖ p(z))

with the decoder's covariance Σ of one of four forms, r = x − μ(z) of d pixels:

    "iso"                σ² I,           σ² = E ‖r‖² / d     the most likely one, of the batch
    "diagonal"           diag(σ_i²),     σ_i² = E r_i²       likewise
    "iso_per_image"      σ²(z) I         the geometric mean of "diagonal_per_image"'s d variances
    "diagonal_per_image" diag(σ_i²(z))   predicted by the decoder, as is

With the most likely variance the first loss is d/2 log E ‖r‖² + KL but for constants, the second
½ Σ_i log E r_i² + KL, and so they are in public code. Here the variance is put into the density as
a constant: the gradients are the same, since the derivative by it is zero, and what is logged is a
log-density. It is kept in the state, from which evaluation decodes.

Deviations: a most likely variance per image would need the image, and is 0 where it is exact, so
that these two are predicted. All variances have a `floor` added, without which pixels that never
change end in log 0. With `decay` > 0 the first two are those of a moving average of E r² instead of
the batch's alone: the log of a small batch's mean is biased.
"""

import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from . import networks
from .likelihoods import Gaussian
from .model import hyperparameter, register
from .vae import VAE, Terms

SHARED = ("iso", "diagonal")  # by all images
PER_IMAGE = ("iso_per_image", "diagonal_per_image")


@register("ar_elbo")
class ARELBO(VAE):
    """AR-ELBO (Takida et al., Neurocomputing 2022): the decoder's variance follows its error."""

    paper = "Takida et al., Neurocomputing 2022"

    variance: str = setting("iso", choices=SHARED + PER_IMAGE)
    floor: float = hyperparameter(1e-4, low=0)
    decay: float = hyperparameter(0.0, low=0, high=0.9999)
    likelihood: str = setting("gaussian", choices=("gaussian",))

    def resolved(self, image_shape):
        resolved = super().resolved(image_shape)
        if self.variance == "iso_per_image" and resolved.network in networks.AUTOREGRESSIVE:
            # The mean is over all pixels, of which each would be said to know those after it.
            raise BadInput(
                f"{self.name}: variance 'iso_per_image' is no density with network "
                f"{resolved.network!r}, whose pixels know only those before: use "
                "'diagonal_per_image'"
            )
        return resolved

    @property
    def outputs(self):
        return 2 if self.variance in PER_IMAGE else 1  # μ, and log σ² before the floor

    def init(self, key, batch):
        state = super().init(key, batch)
        if self.variance in PER_IMAGE:
            return state
        shape = (1, *state.image_shape) if self.variance == "diagonal" else ()
        return state.replace(extra={"variance": jnp.ones(shape)})

    def likelihood_of(self, state, outputs):
        if self.variance in SHARED:
            return Gaussian(outputs, jnp.log(state.extra["variance"]))
        mean, log_var = jnp.split(outputs, 2, axis=-1)
        if self.variance == "iso_per_image":
            log_var = jnp.mean(log_var, axis=tuple(range(1, log_var.ndim)), keepdims=True)
        return Gaussian(mean, jnp.logaddexp(log_var, jnp.log(self.floor)))

    def regularizer(self, t: Terms):
        kl, logs = super().regularizer(t)
        likelihood = self.likelihood_of(t.state, self.outputs_of(t.state, t.z, t.images))
        return kl, logs | {"variance": jnp.exp(likelihood.log_var)}

    def update(self, state, batch, key):
        if self.variance in SHARED:
            state = state.replace(extra={"variance": self.most_likely(state, batch, key)})
        return super().update(state, batch, key)

    def most_likely(self, state, batch, key):
        """σ² of the codes that the loss takes with this key, and of those before as `decay` says;
        one, or one a pixel."""
        x = self.observed(batch)
        _, z = self.infer(state, x, key)
        found = mean_squares(x - self.outputs_of(state, z, x))
        before = state.extra["variance"]
        found = found.mean() if self.variance == "iso" else found.reshape(before.shape)
        share = (1 - self.decay) / (1 - self.decay ** (state.step + 1))  # 1 at the first update
        return before + share * (found + self.floor - before)


def mean_squares(r):
    """E r_i² over a batch [b, …] → [d]; a product, whose rounding no cohort's width changes."""
    squared = jnp.square(r).reshape(len(r), -1)
    return jnp.full(len(r), 1 / len(r)) @ squared
