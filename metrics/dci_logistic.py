"""DCI with logistic regression, for factors that are classes: the criteria of Eastwood & Williams,
"A Framework for the Quantitative Evaluation of Disentangled Representations", ICLR 2018.

    p(v_j = c | z) = softmax(W_j z + b_j)_c,  R_ij = Σ_c W_j,ci² / Σ_k Σ_c W_j,ck²
    D = Σ_i ρ_i (1 − H_F(R_i· / Σ_k R_ik)),  ρ_i = Σ_j R_ij / Σ R         H_b: entropy to base b
    C = 1/F Σ_j (1 − H_z(R_·j)),  I = 1/F Σ_j accuracy_j

Codes are standardised.
"""

import warnings

import numpy as np
from jaxtyping import Int, Num
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from .dci import concentration
from .dci_lasso import completeness
from .metric import check_split, register
from .standardize import standardize


@register("dci_logistic", of="split")
def dci_logistic(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
    *,
    strength: float = 1.0,
) -> dict[str, float]:
    """Is each code about one factor, and each factor in one code, as linear classifiers see it?

    codes [n, z], factors [n, f] whole numbers, and m points to test on.
    `dci_logistic_disentanglement`, `dci_logistic_completeness` and `dci_logistic_informativeness`
    (accuracy on the test points); all in [0, 1], higher is better. Codes that know nothing have D
    and C of about 0.1, ratios of noise, and the accuracy of chance. Constant codes have no weight;
    those of noise do not vanish as lasso's do, but are small. Classes along one axis are learnt
    slowly, so that the accuracy of perfect codes stays far below 1 (dSprites: .67); D and C grow
    with the number of points (perfect codes: .976 of 1,000): never compare sizes. `strength` is
    the penalty's, ½ ‖W‖² against the summed log-loss. Raises ValueError for codes that are not
    finite and for a factor of one value.
    """
    codes, factors, test_codes, test_factors = check_split(codes, factors, test_codes, test_factors)
    codes, test_codes = standardize(codes, test_codes)
    importance, accuracy = [], []
    for factor, test_factor in zip(factors.T, test_factors.T, strict=True):
        # The minimum, to what other orders of codes agree on.
        classifier = LogisticRegression(C=1 / strength, tol=1e-6, max_iter=1_000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(codes, factor)
        # Squares are a code's share of the logits' variance, as trees' importance is one of the
        # squared error. Of |W|, as with lasso, the many small weights of noise make up so much that
        # perfect codes have D = .73 of 1,000 points and .95 of 10,000. In shares, because weights
        # grow with how well classes part.
        weight = (classifier.coef_**2).sum(axis=0)
        importance.append(weight / (weight.sum() or 1))
        accuracy.append(classifier.score(test_codes, test_factor))
    importance = np.stack(importance, axis=1)
    return {
        "dci_logistic_disentanglement": concentration(importance),
        "dci_logistic_completeness": completeness(importance),
        "dci_logistic_informativeness": float(np.mean(accuracy)),
    }
