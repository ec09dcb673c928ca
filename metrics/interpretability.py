"""Interpretability: Adel, Ghahramani & Weller, "Discovering Interpretable Representations for Both
Deep Generative and Discriminative Models", ICML 2018, as Pati & Lerch (2020) compute it.

    interpretability = 1/A Σ_a R²(a ~ z_{j(a)}),   j(a) = argmax_j I(z_j; a)
    R²: of the linear regression of attribute a on one code
"""

import numpy as np
from jaxtyping import Num
from scipy.stats import rankdata

from .correlation import pearson
from .knn_information import knn_information
from .metric import check_codes_and_factors, register

LEVELS = 20  # of an attribute, where information is estimated: as many as MIG has bins of a code


@register("interpretability", of="codes", version=2, continuous=True, attributes=True)
def interpretability(
    codes: Num[np.ndarray, "n z"], factors: Num[np.ndarray, "n a"]
) -> dict[str, float]:
    """Is each attribute a linear function of the one code that knows most of it?

    codes [n, z], factors [n, a] real numbers: of a dataset that measures attributes in its images
    these, of others its factors. In [0, 1], higher is better; about 0 for codes that know nothing.
    Attributes are taken as quantities: a category or an angle has no line to lie on. Information is
    estimated from nearest neighbours (Ross, 2014), as public code estimates it (Kraskov et al.,
    2004), but of attributes in 20 levels of as many points, as far as values that tie let them, or
    in their own where these are no more: ties, as of a grid, would spoil the other estimate. Raises
    ValueError for codes and factors that are not finite and for a factor of one value.
    """
    codes, factors = check_codes_and_factors(codes, factors, whole=False)
    levels = np.stack([_levels(a) for a in factors.T], axis=1)
    chosen = knn_information(codes, levels).argmax(axis=0)
    r2 = pearson(codes, factors)[chosen, np.arange(factors.shape[1])] ** 2
    return {"interpretability": float(r2.mean())}


def _levels(a):
    """The number of each value's level, from 0; equal values are in one level."""
    values, number = np.unique(a, return_inverse=True)
    if len(values) <= LEVELS:
        return number
    # By their ranks: of quantiles many are one value where it is most of all, as 0 often is, and
    # what differs from it would be in its level.
    return np.floor((rankdata(a) - 0.5) * LEVELS / len(a)).astype(int)
