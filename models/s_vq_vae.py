"""S-VQ-VAE: Xue, Ding & Lu, "Supervised Vector Quantized Variational Autoencoder for Learning
Interpretable Global Representations", 2019 (arXiv 1909.11124).

    loss = −log p(x|e_y) + ‖sg(z_e) − e_y‖² + c ‖z_e − sg(e_y)‖²
                 − 1[j ≠ y] (‖sg(z_e) − e_j‖² + d ‖z_e − sg(e_j)‖²),  j = argmin_j ‖z_e − e_j‖²

In training the decoder sees the code of the image's class y, which draws z_e to it; a wrongly
nearest code is pushed away. An image that comes without its class has the nearest code.

The push has no lower bound in e. As in the authors' code z_e passes through a tanh; here codes are
kept in its cube [−1, 1]ᶻ, too, where those that are pulled alone always are: so the push is at most
4 (1 + d) z. Norms are sums, as the reconstruction is in nats per image; the authors take means of
both, and Adam's variant AMSGrad.
"""

import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from .labels import KINDS, check_classes, labels_view
from .model import hyperparameter, register
from .quantized import straight_through
from .vae import Terms
from .vq_vae import VQVAE, look_up


@register("s_vq_vae")
class SVQVAE(VQVAE):
    """S-VQ-VAE (Xue et al., 2019): a code for every class; labels choose it in training."""

    paper = "Xue, Ding & Lu, arXiv 1909.11124, 2019"
    span = (-1.0, 1.0)
    trial = {}

    # A code a class. The rest is only pushed; where codes are averages there must be none.
    codebook: int = setting(16, low=2)
    factor: int = setting(0, low=0)  # which column of the labels is the class
    labels: str = setting("perfect", choices=KINDS)
    repulsion: float = hyperparameter(0.1, low=0)  # d
    learning_rate: float = hyperparameter(1e-3, low=0)

    @property
    def needs(self):
        return (labels_view(0, self.labels),)  # the images are the batch's own

    def check(self, dataset):
        super().check(dataset)
        if self.positions > 1:
            raise BadInput(f"{self.name}: positions must be 1, found {self.positions}")
        # A code of no class that is an average would stay where it began, the nearest to much.
        exactly = self.learns == "average"
        check_classes(self, dataset, "factor", "codebook", exactly)

    def observed(self, batch):
        return batch["labels"]["images"]

    def encoded(self, state, x):
        return jnp.tanh(super().encoded(state, x))

    def assigned(self, q, batch):
        return batch["labels"]["labels"][:, self.factor, None]

    def objective(self, t: Terms):
        q, y = t.posterior, self.assigned(t.posterior, t.batch)[:, 0]
        own = look_up(y, self.book(t.state))
        z = straight_through(q.encoded, own)
        reconstruction = -self.decode(t.state, z).log_prob(t.images)
        pull = self.pull(q.encoded, own, self.commitment)
        wrong = q.index[:, 0] != y
        push = jnp.where(wrong, self.pull(q.encoded, q.mean, self.repulsion), 0)
        logs = {
            "reconstruction": reconstruction,
            "reconstruction_nearest": t.reconstruction,  # by the nearest code, as without labels
            "pull": pull,
            "push": push,
            "accuracy": 1.0 - wrong,
        }
        return jnp.mean(reconstruction + pull - push), logs

    def update(self, state, batch, key):
        after, logs = super().update(state, batch, key)
        if self.learns == "gradient":  # averages of z_e lie in the cube by themselves
            kept = {"codebook": jnp.clip(after.params["codebook"], -1, 1)}
            after = after.replace(params=after.params | kept)
        return after, logs
