"""The variational autoencoder (Kingma & Welling, ICLR 2014), which most methods specialise.

    loss = E_q(z|x)[−log p(x|z)] + regularizer

Both terms are in nats: sums over pixels and latents, means over the batch.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from soberlook.registry import setting

from . import networks
from .adam import adam
from .convolution import FORMS
from .likelihoods import LIKELIHOODS
from .model import Model, State, hyperparameter
from .posteriors import Gaussian


class Terms(NamedTuple):
    """What a regularizer may look at."""

    params: Any  # the parameters the loss is differentiated by
    extra: Any  # what else the state carries
    posterior: Gaussian  # q(z|x) of the batch
    z: jax.Array  # its sample [b, z]
    step: jax.Array  # updates done
    batch: dict  # the views the model needs
    key: jax.Array  # for randomness of the regularizer's own


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class VAE(Model):
    """Base of the models with an encoder, a decoder and one optimizer.

    Most subclasses override `regularizer` alone; a game with other rules overrides `loss` or
    `update`.
    """

    latents: int = setting(10, low=1)
    network: str = setting("auto", choices=("auto", *networks.NETWORKS))
    likelihood: str = setting("bernoulli", choices=tuple(LIKELIHOODS))
    precision: str = setting("float32", choices=tuple(networks.PRECISIONS))
    gradients: str = setting("written", choices=tuple(FORMS))
    learning_rate: float = hyperparameter(1e-4, low=0)

    def regularizer(self, t: Terms):
        """The penalty in nats and what of it is worth logging: each per image [b] or a scalar."""
        kl = t.posterior.kl()
        return kl, {"kl": kl}

    def resolved(self, image_shape):
        return dataclasses.replace(self, network=networks.resolve(self.network, image_shape))

    def init(self, key, batch):
        image_shape = batch["images"].shape[1:]
        key_encoder, key_decoder = jax.random.split(key)
        encoder, decoder = self._networks(image_shape)
        params = {
            "encoder": encoder.init(key_encoder, jnp.zeros((1, *image_shape))),
            "decoder": decoder.init(key_decoder, jnp.zeros((1, self.latents))),
        }
        opt = adam(self.learning_rate).init(params)
        return State(jnp.int32(0), params, opt, image_shape=image_shape)

    def encode(self, state, x):
        encoder, _ = self._networks(state.image_shape)
        return Gaussian(*encoder.apply(state.params["encoder"], x))

    def decode(self, state, z):
        _, decoder = self._networks(state.image_shape)
        return LIKELIHOODS[self.likelihood](decoder.apply(state.params["decoder"], z))

    def infer(self, state, x, key):
        """q(z|x) and the sample of it that `loss` takes with this key."""
        posterior = self.encode(state, x)
        return posterior, posterior.sample(jax.random.fold_in(key, 0))

    def loss(self, params, state, batch, key):
        """The objective at `params`, a scalar in nats per image, and its parts by name."""
        state = state.replace(params=params)
        x = batch["images"]
        posterior, z = self.infer(state, x, key)
        reconstruction = -self.decode(state, z).log_prob(x)
        key_regularizer = jax.random.fold_in(key, 1)
        terms = Terms(params, state.extra, posterior, z, state.step, batch, key_regularizer)
        regularizer, logs = self.regularizer(terms)
        logs = {"reconstruction": reconstruction, **logs}
        return jnp.mean(reconstruction) + jnp.mean(regularizer), jax.tree.map(jnp.mean, logs)

    def update(self, state, batch, key):
        value_and_grad = jax.value_and_grad(self.loss, has_aux=True)
        (loss, logs), grads = value_and_grad(state.params, state, batch, key)
        updates, opt = adam(self.learning_rate).update(grads, state.opt)
        params = optax.apply_updates(state.params, updates)
        return state.replace(step=state.step + 1, params=params, opt=opt), {"loss": loss, **logs}

    def _networks(self, image_shape):
        return networks.build(
            self.network, self.latents, image_shape, self.precision, self.gradients
        )
