"""Spearman's correlation of attributes and codes: Pati & Lerch, "Attribute-based Regularization of
Latent Spaces for Variational Auto-Encoders", Neural Computing and Applications 2020.

    SCC = 1/A Σ_a max_j |ρ(z_j, a)|, a correlation counting where its p-value is at most 0.05
"""

import numpy as np
from jaxtyping import Num
from scipy.stats import t

from .correlation import spearman
from .metric import Numbers, check_codes_and_factors, numbers, register


@register("scc", of="codes", batched=True, continuous=True, attributes=True)
def scc(codes: Num[np.ndarray, "*runs n z"], factors: Num[np.ndarray, "n a"]) -> dict[str, Numbers]:
    """Does a code order the images as each attribute does?

    codes [..., n, z], factors [n, a] real numbers: of a dataset that measures attributes in its
    images these, of others its factors. In [0, 1], higher is better. Nearly 0 for codes that know
    nothing: of chance correlations the largest is taken where it looks significant (.009 for ten
    codes of noise at 10,000 points). One code may be counted for several attributes. Raises
    ValueError for codes and factors that are not finite, for a factor of one value, and for fewer
    than three samples, of which no correlation is significant.
    """
    codes, factors = check_codes_and_factors(codes, factors, whole=False)
    if len(factors) < 3:
        raise ValueError(f"codes and factors must be three samples at least, found {len(factors)}")
    rho = np.abs(spearman(codes, factors)).max(axis=-2)  # (..., a)
    freedom = len(factors) - 2
    with np.errstate(divide="ignore"):  # 1 is infinitely far from 0
        statistic = rho * np.sqrt(freedom / (1 - rho**2))
    p = 2 * t.sf(statistic, freedom)
    return {"scc": numbers(np.where(p <= 0.05, rho, 0).mean(axis=-1))}
