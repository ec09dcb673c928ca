"""ML-VAE: Bouchacourt, Tomioka & Nowozin, "Multi-Level Variational Autoencoder: Learning
Disentangled Representations from Grouped Observations", AAAI 2018. GVAE: Hosoya, "Group-Based
Learning of Disentangled Representations with Generalizability for Novel Contents", IJCAI 2019.

A code z = [c, s] has content c, which the images of a group G = {x_1, …, x_g} share, and style s.

    loss = 1/g { Σ_i E[−log p(x_i|c, s_i)] + β [KL(q(c|G) ‖ p(c)) + Σ_i KL(q(s_i|x_i) ‖ p(s))] }
    ML-VAE:  q(c|G) ∝ Π_i N(c; m_i, v_i)         GVAE:  q(c|G) = N(mean_i m_i, mean_i v_i)

One c is drawn for a group, and its KL paid once. A public version draws one for each image, which
lets the decoder take content for noise, and cuts the gradient between q(c|G) and the encoder.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from .aggregation import average, product
from .model import hyperparameter, register
from .posteriors import Gaussian
from .vae import VAE, Terms


@register("ml_vae")
class MLVAE(VAE):
    """ML-VAE (Bouchacourt et al., AAAI 2018): groups share content, the product of posteriors."""

    paper = "Bouchacourt, Tomioka & Nowozin, AAAI 2018"
    aggregate = staticmethod(product)

    content: int = setting(5, low=1)  # latents of c, the first ones; the others are style
    members: int = setting(2, low=2)  # g
    factor: str = setting("")  # what a group shares: the dataset's first, or by name
    matched: bool = setting(True)  # false: groups share nothing, the negative control
    # 1 in both papers; swept for group-based models in Locatello et al., ICML 2020.
    beta: float = hyperparameter(1.0, sweep=(1, 2, 4, 6, 8, 16), low=0)
    # Of the sample of c, in deviations of q(c|G). A public version has 0.1, which is no bound.
    content_noise: float = hyperparameter(1.0, low=0)

    @property
    def needs(self):
        groups = {"factor": self.factor, "members": self.members, "matched": self.matched}
        return (("groups", groups),)

    @property
    def parts(self):
        return {self.factor: self.content}

    def check(self, dataset):
        if self.content > self.latents:
            raise BadInput(
                f"{self.name}: content must be ≤ {self.latents}, the latents, found {self.content}"
            )

    def observed(self, batch):
        images = batch["groups"]["images"]  # [b, g, …]
        return images.reshape(-1, *images.shape[2:])

    def infer(self, state, x, key):
        key_content, key_style = jax.random.split(jax.random.fold_in(key, 0))
        q = self.encode(state, x)
        m, v = (a[:, : self.content].reshape(-1, self.members, self.content) for a in q)
        group = self.aggregate(Gaussian(m, v), axis=1)  # [b, content]
        style = Gaussian(*(a[:, self.content :] for a in q))
        c = group.mean + self.content_noise * (group.sample(key_content) - group.mean)
        z = self._together(c, style.sample(key_style))
        return Gaussian(*map(self._together, group, style)), z

    def regularizer(self, t: Terms):
        content, style = jnp.split(t.posterior.kl_per_latent(), [self.content], axis=1)
        # All g members have the content's KL, which is that of the group.
        content, style = content.sum(axis=1) / self.members, style.sum(axis=1)
        logs = {"kl": content + style, "kl_content": content, "kl_style": style}
        return self.beta * (content + style), logs

    def _together(self, content, style):
        """Groups' content [b, c] and images' style [b g, s] → [b g, c + s]."""
        return jnp.concatenate([jnp.repeat(content, self.members, axis=0), style], axis=1)


@register("gvae")
class GVAE(MLVAE):
    """GVAE (Hosoya, IJCAI 2019): groups share content, the average of their posteriors."""

    paper = "Hosoya, IJCAI 2019"
    aggregate = staticmethod(average)
