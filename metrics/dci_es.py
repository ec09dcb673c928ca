"""DCI-ES: Eastwood, Nicolicioiu, von Kügelgen, Kekić, Träuble, Dittadi & Schölkopf, "DCI-ES: An
Extended Disentanglement Framework with Connections to Identifiability", ICLR 2023, section 4.

    E = 1/F Σ_j E_j,  E_j = 1 − ∫ (ℓ_j(κ) − min ℓ_j) dκ / ½ (κ* − κ_0),  κ from κ_0 to κ*
    ℓ_j(κ) = min_{κ' ≤ κ} 1 − R²_j(κ'): the loss-capacity curve of factor j
    S = F / z

Capacity κ: linear ridge regression on the codes, then on the codes and 16, 32, …, 512 random
Fourier features cos(w·z), sin(w·z), w ~ N(0, 2/z) (Rahimi & Recht, NeurIPS 2007); one unit a step.
"""

import numpy as np
from jaxtyping import Float, Num
from scipy.linalg import solve

from .metric import register
from .regression import explained_variance, standardized_split

FEATURES = (0, 16, 32, 64, 128, 256, 512)  # of each capacity, next to the codes
RIDGE = 1e-4  # a point: penalty on squared weights of standardised codes


@register("dci_es", of="split", continuous=True)
def dci_es(
    codes: Num[np.ndarray, "n z"],
    factors: Num[np.ndarray, "n f"],
    test_codes: Num[np.ndarray, "m z"],
    test_factors: Num[np.ndarray, "m f"],
    *,
    seed: int = 0,
) -> dict[str, float]:
    """How simple a regressor reads the factors from the codes, and how few codes are there?

    codes [n, z], factors [n, f] real numbers, and m points to test on. `dci_es_explicitness` in
    [−1, 1], higher is better: 1 where a linear regressor is as good as any, about 0 where the loss
    falls evenly with each doubling of features, towards −1 where only the largest helps. It says
    nothing of how good that is: codes that know nothing have E = 1, so read it beside
    `dci_es_informativeness`, the largest R² on the curve, in [0, 1]. `dci_es_size` = f/z: 1 for as
    many codes as factors, less for more codes, dead ones too. Values of factors are numbers, as in
    `dci_lasso`. `seed` draws the features (E: ± .001). Raises ValueError for codes that are not
    finite and for a factor of one value.
    """
    # The paper adds Fourier features to nothing, trees and multilayer perceptrons to the linear
    # regressor; here E = 1 means the same as with the latter. It takes accuracy for factors
    # without order, which a metric of numbers cannot know.
    codes, factors, test_codes, test_factors = standardized_split(
        codes, factors, test_codes, test_factors
    )
    loss = loss_capacity_curve(codes, factors, test_codes, test_factors, seed=seed)
    return {
        "dci_es_explicitness": float(explicitness(loss).mean()),
        "dci_es_informativeness": float(1 - loss[-1].mean()),
        "dci_es_size": factors.shape[1] / codes.shape[1],
    }


def explicitness(loss: Float[np.ndarray, "capacities f"]) -> Float[np.ndarray, " f"]:
    """E_j of loss-capacity curves at evenly spaced capacities; 1 is the loss without codes."""
    return 1 - np.trapezoid(loss - loss[-1], axis=0) / (0.5 * (len(loss) - 1))


def loss_capacity_curve(
    codes: Float[np.ndarray, "n z"],
    factors: Float[np.ndarray, "n f"],
    test_codes: Float[np.ndarray, "m z"],
    test_factors: Float[np.ndarray, "m f"],
    *,
    seed: int = 0,
) -> Float[np.ndarray, "capacities f"]:
    """ℓ: the lowest 1 − R² at the test points up to each capacity, 1 at most."""
    alive = codes.any(axis=0)  # of standardised codes; the others would only change the draws
    codes, test_codes = codes[:, alive], test_codes[:, alive]
    width = np.sqrt(2 / max(1, codes.shape[1]))
    rng = np.random.default_rng(seed)
    frequencies = width * rng.standard_normal((max(FEATURES) // 2, codes.shape[1])).T
    x, test_x = (_fourier(part, frequencies) for part in (codes, test_codes))
    mean = x.mean(axis=0)
    x, test_x = x - mean, test_x - mean
    gram, moment = x.T @ x + RIDGE * len(x) * np.eye(x.shape[1]), x.T @ factors
    loss = [np.ones(factors.shape[1])]  # the mean of a factor predicts it as well as this
    for features in FEATURES:
        k = codes.shape[1] + features
        weights = solve(gram[:k, :k], moment[:k], assume_a="pos") if k else moment[:0]
        loss.append(1 - explained_variance(test_x[:, :k] @ weights, test_factors))
    return np.minimum.accumulate(loss)[1:]


def _fourier(codes, frequencies):
    """The codes, then cos(w·z) and sin(w·z) of each frequency in turn."""
    angles = codes @ frequencies
    waves = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.hstack([codes, waves.reshape(len(codes), -1)])
