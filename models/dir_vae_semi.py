"""Semi-supervised DirVAE: Joo et al., Pattern Recognition 2020, on the model M2 of Kingma, Rezende,
Mohamed & Welling, "Semi-supervised Learning with Deep Generative Models", NIPS 2014.

    L(x, y) = E_q(z|x,y)[−log p(x|z, y)] + β KL(q(z|x,y) ‖ p(z)) − log p(y)
    U(x) = Σ_y q(y|x) L(x, y) − H(q(y|x))
    loss = mean(U(x) of images, L(x, y) of labelled images) − a E_labelled[log q(y|x)]

p(y) is uniform. A code is (z, y), with y one-hot, and its mean is (Σ_y q(y|x) E[z|x, y], q(y|x)).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from soberlook.registry import setting

from . import networks
from .dir_vae import DirVAE
from .dirichlet import MultiGamma
from .labels import KINDS, check_classes, labels_view
from .model import hyperparameter, register


class Classed(NamedTuple):
    """q(y|x) q(z|x, y) of c classes, y uniform and independent of z in the prior."""

    logits: Float[Array, "b c"]  # of q(y|x)
    given: MultiGamma  # q(z|x, y) [b, c, z], for every y

    @property
    def log_q(self) -> Float[Array, "b c"]:
        return jax.nn.log_softmax(self.logits)

    @property
    def mean(self) -> Float[Array, "b zc"]:
        q = jax.nn.softmax(self.logits)
        return jnp.concatenate([jnp.einsum("bc,bcz->bz", q, self.given.mean), q], axis=1)

    def sample(self, key: PRNGKeyArray) -> Float[Array, "b zc"]:
        key_class, key_code = jax.random.split(key)
        return self._of(jax.random.categorical(key_class, self.logits), self.given.sample(key_code))

    def sample_prior(self, key: PRNGKeyArray) -> Float[Array, "b zc"]:
        key_class, key_code = jax.random.split(key)
        uniform = jax.random.categorical(key_class, jnp.zeros_like(self.logits))
        return self._of(uniform, self.given.sample_prior(key_code))

    def _of(self, y, z):
        y = jax.nn.one_hot(y, self.logits.shape[1])
        return jnp.concatenate([jnp.einsum("bc,bcz->bz", y, z), y], axis=1)

    def log_ratio(self, z: Float[Array, "b zc"]) -> Float[Array, " b"]:
        classes = self.logits.shape[1]
        z, y = z[:, None, :-classes], z[:, -classes:]
        ratio = self.given.log_ratio(jnp.broadcast_to(z, self.given.concentration.shape))
        # Classes that are not this code's have no say, whatever their ratio.
        return jnp.where(y > 0, ratio - self.log_q - jnp.log(classes), 0).sum(axis=1)

    def kl_per_latent(self) -> Float[Array, "b zc"]:
        q = jnp.exp(self.log_q)
        latents = jnp.einsum("bc,bcz->bz", q, self.given.kl_per_latent())
        return jnp.concatenate([latents, q * (self.log_q + jnp.log(q.shape[1]))], axis=1)

    def kl(self) -> Float[Array, " b"]:
        return self.kl_per_latent().sum(axis=1)


@register("dir_vae_semi")
class SemiDirVAE(DirVAE):
    """Semi-supervised DirVAE (Joo et al., Pattern Recognition 2020): a class and a simplex code."""

    version = 2
    trial = {"classes": 3, "labelled": 30}

    classes: int = setting(10, low=2)
    factor: int = setting(0, low=0)  # of the dataset, whose values the classes are
    labelled: int = setting(100, low=1)  # examples
    labels: str = setting("perfect", choices=KINDS)
    classifier_weight: float = hyperparameter(50.0, low=0)  # a

    @property
    def needs(self):
        return "images", labels_view(self.labelled, self.labels)

    def check(self, dataset):
        check_classes(self, dataset, "factor", "classes", exactly=True)

    @property
    def codes(self):
        return self.latents + self.classes

    @property
    def heads(self):
        # M2 feeds y to the encoder's first layer. Here all but its last layer is shared by the
        # classes: one pass encodes an image for each of them.
        return {"concentration": self.classes * self.latents}

    def init(self, key, batch):
        key_vae, key_classifier = jax.random.split(key)
        state = super().init(key_vae, batch)
        image, classifier = jnp.zeros((1, *state.image_shape)), self._classifier(state)
        return self.with_params(state, classifier=classifier.init(key_classifier, image))

    def encode(self, state, x):
        concentration = jax.nn.softplus(self.heads_of(state, x)[0]) + self.floor
        given = self.posterior(state, concentration.reshape(len(x), self.classes, self.latents))
        return Classed(self._classifier(state).apply(state.params["classifier"], x)[0], given)

    def observed(self, batch):
        return jnp.concatenate([batch["images"], batch["labels"]["images"]])

    def loss(self, params, state, batch, key):
        state, x = state.replace(params=params), self.observed(batch)
        posterior, y = self.encode(state, x), self._classes_of(batch)
        log_q, log_q_labelled = jnp.split(posterior.log_q, [len(x) - len(y)])
        q, log_q = self._weights(posterior, y), jnp.concatenate([log_q, jnp.zeros_like(y)])
        z, kl = posterior.given.sample(key), posterior.given.kl()
        every = jnp.broadcast_to(jnp.eye(self.classes), (*z.shape[:2], self.classes))
        codes = jnp.concatenate([z, every], axis=2).reshape(-1, self.codes)
        log_p = self.decode(state, codes).log_prob(jnp.repeat(x, self.classes, axis=0))
        reconstruction = -log_p.reshape(q.shape)
        bounds = reconstruction + (self.beta * kl + log_q + jnp.log(self.classes))
        # What classes have in common is hundreds of nats and says nothing of q(y|x): taken out, or
        # its rounding would be most of a small gradient.
        common = jax.lax.stop_gradient(bounds.mean(axis=1, keepdims=True))
        bound = jnp.mean(common[:, 0] + jnp.sum(q * (bounds - common), axis=1))
        cross_entropy = -jnp.sum(y * log_q_labelled, axis=1)
        logs = {"reconstruction": q * reconstruction, "kl": q * kl}
        logs = {name: part.sum(axis=1).mean() for name, part in logs.items()}
        logs["cross_entropy"] = jnp.mean(cross_entropy)
        return bound + self.classifier_weight * logs["cross_entropy"], logs

    def drawn(self, state, batch, key):
        posterior = self.encode(state, self.observed(batch))
        q = self._weights(posterior, self._classes_of(batch)) / len(posterior.logits)
        return posterior.given.sample(key).reshape(-1, self.latents), q.reshape(-1)

    def _classes_of(self, batch):
        """y of the labelled images, one-hot."""
        return jax.nn.one_hot(batch["labels"]["labels"][:, self.factor], self.classes)

    def _weights(self, posterior, y):
        """q(y|x) of images, and for labelled ones one that is sure: L(x, y) is U(x) of that."""
        return jnp.concatenate([jnp.exp(posterior.log_q[: -len(y)]), y])

    def _classifier(self, state):
        how = self.network, self.latents, state.image_shape, self.precision, self.gradients
        return networks.build(*how, heads={"class": self.classes})[0]
