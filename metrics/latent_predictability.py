"""How much of a code the other codes say: the squared multiple correlation (R² of a regression).

    R²_i = 1 − 1 / (R⁻¹)_ii        R the correlations of the codes

This is what the predictors of NashAE (Yeats et al., ECCV 2022) would find at their best, were codes
Gaussian; what only a curve would find is in `mutual_information_score`.
"""

import numpy as np
from jaxtyping import Int, Num

from .correlation import pearson
from .metric import Numbers, check_codes, numbers, register

RIDGE = 1e-10  # so that codes which are each other's have an inverse: their R² is 1 within 1e-9


@register("latent_predictability", of="codes", batched=True, factors=False)
def latent_predictability(
    codes: Num[np.ndarray, "*runs n z"], factors: Int[np.ndarray, "n f"]
) -> dict[str, Numbers]:
    """Is a code a linear function of the others?

    codes [..., n, z]; the factors are not looked at. The mean R² of those codes that vary at all,
    in [0, 1]; lower is better, and 0 where there is one such code or none: look at how many are
    live, too. Of n points and z independent codes it is about (z − 1) / n. Raises ValueError for
    codes that are not finite.
    """
    codes = check_codes(codes)
    means = np.empty(codes.shape[:-2])
    for run in np.ndindex(means.shape):
        own = codes[run][:, np.ptp(codes[run], axis=0) > 0]
        inverse = np.linalg.inv(pearson(own, own) + RIDGE * np.eye(own.shape[1]))
        r2 = 1 - 1 / np.diag(inverse)
        means[run] = np.clip(r2, 0, 1).mean() if len(r2) > 1 else 0
    return {"latent_predictability": numbers(means)}
