"""The SAP score: Kumar, Sattigeri & Balakrishnan, "Variational Inference of Disentangled Latent
Concepts from Unlabeled Observations", ICLR 2018, section 3.

    SAP = 1/F Σ_k (S_{i(k) k} − max_{i ≠ i(k)} S_ik),  i(k) = argmax_i S_ik
    S_ik: how well code i alone predicts factor k
"""

import numpy as np
from jaxtyping import Float, Int, Num

from .linear_svm import fit_lines
from .metric import check_split, register


@register("sap", of="split")
@register("sap_rotated", of="split", codes="rotated", suffix="_rotated")
@register("sap_disjoint", of="split", disjoint=True, suffix="_disjoint")
def sap(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
) -> dict[str, float]:
    """Separated attribute predictability: is each factor predicted by one code, and no other?

    codes [n, z], factors [n, f] whole numbers, and m points to test on. In [0, 1], higher is
    better; about 0 for codes that know nothing. A perfect code of a factor with many values stays
    far below 1 (dSprites: 0.24), because a linear classifier cannot cut one axis in 40 pieces. The
    second best of a single code is 0, so that even a constant one has the accuracy of chance. Not
    invariant to the scale of a code: the classifier's penalty is not. Raises ValueError for codes
    that are not finite and for a factor of one value.
    """
    codes, factors, test_codes, test_factors = check_split(codes, factors, test_codes, test_factors)
    scores = predictability(codes, factors, test_codes, test_factors)
    ranked = np.sort(np.vstack([np.zeros(factors.shape[1]), scores]), axis=0)
    return {"sap": float(np.mean(ranked[-1] - ranked[-2]))}


def predictability(codes, factors, test_codes, test_factors) -> Float[np.ndarray, "z f"]:
    """S: the test accuracy with which each code alone predicts each factor."""
    # The paper cuts a categorical factor's code at thresholds and takes the balanced accuracy; for
    # continuous factors it takes R². The study has categories only, a linear SVM with balanced
    # weights, and the plain accuracy.
    scores = np.empty((codes.shape[1], factors.shape[1]))
    for k, (factor, test_factor) in enumerate(zip(factors.T, test_factors.T, strict=True)):
        lines = fit_lines(codes, factor)
        for i, test_code in enumerate(test_codes.T):
            scores[i, k] = np.mean(lines.predict(test_code, i) == test_factor)
    return scores
