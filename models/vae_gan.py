"""VAE/GAN: Larsen, Sønderby, Larochelle & Winther, "Autoencoding Beyond Pixels Using a Learned
Similarity Metric", ICML 2016; with β as in "(β-)VAE and GAN" on dSprites (arXiv 2208.04549, 2022).

    encoder:        β KL + L_l                KL = KL(q(z|x) ‖ p(z)),  L_l = ½ |D_l(x) − D_l(x̃)|²
    decoder:        w L_l + (1 − w) L_GAN     x̃ = dec(z), z ~ q(z|x);  x_p = dec(z_p), z_p ~ p(z)
    discriminator:  −L_GAN              L_GAN = log D(x) + ½ log(1 − D(x̃)) + ½ log(1 − D(x_p))

D_l is the discriminator's layer l, and layer 0 are the pixels: L_0 is −log p(x|z). Each network
descends its own loss only, by gradients taken at the same parameters. Where they are added up in
one buffer, as in a public port, the decoder's part of L_GAN meets its negative from the
discriminator's loss, and what is trained is no GAN. In the paper's algorithm the signs are those of
a cost, −L_GAN: read literally, decoder and discriminator would help each other.

The halves are those of the authors' code, not of the paper: made images count as much as real ones,
so that D is ½ and either cost log 2 where they cannot be told apart, not ⅓. Also as in the code,
the discriminator rests where the cost of real or of made images is below `equilibrium` − `margin`,
and the decoder where either is above `equilibrium` + `margin`; where both would rest, neither does.
"""

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
    # By pixels and with nobody resting: in a few updates features of a fresh D say little of them.
    trial = {"layer": 0, "margin": 100.0}

    beta: float = hyperparameter(1.0, low=0)
    # w. The authors' code has 1e-2, and 1e-5 for CelebA; 1 is a decoder without an adversary.
    reconstruction_weight: float = hyperparameter(
        1e-2, sweep=(1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5), low=0, high=1
    )
    equilibrium: float = hyperparameter(0.68, low=0)
    margin: float = hyperparameter(0.4, low=0)
    discriminator_learning_rate: float = hyperparameter(1e-4, low=0)
    layer: int = setting(2, low=0)  # l, of the discriminator's hidden ones

    def resolved(self, image_shape):
        resolved = super().resolved(image_shape)
        if resolved.network in networks.AUTOREGRESSIVE:
            raise BadInput(f"vae_gan: network must draw images at once, found {self.network!r}")
        hidden = resolved._discriminator(image_shape).hidden
        if self.layer > hidden:
            raise BadInput(
                f"vae_gan: layer must be one of the discriminator's, from 0 (pixels) to {hidden} "
                f"with network {resolved.network!r}, found {self.layer}"
            )
        return resolved

    def init(self, key, batch):
        key_vae, key_discriminator = jax.random.split(key)
        state = super().init(key_vae, batch)
        discriminator = self._discriminator(state.image_shape)
        image = jnp.zeros((1, *state.image_shape))
        params = state.params | {"discriminator": discriminator.init(key_discriminator, image)}
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
            similarity = 0.5 * jnp.mean(jnp.square(d_x - d_z).sum(axis=1))
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
