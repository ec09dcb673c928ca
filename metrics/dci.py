"""DCI: Eastwood & Williams, "A Framework for the Quantitative Evaluation of Disentangled
Representations", ICLR 2018, section 2.

    R_ij ≥ 0: importance of code i for predicting factor j
    D = Σ_i ρ_i (1 − H_F(R_i· / Σ_k R_ik)),  ρ_i = Σ_j R_ij / Σ R       H_b: entropy to base b
    C = Σ_j ρ'_j (1 − H_z(R_·j / Σ_k R_kj)), ρ'_j = Σ_i R_ij / Σ R
"""

import numpy as np
from jaxtyping import Float, Int, Num
from scipy.special import entr

from .boosting import boost
from .metric import Numbers, check_split, numbers, register


@register("dci", of="split", threaded=True)
@register("dci_100", of="split", points=100, suffix="_100", threaded=True)
@register("dci_1000", of="split", points=1_000, test_points=500, suffix="_1000", threaded=True)
@register(
    "dci_1000_rotated",
    of="split",
    codes="rotated",
    points=1_000,
    test_points=500,
    suffix="_1000_rotated",
    threaded=True,
)
@register("dci_disjoint", of="split", disjoint=True, suffix="_disjoint", threaded=True)
def dci(
    codes: Num[np.ndarray, "n z"],
    factors: Int[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Int[np.ndarray, "m f"],
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Is each code about one factor, is each factor in one code, and can factors be predicted?

    codes [n, z], factors [n, f] whole numbers, and m points to test on. `dci_disentanglement`,
    `dci_completeness`, `dci_informativeness` (accuracy on the test points) and
    `dci_informativeness_train`; all in [0, 1], higher is better. Codes that know nothing score
    about 0, and accuracies of chance. Codes of no importance have no weight, and with no importance
    at all D = C = 0; what is known is complete in a single code, and disentangled for a single
    factor. `seed` draws among splits that are equally good (D of 1,000 noisy points: ± .001).
    Scores grow with the number of points (noisy codes: D = .42 from 1,000, .61 from 10,000): never
    compare sizes. Raises ValueError for codes that are not finite and for a factor of one value.
    """
    codes, factors, test_codes, test_factors = check_split(codes, factors, test_codes, test_factors)
    # The paper uses lasso and random forests and reads R off them, with an error as I; the study
    # uses gradient-boosted trees with scikit-learn's settings, and an accuracy.
    fit = boost(codes, factors, test_codes, seed=seed)
    return {
        "dci_disentanglement": concentration(fit.importance),
        "dci_completeness": concentration(fit.importance.T),
        "dci_informativeness": float(np.mean(fit.predicted == test_factors)),
        "dci_informativeness_train": float(np.mean(fit.fitted == factors)),
    }


def concentration(importance: Float[np.ndarray, "*runs a b"]) -> Numbers:
    """1 − entropy of the rows to base b, averaged with the rows' sums as weights."""
    weight = importance.sum(axis=-1)
    total = weight.sum(axis=-1)
    weighted = (row_concentration(importance) * weight).sum(axis=-1)
    return numbers(weighted / np.where(total > 0, total, 1))


def row_concentration(importance: Float[np.ndarray, "*runs a b"]) -> Float[np.ndarray, "*runs a"]:
    """1 − entropy of each row's shares to base b; 0 of a row of zeros."""
    total = importance.sum(axis=-1, keepdims=True)
    shares = np.maximum(importance / np.where(total > 0, total, 1), 0)  # rounding may be below
    # One column leaves no entropy, to whatever base.
    row = 1 - entr(shares).sum(axis=-1) / np.log(max(2, importance.shape[-1]))
    return np.where(total[..., 0] > 0, row, 0)
