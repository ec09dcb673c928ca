"""AR-VAE and Attri-VAE: Pati & Lerch, "Attribute-based Regularization of Latent Spaces for
Variational Auto-Encoders", Neural Computing and Applications 2020; Cetin, Stephens, Camara &
González Ballester, "Attri-VAE: Attribute-based Interpretable Representations of Medical Images
with Variational Autoencoders", Computerized Medical Imaging and Graphics 2023.

    loss = E_q(z|x)[−log p(x|z)] + β |KL(q(z|x) ‖ p(z)) − c| + γ Σ_j L_j  [+ α CE(y, head(z))]
    L_j = 1/b² Σ_i Σ_k |tanh(δ (z_ij − z_kj)) − sgn(a_ij − a_kj)|

Attribute j belongs to latent j, which must order the images of a batch as the attribute does. z is
the sample, as in both public codes, and the pairs are all b² of them. Equal attributes ask for
equal codes: with a large δ a binary attribute leaves no variation within its two classes. The
bracket is Attri-VAE's: a small classifier reads the class y of an image off all latents.
"""

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from . import networks
from .labels import check_classes, labels_view
from .model import hyperparameter, register
from .vae import VAE, Terms


@register("ar_vae")
class ARVAE(VAE):
    """AR-VAE (Pati & Lerch, NCAA 2020): the first latents order images as given attributes do."""

    paper = "Pati & Lerch, Neural Computing and Applications 2020"

    gamma: float = hyperparameter(10.0, sweep=(0.1, 1, 10, 100), low=0)
    delta: float = hyperparameter(1.0, low=0)
    beta: float = hyperparameter(4.0, low=0)
    capacity: float = hyperparameter(0.0, low=0)
    attributes: tuple[str, ...] = setting(())  # those of the dataset, in order; () means all
    matched: bool = setting(True)  # false: images get those of others, the negative control

    @property
    def needs(self):
        return "images", ("attributes", {"names": self.attributes, "matched": self.matched})

    def check(self, dataset):
        names = self.attributes or dataset.attribute_names
        if len(names) > self.latents:
            raise BadInput(
                f"{self.name}: latents must be ≥ {len(names)}, one for each attribute of "
                f"{dataset.name!r} that is regularised, found {self.latents}"
            )

    def regularizer(self, t: Terms):
        kl = t.posterior.kl().mean()
        a = t.batch["attributes"]
        order = order_mismatch(t.z[:, : a.shape[1]], a, self.delta).sum()
        penalty = self.beta * jnp.abs(kl - self.capacity) + self.gamma * order
        return penalty, {"kl": kl, "order_mismatch": order}


@register("attri_vae")
class AttriVAE(ARVAE):
    """Attri-VAE (Cetin et al., CMIG 2023): AR-VAE, and a classifier that reads the latents.

    `matched=False` takes the true attributes away and leaves the classifier its true labels: a
    negative control of the order alone.
    """

    paper = "Cetin et al., Computerized Medical Imaging and Graphics 2023"
    trial = {"delta": 1.0}  # at 100 the loss is all but a step, and rounding grows by itself

    alpha: float = hyperparameter(1.0, low=0)
    beta: float = hyperparameter(2.0, low=0)
    delta: float = hyperparameter(100.0, low=0)
    label: int = setting(0, low=0)  # y is the dataset's factor of this number, from 0
    classes: int = setting(10, low=2)  # that y may have; a factor may have fewer

    @property
    def needs(self):
        return *super().needs, labels_view(0, "perfect")

    def check(self, dataset):
        super().check(dataset)
        check_classes(self, dataset, "label", "classes")

    def init(self, key, batch):
        key_vae, key_head = jax.random.split(key)
        state = super().init(key_vae, batch)
        head = self._head.init(key_head, jnp.zeros((1, self.latents)))
        return self.with_params(state, head=head)

    def regularizer(self, t: Terms):
        penalty, logs = super().regularizer(t)
        (logits,) = self._head.apply(t.state.params["head"], t.z)
        y = t.batch["labels"]["labels"][:, self.label]
        ce = cross_entropy(logits, y)
        return penalty + self.alpha * ce, {**logs, "cross_entropy": ce}

    @property
    def _head(self):
        # The public one has batch normalisation and dropout between these layers.
        widths = max(1, self.latents // 2), max(1, self.latents // 4)
        return networks.classifier(widths, self.classes, self.precision)


def order_mismatch(z, a, delta):
    """L_j of every column of z and a, both [b, j], in [0, 2]: 0 where z orders as a does and is
    spread by much more than 1/δ, about 1 where it knows nothing, 2 where it orders in reverse."""
    of_z = jnp.tanh(delta * (z[:, None] - z[None]))
    return jnp.abs(of_z - jnp.sign(a[:, None] - a[None])).mean(axis=(0, 1))


def cross_entropy(logits, y):
    """The mean of −log p(y) over those y [b] that are classes; others are unknown. 0 if all are."""
    known = (y >= 0) & (y < logits.shape[1])
    log_p = jax.nn.log_softmax(logits)
    picked = jnp.take_along_axis(log_p, jnp.where(known, y, 0)[:, None], axis=1)[:, 0]
    return -jnp.where(known, picked, 0).sum() / jnp.maximum(known.sum(), 1)
