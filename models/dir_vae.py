"""DirVAE: Joo, Lee, Park & Moon, "Dirichlet Variational Autoencoder", Pattern Recognition 2020.

    loss = E_q(z|x)[−log p(x|z)] + β Σ_k KL(Gamma(α̂_k(x), 1) ‖ Gamma(α_k, 1))
    z = v / Σ v,   v_k = (u_k α̂_k Γ(α̂_k))^(1/α̂_k),   α̂ = softplus(f(x)) + floor

β = 1 in the paper; 50 latents and α = .98 for MNIST. With `divergence="dirichlet"` the KL is that
of the Dirichlets, as in code for topic models. With `prior="learned"` α follows the codes by the
method of moments:

    α_k = S E[z_k],   S = 1/K Σ_k (E[z_k] − E[z_k²]) / (E[z_k²] − E[z_k]²)
"""

import jax
import jax.numpy as jnp

from soberlook.registry import setting

from .dirichlet import Dirichlet, MultiGamma
from .model import hyperparameter, register
from .vae import VAE, Terms

DIVERGENCES = {"multigamma": MultiGamma, "dirichlet": Dirichlet}
# Concentrations for which samples and densities are exact to 1e-4: of α. An α̂ may be less, down to
# `floor`, where a code of it is 0 by underflow.
LOWEST, HIGHEST = 1e-3, 100.0


@register("dir_vae")
class DirVAE(VAE):
    """DirVAE (Joo et al., Pattern Recognition 2020): codes on the simplex, of a Dirichlet prior."""

    paper = "Joo, Lee, Park & Moon, Pattern Recognition 2020"
    span = (0.0, 1.0)

    latents: int = setting(10, low=2)
    divergence: str = setting("multigamma", choices=tuple(DIVERGENCES))
    prior: str = setting("fixed", choices=("fixed", "learned"))
    concentration: float = hyperparameter(
        0.98, sweep=(0.1, 0.3, 0.5, 0.7, 0.9, 0.98), low=LOWEST, high=HIGHEST
    )
    beta: float = hyperparameter(1.0, low=0)
    floor: float = hyperparameter(1e-5, low=1e-6, high=1)  # of α̂, whose logarithm is taken
    memory: float = hyperparameter(0.99, low=0, high=1)  # of the moments, over updates

    @property
    def heads(self):
        return {"concentration": self.latents}

    def init(self, key, batch):
        state = super().init(key, batch)
        if self.prior == "fixed":
            return state
        # The moments of a Dirichlet with all α_k = `concentration`.
        first = 1 / self.latents
        second = first * (self.concentration + 1) / (self.latents * self.concentration + 1)
        moments = first, second
        return state.replace(extra=[jnp.full(self.latents, moment) for moment in moments])

    def encode(self, state, x):
        return self.posterior(state, jax.nn.softplus(self.heads_of(state, x)[0]) + self.floor)

    def posterior(self, state, concentration):
        """With these α̂ [n, …, z]."""
        fixed = self.prior == "fixed"
        prior = self.concentration if fixed else by_moments(*state.extra)
        prior = jnp.broadcast_to(prior, concentration.shape)
        return DIVERGENCES[self.divergence](concentration, prior)

    def regularizer(self, t: Terms):
        kl = t.posterior.kl()
        return self.beta * kl, {"kl": kl}

    def update(self, state, batch, key):
        after, logs = super().update(state, batch, key)
        if self.prior == "fixed":
            return after, logs
        z, share = self.drawn(state, batch, key)
        # The paper estimates α once an epoch, from all its codes; here all the time, from those of
        # about the last 1 / (1 − memory) batches, because a run of a cohort has no epochs.
        old, now = state.extra, (share @ z, share @ jnp.square(z))
        extra = [self.memory * a + (1 - self.memory) * b for a, b in zip(old, now, strict=True)]
        return after.replace(extra=extra), logs | {"concentration": by_moments(*extra).mean()}

    def drawn(self, state, batch, key):
        """The codes that the update with this key trains on [n, z], and their weights in a mean."""
        _, z = self.infer(state, self.observed(batch), key)
        return z, jnp.full(len(z), 1 / len(z))


def by_moments(first, second):
    """α [z] of the Dirichlet with these E[z_k] and E[z_k²], within bounds of `concentration`.

    A dead code, whose variance is next to none of a Dirichlet's, moves S by its part of the mean
    over k, as in the paper.
    """
    variance = jnp.maximum(second - jnp.square(first), 1e-6)  # of a dead code it may be 0
    return jnp.clip(jnp.mean((first - second) / variance) * first, LOWEST, HIGHEST)
