"""Ada-GVAE and Ada-ML-VAE: Locatello, Poole, Rätsch, Schölkopf, Bachem & Tschannen,
"Weakly-Supervised Disentanglement Without Compromises", ICML 2020.

Of a pair x_1, x_2 that differs in few factors, latents that hardly differ are taken to be shared:

    loss = ½ Σ_i { E_q̂(z|x_i)[−log p(x_i|z)] + β KL(q̂(z|x_i) ‖ p(z)) },   i = 1, 2
    q̂(z_k|x_i) = aggregate(q(z_k|x_1), q(z_k|x_2)) where δ_k < τ, q(z_k|x_i) elsewhere
    δ_k = KL(q(z_k|x_1) ‖ q(z_k|x_2)),   τ = ½ (max_k δ_k + min_k δ_k), of every pair

Where it is known that k factors differ, so do the k latents of largest δ. The aggregate is the
average of both posteriors, as in GVAE, or their product, as in ML-VAE.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from soberlook.registry import BadInput, setting

from .aggregation import average, product
from .beta_vae import BetaVAE
from .model import hyperparameter, register
from .posteriors import Gaussian
from .vae import Terms


class OfPairs(NamedTuple):
    """q̂ of the first images and then of the second ones, and which of it the pairs share."""

    mean: Float[Array, "b z"]
    log_var: Float[Array, "b z"]
    shared: Bool[Array, "p z"]  # p pairs, b = 2 p

    sample = Gaussian.sample
    kl_per_latent = Gaussian.kl_per_latent
    kl = Gaussian.kl


@register("ada_gvae")
class AdaGVAE(BetaVAE):
    """Ada-GVAE (Locatello et al., ICML 2020): pairs share the latents that differ least."""

    paper = "Locatello, Poole, Rätsch, Schölkopf, Bachem & Tschannen, ICML 2020"

    changed: int = setting(0, low=0)  # how many factors differ in a pair; 0 for any number
    rule: str = setting("exactly", choices=("exactly", "at_most", "one_or_k"))
    known: bool = setting(False)  # whether the model is told how many
    matched: bool = setting(True)  # false: pairs share nothing, the negative control

    @property
    def needs(self):
        pairs = {"changed": self.changed, "rule": self.rule, "matched": self.matched}
        return (("pairs", pairs),)

    def check(self, dataset):
        if self.known and not 1 <= self.changed < self.latents:
            raise BadInput(
                f"{self.name}: where known, changed must be ≥ 1 and < {self.latents}, the latents, "
                f"found {self.changed}"
            )
        if self.known and self.rule != "exactly":
            raise BadInput(f"{self.name}: where known, rule must be 'exactly', found {self.rule!r}")

    def aggregate(self, q: Gaussian) -> Gaussian:
        """Of both images' posteriors [2, b, z] one [b, z]."""
        return average(q, axis=0)

    def observed(self, batch):
        return jnp.concatenate([batch["pairs"]["first"], batch["pairs"]["second"]])

    def infer(self, state, x, key):
        own = Gaussian(*(a.reshape(2, -1, self.latents) for a in self.encode(state, x)))
        shared = self.shared(divergence(*(Gaussian(*one) for one in zip(*own, strict=True))))
        together = self.aggregate(own)
        q = [jnp.where(shared, a[None], b) for a, b in zip(together, own, strict=True)]
        q = OfPairs(*(a.reshape(-1, self.latents) for a in q), shared)
        return q, q.sample(jax.random.fold_in(key, 0))

    def shared(self, delta):
        """δ [b, z] → which latents the images of each pair share, booleans."""
        if self.known:
            return (-delta).argsort(axis=1).argsort(axis=1) >= self.changed
        return delta < (delta.max(axis=1, keepdims=True) + delta.min(axis=1, keepdims=True)) / 2

    def regularizer(self, t: Terms):
        regularizer, logs = super().regularizer(t)
        return regularizer, logs | {"shared": t.posterior.shared.sum(axis=1)}


@register("ada_ml_vae")
class AdaMLVAE(AdaGVAE):
    """Ada-ML-VAE (Locatello et al., ICML 2020): the same with the product of posteriors."""

    # Of the product's: 1 is the paper's formula, 2 what its code has, the product's square root.
    variance_scale: float = hyperparameter(2.0, low=1, high=2)

    def aggregate(self, q):
        mean, log_var = product(q, axis=0)
        return Gaussian(mean, log_var + jnp.log(self.variance_scale))


def divergence(p: Gaussian, q: Gaussian):
    """KL(p ‖ q) of every latent, in nats."""
    log_ratio = p.log_var - q.log_var
    squared = jnp.square(p.mean - q.mean) * jnp.exp(-q.log_var)
    return 0.5 * (jnp.exp(log_ratio) + squared - 1 - log_ratio)
