"""InfoMEC: Hsu, Dorrell, Whittington, Wu & Finn, "Disentanglement via Latent Quantization",
NeurIPS 2023, section 4.

    InfoM = 1/A Σ_i (max_j N_ij / Σ_j N_ij − 1/F) / (1 − 1/F)        i over the A active codes
    InfoC = 1/F Σ_j (max_i N_ij / Σ_i N_ij − 1/A) / (1 − 1/A)        N_ij = I(z_i; v_j) / H(v_j)
    InfoE = 1/F Σ_j (1 − L_j / log K_j)    L_j: cross-entropy of a logistic regression of v_j on z
"""

import warnings

import numpy as np
from jaxtyping import Float, Int, Num, Shaped
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from .information import entropy, mutual_information
from .knn_information import knn_information
from .metric import check_codes_and_factors, register


@register("infomec", of="codes")
def infomec(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    *,
    discrete: bool = False,
    neighbors: int = 10,
) -> dict[str, float]:
    """Is each code about one factor, each factor in one code, and can factors be read off linearly?

    codes [n, z], factors [n, f] whole numbers. `infom` (modularity), `infoc` (compactness) and
    `infoe` (explicitness, on the points fitted to); 1 is best. Information is the nearest-neighbour
    estimate, or with `discrete` codes the plug-in one of their values, which InfoE then sees one
    by one. Active codes have a range above 1/20 of the largest, discrete ones more than one value;
    InfoM and InfoC are of these only, InfoE of all codes. In units of the codes: one that is much
    wider than the others makes these inactive.

    Codes that know nothing score 0 in InfoE only: ratios of estimation errors make InfoM .48 and
    InfoC .25 of ten codes of noise on dSprites. An active code or a factor without any information
    counts as 0. With one active code InfoC is 1, with one factor InfoM; with no active code all
    three are 0. InfoE may be a little below 0 (−.001) where values are not equally frequent, and
    for perfect codes it depends on where the solver stops (.9997). Codes of a noiseless encoder
    tie, and the noise that parts them moves InfoM and InfoC: ± .0013 for perfect codes. A point
    drawn twice is its own neighbour, and where points are drawn more often than there are
    neighbours, as 10,000 from a grid of a few hundred cells, the estimate finds as much of every
    factor in every code: InfoM and InfoC of perfect codes are 0. `infomec_distinct` is for these.
    Raises ValueError for codes that are not finite, for a factor of one value and for one whose
    values are all different.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    spread = np.ptp(codes.astype(np.float64), axis=0)
    active = spread > (0 if discrete else spread.max() / 20)
    return _infomec(codes, factors, active, discrete, neighbors)


@register("infomec_distinct", of="codes", suffix="_distinct")
def infomec_distinct(
    codes: Num[np.ndarray, "n z"], factors: Int[np.ndarray, "n f"], *, neighbors: int = 10
) -> dict[str, float]:
    """InfoMEC of the different points: one drawn more than once counts once, in all three.

    All else as in `infomec` of continuous codes, which it equals where no point repeats. The
    authors keep repeats, and few are enough to matter where there is little to know: the 72 among
    10,000 draws from dSprites lower InfoM of ten codes of noise by .08. Also raises ValueError
    where no two different points have a value of some factor in common.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    _, first = np.unique(np.hstack([codes, factors]), axis=0, return_index=True)
    first.sort()
    for j, factor in enumerate(factors[first].T):
        if len(np.unique(factor)) == len(first):
            raise ValueError(
                f"factors must give two different points one value, found {len(first)} "
                f"different points and as many values in column {j}"
            )
    return infomec(codes[first], factors[first], neighbors=neighbors)


@register("infomec_training", of="codes", suffix="_training")
def infomec_training(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    *,
    discrete: bool = False,
    neighbors: int = 3,
) -> dict[str, float]:
    """InfoMEC as the authors' runs log it: active above 1/8 of the largest range, 3 neighbours.

    All else as in `infomec`. The rule is the same for discrete codes.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    spread = np.ptp(codes.astype(np.float64), axis=0)
    return _infomec(codes, factors, spread > spread.max() / 8, discrete, neighbors)


@register("infomec_tripod", of="codes", suffix="_tripod")
def infomec_tripod(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    *,
    discrete: bool = False,
    neighbors: int = 10,
) -> dict[str, float]:
    """InfoMEC as in Tripod (Hsu et al., ICML 2024): active by the range between quartiles.

    Active codes have an interquartile range above 1/10 of the largest, discrete ones above 0.1
    (in units of codes in [−1, 1]): a code that has one value three times out of four is not active.
    All else as in `infomec`.
    """
    codes, factors = check_codes_and_factors(codes, factors)
    spread = np.subtract(*np.percentile(codes, [75, 25], axis=0))
    active = spread > (0.1 if discrete else spread.max() / 10)
    return _infomec(codes, factors, active, discrete, neighbors)


def _infomec(codes, factors, active, discrete, neighbors):
    if not active.any():
        return {"infom": 0.0, "infoc": 0.0, "infoe": 0.0}
    shares = normalized_information(codes[:, active], factors, discrete, neighbors)
    return {
        "infom": dominance(shares),
        "infoc": dominance(shares.T),
        "infoe": explicitness(one_hot(codes) if discrete else standardized(codes), factors),
    }


def normalized_information(
    codes: Num[np.ndarray, "n z"], factors: Int[np.ndarray, "n f"], discrete: bool, neighbors: int
) -> Float[np.ndarray, "z f"]:
    """N: the share of each factor's entropy that each code knows; may exceed 1 a little."""
    if discrete:
        return mutual_information(codes, factors) / entropy(factors)
    return knn_information(codes, factors, neighbors=neighbors) / entropy(factors)


def dominance(shares: Float[np.ndarray, "a b"]) -> float:
    """The largest entry's part in each row, from 0 (all equal) to 1 (one alone), averaged.

    A row of zeros is 0; in one column all there is stands alone.
    """
    columns = shares.shape[1]
    if columns == 1:
        return 1.0
    total = shares.sum(axis=1)
    part = shares.max(axis=1) / np.where(total > 0, total, 1)
    return float(np.mean(np.where(total > 0, (part - 1 / columns) / (1 - 1 / columns), 0)))


def explicitness(inputs: Float[np.ndarray, "n d"], factors: Int[np.ndarray, "n f"]) -> float:
    """InfoE: how much less than that of no inputs is the cross-entropy, on the points fitted to."""
    scores = []
    for factor in factors.T:
        # No penalty, and values weigh the same whatever their frequency: a classifier without
        # inputs finds them all as likely, so its cross-entropy is log K.
        classifier = LogisticRegression(C=np.inf, class_weight="balanced")
        with warnings.catch_warnings():
            # Scored wherever the 100 iterations of the authors' settings end.
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(inputs, factor)
        loss = log_loss(factor, classifier.predict_proba(inputs))
        scores.append(1 - loss / np.log(len(classifier.classes_)))
    return float(np.mean(scores))


def standardized(codes: Num[np.ndarray, "n z"]) -> Float[np.ndarray, "n z"]:
    """Codes of mean 0 and variance 1; a constant one is 0."""
    codes = codes.astype(np.float64)
    varies = np.ptp(codes, axis=0) > 0
    return np.where(varies, codes - codes.mean(axis=0), 0) / np.where(varies, codes.std(axis=0), 1)


def one_hot(codes: Shaped[np.ndarray, "n z"]) -> Float[np.ndarray, "n d"]:
    """A column for each value of each code, 1 where the code has it."""
    return np.hstack([code[:, None] == np.unique(code) for code in codes.T]).astype(np.float64)
