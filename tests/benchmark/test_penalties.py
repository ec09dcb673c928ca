"""Each method lowers what it penalises, over ten seeds, against the VAE (β-VAE at β = 1) with the
same seeds; and, as a control, at its neutral strength it does not."""

import jax
import numpy as np
import pytest

from soberlook.benchmark.cohort import Cohort
from soberlook.benchmark.evaluate import represent
from soberlook.benchmark.study import Budget, Run
from soberlook.benchmark.train import train
from soberlook.datasets import MiniSprites
from soberlook.metrics.unsupervised import unsupervised
from soberlook.models import DIPVAEI, DIPVAEII, BetaTCVAE, BetaVAE, FactorVAE

AS_SHIPPED = True

SEEDS = range(10)
SMALL = {"learning_rate": 1e-3, "network": "mlp", "latents": 6}
DISCRIMINATOR = {"discriminator_widths": (128, 128), "discriminator_learning_rate": 1e-3}


def total_correlation(representation):
    """Gaussian total correlation of sampled codes, in nats."""
    cells = np.arange(len(representation.sampled))
    scores = unsupervised(representation.sampled, representation.factors(cells))
    return scores["gaussian_total_correlation"]


def off_diagonal(codes):
    covariance = np.cov(codes.T)
    return np.sum(covariance**2) - np.sum(np.diag(covariance) ** 2)


QUANTITIES = {
    "total correlation": total_correlation,
    "covariance of means": lambda r: off_diagonal(r.mean),
    "covariance of samples": lambda r: off_diagonal(r.sampled),
}


@pytest.fixture(scope="module")
def measure():
    """model → quantity → its values [seeds] after 400 updates; equal models are trained once."""
    dataset, budget, found = MiniSprites(), Budget(updates=400), {}
    data = dataset.load()

    def measured(model):
        if repr(model) not in found:
            runs = tuple(Run(dataset, model, seed, budget) for seed in SEEDS)
            *_, training = train(Cohort("penalties", runs, ()), data)
            learnt = [represent(*training[1:4], i, data, dataset) for i in range(len(runs))]
            found[repr(model)] = {
                name: np.array([quantity(r) for r in learnt])
                for name, quantity in QUANTITIES.items()
            }
        return found[repr(model)]

    yield measured
    jax.clear_caches()


@pytest.mark.parametrize(
    ("strong", "neutral", "quantity"),
    [
        (BetaTCVAE(beta=8, **SMALL), BetaTCVAE(beta=1, **SMALL), "total correlation"),
        (
            FactorVAE(gamma=20, **SMALL, **DISCRIMINATOR),
            FactorVAE(gamma=0, **SMALL, **DISCRIMINATOR),
            "total correlation",
        ),
        (DIPVAEI(lambda_od=10, **SMALL), DIPVAEI(lambda_od=0, **SMALL), "covariance of means"),
        (DIPVAEII(lambda_od=50, **SMALL), DIPVAEII(lambda_od=0, **SMALL), "covariance of samples"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_penalised_falls(measure, strong, neutral, quantity):
    vae, penalised = (measure(model)[quantity] for model in (BetaVAE(beta=1, **SMALL), strong))
    lower = (penalised < vae).sum()
    # A fair coin would give 9 or more of 10 once in a hundred times.
    assert lower >= 9, f"{quantity}: {np.median(vae):.3f} → {np.median(penalised):.3f}"
    control = measure(neutral)[quantity]
    assert np.median(control) == pytest.approx(np.median(vae), rel=0.5)
    assert not (control < 0.5 * vae).sum() >= 9
