"""FactorVAE: Kim & Mnih, "Disentangling by Factorising", ICML 2018.

    loss = E_q(z|x)[−log p(x|z)] + KL(q(z|x) ‖ p(z)) + γ E_q(z)[log D(z) − log(1 − D(z))]
    discriminator loss = −½ E_q(z)[log D(z)] − ½ E_q̄(z)[log(1 − D(z))]               (Algorithm 2)

D tells codes z from codes z̄ whose every column was shuffled on its own, samples of Π_l q(z_l): its
logits' difference estimates the total correlation. As in the study's code both losses come from
one forward pass and both updates are made at once, and z̄ is made from the same batch; in the paper
it comes from a second one ("second_batch").
"""

import jax
import jax.numpy as jnp
import optax

from soberlook.registry import setting

from . import networks
from .adam import adam
from .model import hyperparameter, register
from .vae import VAE, Terms


@register("factor_vae")
class FactorVAE(VAE):
    """FactorVAE (Kim & Mnih, ICML 2018): a discriminator's estimate of total correlation."""

    paper = "Kim & Mnih, ICML 2018"
    trial = {"discriminator_widths": (64, 64)}

    gamma: float = hyperparameter(10.0, sweep=(10, 20, 30, 40, 50, 100), low=0)
    discriminator_learning_rate: float = hyperparameter(1e-4, low=0)
    discriminator_widths: tuple[int, ...] = setting((1000,) * 6)
    shuffled: str = setting("same_batch", choices=("same_batch", "second_batch"))

    @property
    def needs(self):
        return ("images", "second_images") if self.shuffled == "second_batch" else ("images",)

    def init(self, key, batch):
        key_vae, key_discriminator = jax.random.split(key)
        state = super().init(key_vae, batch)
        params = self._discriminator.init(key_discriminator, jnp.zeros((1, self.latents)))
        opt = self._discriminator_adam.init(params)
        return state.replace(extra={"discriminator": params, "opt": opt})

    def regularizer(self, t: Terms):
        kl = t.posterior.kl().mean()
        logits = self._discriminator.apply(t.state.extra["discriminator"], t.z)
        tc = jnp.mean(logits[:, 0] - logits[:, 1])
        return kl + self.gamma * tc, {"kl": kl, "total_correlation": tc}

    def update(self, state, batch, key):
        key_vae, key_shuffle, key_second = jax.random.split(key, 3)
        after, logs = super().update(state, batch, key_vae)
        _, z = self.infer(state, self.observed(batch), key_vae)  # the codes of the update above
        if self.shuffled == "second_batch":
            _, z_other = self.infer(state, batch["second_images"], key_second)
        else:
            z_other = z
        z_shuffled = shuffle_columns(key_shuffle, z_other)
        loss = jax.value_and_grad(self.discriminator_loss)
        loss, grads = loss(state.extra["discriminator"], z, z_shuffled)
        updates, opt = self._discriminator_adam.update(grads, state.extra["opt"])
        params = optax.apply_updates(state.extra["discriminator"], updates)
        after = after.replace(extra={"discriminator": params, "opt": opt})
        return after, logs | {"discriminator_loss": loss}

    def discriminator_loss(self, params, z, z_shuffled):
        """−½ E[log D(z)] − ½ E[log(1 − D(z̄))], probabilities clipped to [1e-6, 1 − 1e-6]."""
        # One pass for both, because what a small batch costs is reading the weights.
        both = jax.nn.softmax(self._discriminator.apply(params, jnp.concatenate([z, z_shuffled])))
        d, d_shuffled = jnp.split(both, 2)
        log_d = jnp.log(jnp.clip(d[:, 0], 1e-6, 1 - 1e-6))
        log_not_d = jnp.log(jnp.clip(d_shuffled[:, 1], 1e-6, 1 - 1e-6))
        return -0.5 * jnp.mean(log_d) - 0.5 * jnp.mean(log_not_d)

    @property
    def _discriminator(self):
        return networks.discriminator(self.discriminator_widths, self.precision)

    @property
    def _discriminator_adam(self):
        return adam(self.discriminator_learning_rate, b1=0.5, b2=0.9)


def shuffle_columns(key, z):
    """z [b, z] with every column permuted on its own."""
    keys = jax.random.split(key, z.shape[1])
    return jax.vmap(jax.random.permutation, in_axes=(0, 1), out_axes=1)(keys, z)
