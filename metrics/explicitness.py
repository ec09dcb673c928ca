"""Explicitness: Ridgeway & Mozer, "Learning Deep Disentangled Embeddings With the F-Statistic
Loss", NeurIPS 2018.

    explicitness = 1/F Σ_k 1/K_k Σ_c AUC(p(v_k = c | z), v_k = c),  p a logistic regression
"""

import warnings

import numpy as np
from jaxtyping import Bool, Float, Int, Num
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from .metric import check_split, register


@register("explicitness", of="split")
@register("explicitness_disjoint", of="split", disjoint=True, suffix="_disjoint")
def explicitness(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
) -> dict[str, float]:
    """Explicitness: can each value of each factor be told from all codes by a linear classifier?

    codes [n, z], factors [n, f] whole numbers, and m points to test on. In [0, 1], higher is
    better; 0.5 for codes that know nothing. `explicitness` is on the test points,
    `explicitness_train` on those fitted to. Values that only one half has are left out. Raises
    ValueError for codes that are not finite and for a factor of one value.
    """
    codes, factors, test_codes, test_factors = check_split(codes, factors, test_codes, test_factors)
    mean, scale = codes.mean(axis=0, dtype=np.float64), codes.std(axis=0, dtype=np.float64)
    # The study's code divides a constant code by its deviation of 0 and fails on the NaN.
    scale[np.ptp(codes, axis=0) == 0] = 1
    codes, test_codes = (codes - mean) / scale, (test_codes - mean) / scale
    train, test = [], []
    for factor, test_factor in zip(factors.T, test_factors.T, strict=True):
        # The paper uses one-against-rest classifiers, the study scikit-learn's default: that in
        # its day (.94 for perfect codes of dSprites), a multinomial one today (.99).
        classifier = LogisticRegression(random_state=0)
        with warnings.catch_warnings():
            # Scored wherever the 100 iterations of the study's settings end.
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(codes, factor)
        values = classifier.classes_
        train.append(area_under_roc(classifier.predict_proba(codes), factor[:, None] == values))
        test.append(
            area_under_roc(classifier.predict_proba(test_codes), test_factor[:, None] == values)
        )
    return {"explicitness": float(np.mean(test)), "explicitness_train": float(np.mean(train))}


def area_under_roc(scores: Float[np.ndarray, "n k"], truth: Bool[np.ndarray, "n k"]) -> float:
    """Area under the ROC curve of each column, averaged over the columns where it is defined."""
    positive = truth.sum(axis=0)
    negative = len(truth) - positive
    both = (positive > 0) & (negative > 0)
    if not both.any():
        return 0.5
    # AUC = U / (n₊ n₋), U = Σ ranks of the positives − n₊ (n₊ + 1) / 2 (Mann & Whitney, 1947).
    ranks = (rankdata(scores, axis=0) * truth).sum(axis=0)
    u = ranks - positive * (positive + 1) / 2
    return float(np.mean(u[both] / (positive * negative)[both]))
