"""Semi-supervised versions of the study's methods: Locatello, Tschannen, Bauer, Rätsch, Schölkopf &
Bachem, "Disentangling Factors of Variation Using Few Labels", ICLR 2020.

    loss = (the unsupervised method's) + γ_sup(t) R_s(μ(x_l), y)
    γ_sup(t) = γ_sup                              "fixed"
               γ_sup min(1, t / T)                "anneal"
               γ_sup min(1, max(0, t − T))        "fine_tune"

(x_l, y) is a batch of images with labels, drawn from few; what the labeller does is a setting of
the model, because it is what the model is fed. R_s ties code j to factor j (`label_losses.py`).
"""

import dataclasses

import jax
import jax.numpy as jnp

from soberlook.registry import BadInput, setting

from .beta_tcvae import BetaTCVAE
from .beta_vae import BetaVAE
from .dip_vae import DIPVAEI
from .factor_vae import FactorVAE
from .label_losses import LOSSES, learned_by
from .model import hyperparameter, register
from .posteriors import Point
from .vae import VAE, Terms

LABELLERS = ("perfect", "noisy", "binned", "permuted", "partial")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FewLabels(VAE):
    """What labels add to an unsupervised method, which stands behind it among a class's bases."""

    paper = "Locatello et al., ICLR 2020"

    gamma_sup: float = hyperparameter(10.0, low=0)
    annealing: str = setting("fixed", choices=("fixed", "anneal", "fine_tune"))
    threshold: float = hyperparameter(50_000.0, low=1)  # T, in updates
    labelled: int = setting(100, low=0)  # images that have labels; 0: all
    labeller: str = setting("perfect", choices=LABELLERS)
    wrong: float = setting(0.1, low=0, high=1)  # of "noisy": the share of labels drawn anew
    bins: int = setting(5, low=2)  # of "binned": the most values that a label has
    known: int = setting(2, low=1)  # of "partial": how many factors have labels

    def supervision(self, t: Terms):
        """R_s of the batch's labelled images, a scalar, and what of it is worth logging."""
        raise NotImplementedError

    @property
    def needs(self):
        labels = {"count": self.labelled, "kind": self.labeller, "noise": self.wrong}
        labels |= {"bins": self.bins, "observed": self.known}
        return *super().needs, ("labels", labels)

    def check(self, dataset):
        super().check(dataset)
        factors = len(dataset.factor_sizes)
        if factors > self.latents:
            raise BadInput(
                f"{self.name}: latents must be ≥ {factors}, one for each factor of "
                f"{dataset.name!r}, found {self.latents}"
            )

    def objective(self, t: Terms):
        loss, logs = super().objective(t)
        supervision, own = self.supervision(t)
        loss = loss + self.gamma_at(t.state.step) * supervision
        return loss, {**logs, "supervision": supervision, **own}

    def gamma_at(self, step):
        """γ_sup(t)."""
        grown = {
            "fixed": 1.0,
            "anneal": step / self.threshold,
            "fine_tune": jnp.maximum(0, step - self.threshold),
        }
        return self.gamma_sup * jnp.minimum(1, grown[self.annealing])


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class LabelledCodes(FewLabels):
    """Labels that say what the first codes must be, by a loss R_s."""

    label_loss: str = setting("xent", choices=tuple(LOSSES))
    values: int = setting(64, low=1)  # of "embed": no factor has more

    def check(self, dataset):
        super().check(dataset)
        most = max(dataset.factor_sizes)
        if self.label_loss == "embed" and most > self.values:
            raise BadInput(
                f"{self.name}: values must be ≥ {most}, the most that a factor of "
                f"{dataset.name!r} has, found {self.values}"
            )

    def init(self, key, batch):
        key_method, key_learned = jax.random.split(key)
        state = super().init(key_method, batch)
        factors = batch["labels"]["labels"].shape[1]
        learned = learned_by(self.label_loss, key_learned, factors, self.values)
        return self.with_params(state, labels=learned)

    def supervision(self, t: Terms):
        mu = self.encode(t.state, t.batch["labels"]["images"]).mean
        y, sizes = t.batch["labels"]["labels"], t.batch["labels"]["sizes"]
        return LOSSES[self.label_loss](mu, y, sizes, t.state.params["labels"]), {}


@register("s2_vae")
class S2VAE(LabelledCodes, BetaVAE):
    """β-VAE with few labels (Locatello et al., ICLR 2020): they say what the first codes are."""


@register("s2_factor_vae")
class S2FactorVAE(LabelledCodes, FactorVAE):
    """FactorVAE with few labels (Locatello et al., ICLR 2020)."""


@register("s2_dip_vae")
class S2DIPVAE(LabelledCodes, DIPVAEI):
    """DIP-VAE-I with few labels (Locatello et al., ICLR 2020)."""


@register("s2_beta_tcvae")
class S2BetaTCVAE(LabelledCodes, BetaTCVAE):
    """β-TCVAE with few labels (Locatello et al., ICLR 2020)."""


@register("s2_supervised")
class S2Supervised(LabelledCodes):
    """An encoder of the labels alone, and a decoder that reads its codes (Locatello et al., 2020).

    The decoder's gradient does not reach the encoder. No loss says what a code's noise should be,
    so there is none; the public code draws it from a log-variance that nothing trains.
    """

    @property
    def heads(self):
        return {"mean": self.latents}

    def encode(self, state, x):
        return Point(*self.heads_of(state, x))

    def infer(self, state, x, key):
        posterior, z = super().infer(state, x, key)
        return posterior, jax.lax.stop_gradient(z)

    def regularizer(self, t: Terms):
        return 0.0, {}
