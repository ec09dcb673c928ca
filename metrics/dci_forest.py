"""DCI with random forests: Eastwood & Williams, "A Framework for the Quantitative Evaluation of
Disentangled Representations", ICLR 2018, section 2 and appendix.

    R_ij: by how much the splits on code i reduce the squared error of factor j, in shares of 1
    D = Σ_i ρ_i (1 − H_F(R_i· / Σ_k R_ik)),  ρ_i = Σ_j R_ij / Σ R         H_b: entropy to base b
    C = 1/F Σ_j (1 − H_z(R_·j)),  I = 1/F Σ_j max(0, R²_j)

Codes and factors are standardised.
"""

import numpy as np
from jaxtyping import Num
from sklearn.ensemble import RandomForestRegressor

from .dci import concentration
from .dci_lasso import completeness
from .metric import register
from .regression import explained_variance, standardized_split


@register("dci_forest", of="split")
def dci_forest(
    codes: Num[np.ndarray, "n z"],
    factors: Num[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Num[np.ndarray, "m f"],
    *,
    leaf: int = 20,
    seed: int = 0,
) -> dict[str, float]:
    """Is each code about one factor, and each factor in one code, linear or not?

    codes [n, z], factors [n, f] real numbers, and m points to test on.
    `dci_forest_disentanglement`, `dci_forest_completeness` and `dci_forest_informativeness`, the
    variance explained at the test points (R² = 1 − NRMSE² in the paper's error; a factor worse
    predicted than by its mean counts 0); all in [0, 1], higher is better. About 0 for codes that
    know nothing, but a factor that is in no code still shares 1 among them, about evenly. Codes of
    no importance have no say in D; a factor without a split has completeness 0. Values of factors
    are numbers, as in `dci_lasso`. Ten trees split as long as both sides keep `leaf` points, so
    fewer than 2·`leaf` points score 0, and D of entangled codes falls with the number of points
    (rotated ones: .56 of 1,000, .49 of 10,000): never compare sizes. `seed` draws the trees'
    points (D: ± .002). Raises ValueError for codes that are not finite and for a factor of one
    value.
    """
    codes, factors, test_codes, test_factors = standardized_split(
        codes, factors, test_codes, test_factors
    )
    # The authors' code has ten trees, too, of a depth chosen for each factor and model. Leaves
    # of 20 points end trees where noise begins, at whatever n: the error of noisy codes is the
    # lowest so, and that of exact ones little higher. Every split may use every code; classifiers
    # that try a random few (scikit-learn's) give weight to others than the one with the factor,
    # and perfect codes D = .81.
    importance, predicted = [], []
    for factor in factors.T:
        forest = RandomForestRegressor(10, min_samples_leaf=leaf, random_state=seed)
        forest.fit(codes, factor)
        importance.append(forest.feature_importances_)
        predicted.append(forest.predict(test_codes))
    importance = np.maximum(np.stack(importance, axis=1), 0)  # rounding may leave −1e-17
    explained = explained_variance(np.stack(predicted, axis=1), test_factors)
    return {
        "dci_forest_disentanglement": concentration(importance),
        "dci_forest_completeness": completeness(importance),
        "dci_forest_informativeness": float(np.maximum(explained, 0).mean()),
    }
