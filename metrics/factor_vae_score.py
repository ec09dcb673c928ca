"""The FactorVAE score: Kim & Mnih, "Disentangling by Factorising", ICML 2018, section 4, as in the
study (Locatello et al., 2019, appendix C).

    k ~ U{1..F};  x^1..x^L share factor k and its value
    d = argmin_j Var_l(μ_j(x^l)) / Var_x(μ_j(x));  score = accuracy of the majority vote for k by d
"""

from typing import Literal

import numpy as np

from .interventions import check_grid, parts, with_factor
from .metric import Representation, register


@register("factor_vae_score", of="interventions")
@register("factor_vae_score_rotated", of="interventions", codes="rotated", suffix="_rotated")
def factor_vae_score(
    representation: Representation,
    rng: np.random.Generator,
    *,
    points: int = 10_000,
    test_points: int = 5_000,
    batch: int = 64,
    variance_points: int = 10_000,
    prune: Literal["std", "variance"] = "std",
    threshold: float = 0.05,
) -> dict[str, float]:
    """FactorVAE score: does the code that varies least tell which factor was held?

    Codes [n, z] of the whole grid. In [0, 1], higher is better; about 1/F for codes that know
    nothing, and 0 when no code is active. `factor_vae_score` is the accuracy on `test_points`
    fresh votes, `factor_vae_score_train` on those the majority was taken of; `factor_vae_active`
    is the number of active codes, from 0 to z. Raises ValueError for codes that are not finite.
    """
    check_grid(representation)
    cells = rng.integers(len(representation.mean), size=variance_points)
    variance = representation.mean[cells].var(axis=0, ddof=1, dtype=np.float64)
    # The study's paper drops codes whose variance is below 0.05 (appendix C), its code those whose
    # standard deviation is: variance below 0.0025. Scores were made by the code.
    active = (np.sqrt(variance) if prune == "std" else variance) >= threshold
    if not active.any():
        return {"factor_vae_score": 0.0, "factor_vae_score_train": 0.0, "factor_vae_active": 0.0}
    train = _votes(representation, rng, points, batch, variance, active)
    test = _votes(representation, rng, test_points, batch, variance, active)
    majority = train.argmax(axis=0)
    return {
        "factor_vae_score": vote_accuracy(majority, test),
        "factor_vae_score_train": vote_accuracy(majority, train),
        "factor_vae_active": float(active.sum()),
    }


def _votes(representation, rng, points, batch, variance, active):
    """How often [F, active codes] each factor was held when that code varied least."""
    cells, factors = len(representation.mean), len(representation.factor_sizes)
    factor = rng.integers(factors, size=points)
    held = rng.integers(cells, size=(points, batch))
    held = with_factor(representation.grid, held, factor[:, None], held[:, :1])
    codes = representation.mean[:, active]
    local = [codes[part].var(axis=1, ddof=1, dtype=np.float64) for part in parts(held)]
    least = np.argmin(np.concatenate(local) / variance[active], axis=1)
    votes = np.zeros((factors, codes.shape[1]), int)
    np.add.at(votes, (factor, least), 1)
    return votes


def vote_accuracy(majority, votes):
    """The share of votes [F, z] where the held factor is the majority's [z] for the code."""
    return float(votes[majority, np.arange(len(majority))].sum() / votes.sum())
