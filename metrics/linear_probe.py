"""Linear probes with few and many labels, as in Alain & Bengio, "Understanding Intermediate Layers
Using Linear Classifier Probes", ICLR workshop 2017.

    accuracy_n = 1/F Σ_j 1/m Σ_i 1[v_ij = argmax_c (W_j z_i + b_j)_c]
    W_j, b_j = argmin ½ ‖W‖² − s Σ_{i ≤ n} log softmax(W z_i + b)_{v_ij},  s by validation

Codes are standardised.
"""

import warnings

import numpy as np
from jaxtyping import Float, Int, Num, Shaped
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from .metric import check_split, register
from .standardize import standardize

STRENGTHS = (100.0, 10.0, 1.0, 0.1, 0.01)  # s, from the weakest penalty
SETS = {10: 5, 100: 5, 1_000: 1}  # how many sets of so many labels are averaged


@register("linear_probe", of="split")
def linear_probe(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
) -> dict[str, float]:
    """How well does a linear classifier tell each factor's value, and from how many labels?

    codes [n, z], factors [n, f] whole numbers, and m points to test on. `linear_probe_10`, `_100`
    and `_1000` are accuracies with so many labelled points, the first of all, and
    `linear_probe_all` with all; means over factors, in [0, 1], higher is better, chance for codes
    that know nothing: 1/K of K even values. Those of 10 and 100 labels are means over five sets
    (one set of ten: ± .03). Where there are fewer points than labels asked, all are used. Values
    that the labels miss are never predicted and count as errors, as do almost all values of a
    factor of 40 at 10 labels; labels that are all the same predict that value.

    Many values on one axis are learnt slowly: of perfect codes of dSprites .43 with 1,000 labels of
    orientation. Codes are standardised, so that collapsed ones count like the others. Raises
    ValueError for codes that are not finite and for a factor of one value.
    """
    codes, factors, test_codes, test_factors = check_split(codes, factors, test_codes, test_factors)
    codes, test_codes = standardize(codes, test_codes)

    def accuracy(labels, sets):
        found = []
        for start in labels * np.arange(min(sets, max(1, len(codes) // labels))):
            seen = slice(start, start + labels)
            for factor, truth in zip(factors.T, test_factors.T, strict=True):
                found.append(probe(codes[seen], factor[seen], test_codes) == truth)
        return float(np.mean(found))

    scores = {f"linear_probe_{labels}": accuracy(labels, sets) for labels, sets in SETS.items()}
    return scores | {"linear_probe_all": accuracy(len(codes), 1)}


def probe(
    codes: Float[np.ndarray, "n z"],
    factor: Shaped[np.ndarray, " n"],
    test_codes: Float[np.ndarray, "m z"],
) -> Shaped[np.ndarray, " m"]:
    """What a classifier of these labels says of the test points.

    The last fifth of the labels chooses s among five powers of ten by accuracy; the classifier is
    then fitted to all of them.
    """
    # Of equals the weakest penalty: at ten labels, two of which choose, it is the better by .03 to
    # .1 and varies half as much.
    border = len(codes) - max(1, len(codes) // 5)
    scores = [
        np.mean(_classify(s, codes[:border], factor[:border], codes[border:]) == factor[border:])
        for s in STRENGTHS
    ]
    return _classify(STRENGTHS[int(np.argmax(scores))], codes, factor, test_codes)


def _classify(strength, codes, factor, test_codes):
    if (factor == factor[0]).all():
        return np.full(len(test_codes), factor[0])
    # L-BFGS takes 1 s for 10,000 points of 10 codes and 40 values over all strengths, Newton's
    # method with its Hessian of 440 weights 5 s.
    classifier = LogisticRegression(C=strength, solver="lbfgs")
    with warnings.catch_warnings():
        # Scored wherever 100 iterations end: separable values would take 300, for .01 at most.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(codes, factor)
    return classifier.predict(test_codes)
