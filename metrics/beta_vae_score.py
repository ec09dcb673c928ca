"""The BetaVAE score: Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained
Variational Framework", ICLR 2017, section 3.

    k ~ U{1..F};  x_1^l, x_2^l share factor k, for l = 1..L
    z_diff = 1/L Σ_l |μ(x_1^l) − μ(x_2^l)|;  score = accuracy of a linear p(k | z_diff)
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from .interventions import check_grid, parts, with_factor
from .metric import Representation, register


@register("beta_vae_score", of="interventions")
@register("beta_vae_score_rotated", of="interventions", codes="rotated", suffix="_rotated")
def beta_vae_score(
    representation: Representation,
    rng: np.random.Generator,
    *,
    points: int = 10_000,
    test_points: int = 5_000,
    batch: int = 64,
) -> dict[str, float]:
    """BetaVAE score: can a linear classifier tell which factor pairs of images share?

    Codes [n, z] of the whole grid. In [0, 1], higher is better; about 1/F for codes that know
    nothing. A rotation of perfect codes scores nearly as well as they do. `beta_vae_score` is the
    accuracy on `test_points` fresh points, `beta_vae_score_train` on those it was fitted to. Not
    invariant to the scale of a code: features are not standardised. Raises ValueError for codes
    that are not finite.
    """
    check_grid(representation)
    features, labels = _differences(representation, rng, points, batch)
    test_features, test_labels = _differences(representation, rng, test_points, batch)
    # The paper trains by Adagrad; the study fits scikit-learn's logistic regression. In its day
    # that was liblinear, one against the rest; today it is multinomial by L-BFGS, which scores
    # .006 more on rotated codes.
    classifier = LogisticRegression(random_state=0)
    with warnings.catch_warnings():
        # Scored wherever the 100 iterations of the study's settings end.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(features, labels)
    return {
        "beta_vae_score": float(classifier.score(test_features, test_labels)),
        "beta_vae_score_train": float(classifier.score(features, labels)),
    }


def _differences(representation, rng, points, batch):
    """z_diff [points, z] and k [points]."""
    cells, factors = len(representation.mean), len(representation.factor_sizes)
    factor = rng.integers(factors, size=points)
    first, second = rng.integers(cells, size=(2, points, batch))
    # Each of the L pairs has a value of its own for the factor that it shares.
    second = with_factor(representation.grid, second, factor[:, None], first)
    codes = representation.mean
    differences = [
        np.abs(codes[a].astype(np.float64) - codes[b]).mean(axis=1)
        for a, b in zip(parts(first), parts(second), strict=True)
    ]
    return np.concatenate(differences), factor
