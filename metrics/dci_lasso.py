"""DCI with lasso: Eastwood & Williams, "A Framework for the Quantitative Evaluation of Disentangled
Representations", ICLR 2018, section 2 and appendix.

    v̂_j = Σ_i w_ij z_i,  w_·j = argmin_w 1/2n Σ (v_j − Σ_i w_i z_i)² + α Σ_i |w_i|,  R_ij = |w_ij|
    D = Σ_i ρ_i (1 − H_F(R_i· / Σ_k R_ik)),  ρ_i = Σ_j R_ij / Σ R         H_b: entropy to base b
    C = 1/F Σ_j (1 − H_z(R_·j / Σ_k R_kj)),  I = 1/F Σ_j max(0, R²_j)

Codes z and factors v are standardised.
"""

import warnings

import numpy as np
from jaxtyping import Float, Num
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso

from .dci import concentration
from .metric import register
from .regression import explained_variance, standardized_split


@register("dci_lasso", of="split", continuous=True)
def dci_lasso(
    codes: Num[np.ndarray, "n z"],
    factors: Num[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Num[np.ndarray, "m f"],
    *,
    penalty: float | None = None,
) -> dict[str, float]:
    """Is each code about one factor, and each factor in one code, as far as is linear?

    codes [n, z], factors [n, f] real numbers, and m points to test on. `dci_lasso_disentanglement`,
    `dci_lasso_completeness` and `dci_lasso_informativeness`, the variance explained at the test
    points (R² = 1 − NRMSE² in the paper's error; a factor worse predicted than by its mean counts
    0); all in [0, 1], higher is better. 0 for codes that know nothing. A code of no weight has no
    say in D; a factor of no weight has completeness 0. The value of a factor is taken as a number,
    so an unordered one (a shape) is told only as far as its numbering follows a code. Of two equal
    codes lasso takes one, and D = C = 1 for codes that are there twice.

    `penalty` is α, 4/√n by default, four standard errors of a correlation that is none: a weaker
    one lets codes of noise in, a stronger one leaves weights out (D of tanh of a mixture, 10,000
    points: .20 at .001, .52 at .04). The default falls with n: never compare sizes. Raises
    ValueError for codes that are not finite and for a factor of one value.
    """
    # The authors' code has α = 0.02 throughout. That is two standard errors at 10,000 points, which
    # one chance correlation in twenty exceeds; where there is nothing else D and C are theirs, and
    # codes of pure noise have D = 1.
    codes, factors, test_codes, test_factors = standardized_split(
        codes, factors, test_codes, test_factors
    )
    alpha = 4 / np.sqrt(len(codes)) if penalty is None else penalty
    weights = lasso(codes, factors, alpha)
    explained = explained_variance(test_codes @ weights, test_factors)
    return {
        "dci_lasso_disentanglement": concentration(np.abs(weights)),
        "dci_lasso_completeness": completeness(np.abs(weights)),
        "dci_lasso_informativeness": float(np.maximum(explained, 0).mean()),
    }


def lasso(
    codes: Float[np.ndarray, "n z"], factors: Float[np.ndarray, "n f"], alpha: float
) -> Float[np.ndarray, "z f"]:
    """w: the weights of the codes for each factor, of any mean."""
    # The minimum, to what other orders of codes agree on: a dual gap of 1e-12 of the variance.
    model = Lasso(alpha, precompute=True, tol=1e-12, max_iter=10_000, random_state=0)
    with warnings.catch_warnings():
        # Codes that are almost equal may take longer, for weights that hardly differ.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.stack([model.fit(codes, factor).coef_ for factor in factors.T], axis=1)


def completeness(importance: Float[np.ndarray, "z f"]) -> float:
    """C: the plain mean over factors, 0 of one that no code is important for."""
    # The study's code weighs factors by ρ'_j; that is the same where columns sum to 1.
    return float(np.mean([concentration(column[None]) for column in importance.T]))
