"""Downstream prediction from few and many labels: Locatello et al., "Challenging Common Assumptions
in the Unsupervised Learning of Disentangled Representations", ICML 2019, section 5.5.

    accuracy_n = 1/F Σ_j 1/m Σ_i 1[v_ij = h_j(z_i)],  h_j fitted to n labelled points, i ≤ m others
    efficiency_n = accuracy_n / accuracy_10000

h: gradient-boosted trees, or logistic regression with a penalty chosen by cross-validation.
"""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from jaxtyping import Int, Num, Shaped
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from .boosting import boost
from .metric import check_split, register

LABELS = (10, 100, 1_000, 10_000)
FEW = 100  # up to so many labels several sets of them are averaged
STRENGTHS = np.logspace(-4, 4, 10)  # C of ½ ‖W‖² + C Σ log-loss, from the strongest penalty
FOLDS = 5


@register("downstream_gbt", of="split", threaded=True)
def downstream_gbt(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
    *,
    sets: int = 5,
    seed: int = 0,
) -> dict[str, float]:
    """How well do gradient-boosted trees tell each factor's value, and from how many labels?

    codes [n, z], factors [n, f] whole numbers, and m points to test on. Higher is better:
    `downstream_gbt_accuracy_10`, `_100`, `_1000` and `_10000`, the mean over factors of the test
    accuracy from so many labels, in [0, 1], chance for codes that know nothing;
    `downstream_gbt_min_accuracy_…`, that of the worst factor; and statistical efficiency,
    `downstream_gbt_efficiency_100` and `_1000`, the mean accuracy from so many labels over that
    from 10,000 (0 where that is 0).

    Sets of labels are consecutive parts of the points, from the first; numbers of 10 and 100 labels
    are means over `sets` sets (one set of 10: ± .03, of 100: ± .01). Sizes beyond the points given,
    and efficiencies of them, are left out. Values that a set misses are never predicted and count
    as errors; a set of one value predicts that value.

    Traps. Codes that know nothing are efficient: chance from few labels is chance from many, so
    read efficiency beside accuracy; by noise it may pass 1. On a small grid drawn with replacement
    most test points are among 10,000 labelled ones, which raises that accuracy and lowers
    efficiency. `seed` draws among splits that are equally good. Takes some 20 s on two cores for 10
    codes of dSprites. Raises ValueError for codes that are not finite, a factor of one value
    and fewer than 10 points.
    """
    arrays = check_split(codes, factors, test_codes, test_factors)
    return score_few_labels(
        "downstream_gbt", partial(predict_by_trees, seed=seed), *arrays, sets=sets
    )


@register("downstream_lr", of="split")
def downstream_lr(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
    *,
    sets: int = 5,
) -> dict[str, float]:
    """How well does a linear classifier tell each factor's value, and from how many labels?

    As `downstream_gbt`, with logistic regression: `downstream_lr_accuracy_…`,
    `downstream_lr_min_accuracy_…` and `downstream_lr_efficiency_…`, from the same sets of labels.
    Many values on one axis are learnt slowly, perfect codes being no exception. Codes are not
    standardised: the penalty is in their units, and scaling a code changes the score. Takes 20 to
    60 s for 10 codes of dSprites, the longer the better values can be told apart. Raises ValueError
    for codes that are not finite, a factor of one value and fewer than 10 points.
    """
    arrays = check_split(codes, factors, test_codes, test_factors)
    return score_few_labels("downstream_lr", predict_by_logistic_regression, *arrays, sets=sets)


def predict_by_trees(
    codes: Num[np.ndarray, "n z"],
    factors: Shaped[np.ndarray, "n f"],
    others: Num[np.ndarray, "m z"],
    *,
    seed: int = 0,
) -> Shaped[np.ndarray, "m f"]:
    """What boosted trees say of the others; of a factor that does not vary its one value."""
    said = np.tile(factors[0], (len(others), 1))
    varies = (factors != factors[0]).any(axis=0)
    if varies.any():
        said[:, varies] = boost(codes, factors[:, varies], others, seed=seed).predicted
    return said


def predict_by_logistic_regression(
    codes: Num[np.ndarray, "n z"],
    factors: Shaped[np.ndarray, "n f"],
    others: Num[np.ndarray, "m z"],
) -> Shaped[np.ndarray, "m f"]:
    """What logistic regressions say of the others, each of a strength chosen by validation.

    The strength, of ten, with the most right answers about five consecutive parts of the points,
    each left out in turn; of equals that of the strongest penalty. Values that a part alone has are
    errors there for all strengths. The classifier is then fitted to all points.
    """
    folds = np.array_split(np.arange(len(codes)), FOLDS)
    said = []
    for factor in factors.T:
        right = np.zeros(len(STRENGTHS), int)
        for fold in folds:
            rest = np.delete(np.arange(len(codes)), fold)
            found = _path(codes[rest], factor[rest], codes[fold], STRENGTHS)
            right += (found == factor[fold]).sum(axis=1)
        said.append(_path(codes, factor, others, STRENGTHS[: right.argmax() + 1])[-1])
    return np.stack(said, axis=1)


def _path(codes, factor, others, strengths):
    """Predictions [strengths, m], each fit starting where the last ended."""
    if (factor == factor[0]).all():
        return np.full((len(strengths), len(others)), factor[0])
    classifier = LogisticRegression(warm_start=True)
    with warnings.catch_warnings():
        # Scored wherever the 100 iterations of the study's settings end.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.stack(
            [classifier.set_params(C=c).fit(codes, factor).predict(others) for c in strengths]
        )


def score_few_labels(
    name: str,
    predict: Callable,
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
    *,
    sets: int = 5,
) -> dict[str, float]:
    """Accuracies and efficiencies of `predict`(codes, factors, others) → [m, f], by name."""
    if len(codes) < LABELS[0]:
        raise ValueError(f"codes must be {LABELS[0]} samples at least, found {len(codes)}")
    scores = {}
    # The study draws labelled and test points anew for each size. Here sizes share them: expected
    # accuracies are the same, and ratios of sizes are less noisy.
    for labels in (size for size in LABELS if size <= len(codes)):
        accuracy = []
        for start in labels * np.arange(min(sets if labels <= FEW else 1, len(codes) // labels)):
            seen = slice(start, start + labels)
            right = predict(codes[seen], factors[seen], test_codes) == test_factors
            accuracy.append(right.mean(axis=0))
        scores[f"{name}_accuracy_{labels}"] = float(np.mean(accuracy))
        scores[f"{name}_min_accuracy_{labels}"] = float(np.min(accuracy, axis=1).mean())
    if (most := scores.get(f"{name}_accuracy_10000")) is not None:
        for labels in (100, 1_000):
            few = scores[f"{name}_accuracy_{labels}"]
            scores[f"{name}_efficiency_{labels}"] = few / most if most else 0.0
    return scores
