"""The supervised encoder: what a network says of an image when it was told the truth about others.

    loss = E[1/f Σ_j (μ_j(x) − v_j)²]        v the true factors, mean 0 and variance 1 each

A yardstick and no method: it has no decoder and no latent distribution, and is not in the list of
models. Of a model's contract it keeps what the trainer asks for, `init` and `update`.

Factors without an order, like shapes, are regressed on their numbers as all others are: each has a
code to itself, in which any order is as good, but an image that could be the first or the last of
three is called the second.
"""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import optax

from soberlook.registry import settings_of

from . import networks
from .adam import adam
from .model import State

STATIC = {"static": True}  # part of the program, as a model's structure is


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class SupervisedEncoder:
    """A model's encoder, network and optimizer alike, on the true factors. Codes: one a factor."""

    name: ClassVar[str] = "supervised"
    version: ClassVar[int] = 1  # raised when the meaning changes; part of every run's id
    needs: ClassVar[tuple[str, ...]] = ("images", "factors")

    latents: int = dataclasses.field(metadata=STATIC)  # as many as there are factors
    network: str = dataclasses.field(default="auto", metadata=STATIC)
    precision: str = dataclasses.field(default="float32", metadata=STATIC)
    gradients: str = dataclasses.field(default="written", metadata=STATIC)
    learning_rate: float = 1e-4

    def resolved(self, image_shape) -> "SupervisedEncoder":
        """This encoder with the network that "auto" means for images of this shape."""
        return dataclasses.replace(self, network=networks.resolve(self.network, image_shape))

    def settings(self) -> dict:
        """Field → value."""
        return settings_of(self)

    def init(self, key, batch):
        image_shape = batch["images"].shape[1:]
        params = self._encoder(image_shape).init(key, jnp.zeros((1, *image_shape)))
        opt = adam(self.learning_rate).init(params)
        return State(jnp.int32(0), params, opt, image_shape=image_shape)

    def predict(self, state, x):
        """x [b, h, w, c] → what the factors are, [b, f], in the units of the targets."""
        mean, _ = self._encoder(state.image_shape).apply(state.params, x)
        return mean  # the network's other head, of log-variances, stays as it starts

    def loss(self, params, state, batch):
        """The mean squared error, a scalar: 1 for an encoder that says 0 whatever it sees."""
        predicted = self.predict(state.replace(params=params), batch["images"])
        return jnp.mean(jnp.square(predicted - batch["factors"]))

    def update(self, state, batch, key):
        loss, grads = jax.value_and_grad(self.loss)(state.params, state, batch)
        updates, opt = adam(self.learning_rate).update(grads, state.opt)
        params = optax.apply_updates(state.params, updates)
        return state.replace(step=state.step + 1, params=params, opt=opt), {"loss": loss}

    def _encoder(self, image_shape):
        encoder, _ = networks.build(
            self.network, self.latents, image_shape, self.precision, self.gradients
        )
        return encoder
