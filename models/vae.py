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
from .likelihoods import LIKELIHOODS, Autoregressive, check_likelihood
from .model import Model, State, hyperparameter
from .posteriors import Gaussian


class Terms(NamedTuple):
    """What an objective may look at, for the n images that it explains."""

    state: Any  # with the parameters that the loss is differentiated by
    images: jax.Array  # [n, …]: those of the batch, or of its pairs or groups, one after another
    posterior: Any  # q(z|x) of these images
    z: jax.Array  # its sample [n, z]
    reconstruction: jax.Array  # −log p(x|z) in nats [n]
    batch: dict  # the views the model needs
    key: jax.Array  # for randomness of the objective's own


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class VAE(Model):
    """Base of the models with an encoder, a decoder and one optimizer.

    Most subclasses override `regularizer` alone. What else may differ, each in a method of its own:
    which images are explained (`observed`), the posterior (`heads`, `encode`, `infer`), what the
    decoder's output means (`outputs`, `likelihood_of`), how the parts are weighed (`objective`),
    and the game (`update`).
    """

    latents: int = setting(10, low=1)
    network: str = setting("auto", choices=("auto", *networks.NETWORKS))
    likelihood: str = setting("bernoulli", choices=tuple(LIKELIHOODS))
    precision: str = setting("float32", choices=tuple(networks.PRECISIONS))
    gradients: str = setting("written", choices=tuple(FORMS))
    learning_rate: float = hyperparameter(1e-4, low=0)

    @property
    def heads(self) -> dict[str, int]:
        """What the encoder says of an image: the names and widths of its outputs, in order."""
        return {"mean": self.latents, "log_var": self.latents}

    @property
    def codes(self) -> int:
        """The width of a code z, which the decoder reads."""
        return self.latents

    @property
    def outputs(self) -> int:
        """How many numbers the decoder says of every pixel and channel."""
        return 1

    def regularizer(self, t: Terms):
        """The penalty in nats and what of it is worth logging: each per image [n] or a scalar."""
        kl = t.posterior.kl()
        return kl, {"kl": kl}

    def objective(self, t: Terms):
        """The loss, a scalar in nats per image, and its parts by name."""
        regularizer, logs = self.regularizer(t)
        logs = {"reconstruction": t.reconstruction, **logs}
        return jnp.mean(t.reconstruction) + jnp.mean(regularizer), logs

    def resolved(self, image_shape):
        check_likelihood(self.likelihood, image_shape)
        return dataclasses.replace(self, network=networks.resolve(self.network, image_shape))

    def init(self, key, batch):
        image_shape = self.observed(batch).shape[1:]
        key_encoder, key_decoder = jax.random.split(key)
        encoder, decoder = self._networks(image_shape)
        x = jnp.zeros((1, *image_shape))
        read = (x,) if self.network in networks.AUTOREGRESSIVE else ()
        params = {
            "encoder": encoder.init(key_encoder, x),
            "decoder": decoder.init(key_decoder, jnp.zeros((1, self.codes)), *read),
        }
        state = State(jnp.int32(0), {}, None, image_shape=image_shape)
        return self.with_params(state, **params)

    def with_params(self, state, **more):
        """The state, from `init`, with more parameters that the same optimizer moves."""
        params = state.params | more
        return state.replace(params=params, opt=adam(self.learning_rate).init(params))

    def encode(self, state, x):
        return Gaussian(*self.heads_of(state, x))

    def decode(self, state, z):
        if self.network in networks.AUTOREGRESSIVE:

            def given(x):
                return self.likelihood_of(state, self.outputs_of(state, z, x))

            return Autoregressive(given, jnp.zeros((len(z), *state.image_shape)))
        return self.likelihood_of(state, self.outputs_of(state, z))

    def likelihood_of(self, state, outputs):
        """p(x|z) by what the decoder says [n, h, w, c · outputs]."""
        return LIKELIHOODS[self.likelihood](outputs)

    def heads_of(self, state, x, **how):
        """The encoder's outputs [n, …], in the order of `heads`; `how` is for Flax's `apply`."""
        encoder, _ = self._networks(state.image_shape)
        return encoder.apply(state.params["encoder"], x, **how)

    def outputs_of(self, state, z, x=None):
        """The decoder's output [n, h, w, c · outputs]; an autoregressive one reads the images x."""
        _, decoder = self._networks(state.image_shape)
        read = (x,) if self.network in networks.AUTOREGRESSIVE else ()
        return decoder.apply(state.params["decoder"], z, *read)

    def observed(self, batch):
        """The images that the objective explains [n, …]."""
        return batch["images"]

    def infer(self, state, x, key):
        """q(z|x) of the observed images, and the sample of it that `loss` takes with this key."""
        posterior = self.encode(state, x)
        return posterior, posterior.sample(jax.random.fold_in(key, 0))

    def loss(self, params, state, batch, key):
        """The objective at `params`, a scalar in nats per image, and its parts by name."""
        state = state.replace(params=params)
        x = self.observed(batch)
        posterior, z = self.infer(state, x, key)
        reconstruction = -self.decode(state, z).log_prob(x)
        own_key = jax.random.fold_in(key, 1)
        loss, logs = self.objective(Terms(state, x, posterior, z, reconstruction, batch, own_key))
        return loss, jax.tree.map(jnp.mean, logs)

    def update(self, state, batch, key):
        value_and_grad = jax.value_and_grad(self.loss, has_aux=True)
        (loss, logs), grads = value_and_grad(state.params, state, batch, key)
        updates, opt = adam(self.learning_rate).update(grads, state.opt)
        params = optax.apply_updates(state.params, updates)
        return state.replace(step=state.step + 1, params=params, opt=opt), {"loss": loss, **logs}

    def _networks(self, image_shape):
        return networks.build(
            self.network,
            self.latents,
            image_shape,
            self.precision,
            self.gradients,
            heads=self.heads,
            outputs=self.outputs,
        )
