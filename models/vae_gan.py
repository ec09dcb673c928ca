"""VAE/GAN: Larsen, Sønderby, Larochelle & Winther, "Autoencoding Beyond Pixels Using a Learned
Similarity Metric", ICML 2016; with β as in "(β-)VAE and GAN" on dSprites (arXiv 2208.04549, 2022).

    encoder:        β KL + L_l           KL = KL(q(z|x) ‖ p(z)),  L_l = ½ |D_l(x) − D_l(x̃)|² / s²
    decoder:        w L_l + (1 − w) L_GAN     x̃ = dec(z), z ~ q(z|x);  x_p = dec(z_p), z_p ~ p(z)
    discriminator:  −L_GAN              L_GAN = log D(x) + ½ log(1 − D(x̃)) + ½ log(1 − D(x_p))

D_l is the discriminator's layer l, and layer 0 are the pixels: L_0 is −log p(x|z). s² is the mean
variance of its features over the batch's images, a constant for gradients. In the authors' code
batch normalisation makes it 1; those of a fresh D vary so little that to have no code would be the
optimum. Each network descends its own loss only, by gradients taken at the same parameters. Where
they are added up in one buffer, as in a public port, the decoder's part of L_GAN meets its negative
from the discriminator's loss, and what is trained is no GAN. In the paper's algorithm the signs are
those of a cost, −L_GAN: read literally, decoder and discriminator would help each other.

The halves are those of D's loss in the authors' code, not of the paper: made images count as much
as real ones, so that D is ½ and either cost log 2 where they cannot be told apart, not ⅓. In that
code the decoder has both kinds at weight 1; here it has D's halves, and L_GAN is one. As there,
the discriminator rests where the cost of real or of made images is below `equilibrium` − `margin`,
and the decoder where either is above `equilibrium` + `margin`; where both would rest, neither does.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import optax

from soberlook.registry import BadInput, setting

from . import networks
from .adam import adam
from .model import hyperparameter, register
from .vae import VAE


@register("vae_gan")
class VAEGAN(VAE):
    """VAE/GAN (Larsen et al., ICML 2016): images by a discriminator's eye, and to its taste."""

    paper = "Larsen et al., ICML 2016"
    version = 2
    trial = {"margin": 100.0}  # nobody rests: in a few updates D is too fresh to be any judge

    beta: float = hyperparameter(1.0, low=0)
    # w, at 1 without an adversary. The authors' code has 1e-2 by pixels, 5e-5 by 16,384 features.
    # Of our 128, mini_sprites' images were reconstructed at .3 and at .03 were not.
    reconstruction_weight: float = hyperparameter(
        0.3, sweep=(1, 0.3, 0.1, 0.03, 0.01, 0.001), low=0, high=1
    )
    equilibrium: float = hyperparameter(0.68, low=0)
    margin: float = hyperparameter(0.4, low=0)  # as the code's class; its training script has .35
    discriminator_learning_rate: float = hyperparameter(1e-4, low=0)  # does not follow the other
    # l, of the discriminator's hidden ones; "auto": its last convolution, or its first dense layer.
    layer: int | str = setting("auto", choices=("auto", *range(9)))

    def resolved(self, image_shape):
        resolved = super().resolved(image_shape)
        if resolved.network in networks.AUTOREGRESSIVE:
            raise BadInput(f"vae_gan: network must draw images at once, found {self.network!r}")
        d = resolved._discriminator(image_shape)
        if self.layer == "auto":
            return dataclasses.replace(resolved, layer=len(d.features) or min(1, d.hidden))
        if self.layer > d.hidden:
            raise BadInput(
                f"vae_gan: layer must be one of the discriminator's, from 0 (pixels) to {d.hidden} "
                f"with network {resolved.network!r}, found {self.layer}"
            )
        return resolved

    def init(self, key, batch):
        key_vae, key_discriminator = jax.random.split(key)
        state = super().init(key_vae, batch)
        image, d = jnp.zeros((1, *state.image_shape)), self._discriminator(state.image_shape)
        params = state.params | {"discriminator": d.init(key_discriminator, image)}
        opt = {name: adam(self.learning_rate).init(own) for name, own in params.items()}
        return state.replace(params=params, opt=opt)

    def losses(self, params, state, batch, key):
        """Each network's loss by its name, at the `params` of all three, and what is measured."""
        state = state.replace(params=params)
        x = self.observed(batch)
        posterior, z = self.infer(state, x, key)
        z_p = jax.random.normal(jax.random.fold_in(key, 1), z.shape)
        likelihood, of_prior = self.decode(state, z), self.decode(state, z_p)
        # One pass for all, because what a small batch costs is reading the weights.
        seen = jnp.concatenate([x, likelihood.mean, of_prior.mean])
        logits, layers = self.discriminate(params["discriminator"], seen)

        reconstruction = jnp.mean(-likelihood.log_prob(x))
        similarity = reconstruction
        if self.layer > 0:
            d_x, d_z, _ = jnp.split(layers[self.layer], 3)
            variance = jax.lax.stop_gradient(jnp.var(d_x, axis=0).mean()) + 1e-6  # s²
            similarity = 0.5 * jnp.mean(jnp.square(d_x - d_z).sum(axis=1)) / variance
        # −log D(x) and −log(1 − D) by logits: never the logarithm of 0, against which the authors'
        # code adds 1e-3.
        l_x, l_z, l_p = jnp.split(logits, 3)
        real = jnp.mean(jax.nn.softplus(-l_x))
        made = 0.5 * jnp.mean(jax.nn.softplus(l_z)) + 0.5 * jnp.mean(jax.nn.softplus(l_p))
        gan = -real - made
        kl = jnp.mean(posterior.kl())
        w = self.reconstruction_weight
        losses = {
            "encoder": self.beta * kl + similarity,
            "decoder": w * similarity + (1 - w) * gan,
            "discriminator": -gan,
        }
        logs = {"loss": losses["encoder"], "reconstruction": reconstruction, "kl": kl}
        logs |= {"similarity": similarity, "cost_real": real, "cost_made": made}
        return losses, logs

    def update(self, state, batch, key):
        params, opt = dict(state.params), dict(state.opt)
        measured = partial(self.losses, state=state, batch=batch, key=key)
        _, gradients_of, logs = jax.vjp(measured, params, has_aux=True)
        plays = self.players(logs["cost_real"], logs["cost_made"])
        for name in state.params:
            (grads,) = gradients_of({loss: jnp.float32(loss == name) for loss in params})
            # Adam with the settings of all models; the authors' code has RMSProp.
            is_judge = name == "discriminator"
            rate = self.discriminator_learning_rate if is_judge else self.learning_rate
            updates, moved_opt = adam(rate).update(grads[name], opt[name])
            moved = optax.apply_updates(params[name], updates), moved_opt
            params[name], opt[name] = jax.tree.map(
                partial(jnp.where, plays[name]), moved, (params[name], opt[name])
            )
        logs |= {f"{name}_plays": jnp.float32(value) for name, value in plays.items()}
        return state.replace(step=state.step + 1, params=params, opt=opt), logs

    def players(self, real, made):
        """Who is updated at these costs: network → a boolean."""
        low, high = self.equilibrium - self.margin, self.equilibrium + self.margin
        discriminator, decoder = (real >= low) & (made >= low), (real <= high) & (made <= high)
        neither = ~discriminator & ~decoder
        return {
            "encoder": jnp.bool_(True),
            "decoder": decoder | neither,
            "discriminator": discriminator | neither,
        }

    def discriminate(self, params, x):
        """Logits of D [n], and what every layer says of x [n, …]; layer 0 is x itself."""
        return self._discriminator(x.shape[1:]).apply(params, x)

    def _discriminator(self, image_shape):
        return networks.image_discriminator(
            self.network, image_shape, self.precision, self.gradients
        )
