"""Unfairness of predictions: Locatello, Abbati, Rainforth, Bauer, Schölkopf & Bachem, "On the
Fairness of Disentangled Representations", NeurIPS 2019, section 4.

    unfairness = 1/(F (F − 1)) Σ_i Σ_{j ≠ i} 1/K_j Σ_c TV(p_ij, p_ijc)
    p_ijc(y) = p(ŷ_i = y | do(v_j = c)),  p_ij = 1/K_j Σ_c p_ijc,  TV(p, q) = ½ Σ_y |p(y) − q(y)|
    ŷ_i: gradient-boosted trees' prediction of factor v_i;  v_j: the sensitive factor, of K_j values
"""

import math

import numpy as np
from jaxtyping import Float, Int

from .boosting import boost
from .interventions import check_grid, with_factor
from .metric import Representation, register


@register("unfairness", of="interventions", threaded=True)
def unfairness(
    representation: Representation,
    rng: np.random.Generator,
    *,
    points: int = 10_000,
    test_points: int = 100,
    seed: int = 0,
) -> dict[str, float]:
    """Do predictions of one factor change when another one, the sensitive one, is set by force?

    Codes [n, z] of the whole grid. All numbers are in [0, 1), lower is better. `unfairness` is the
    paper's: the mean total variation over a sensitive factor's values, and over all pairs of a
    predicted and a sensitive factor. `unfairness_max` is of the value that matters most, again a
    mean over pairs; `unfairness_worst_pair` the largest mean over values of any pair. Perfect codes
    have 0; a prediction that is another one for each of K sensitive values has 1 − 1/K.

    Traps. Predictions that ignore the codes are perfectly fair: constant codes have 0. Codes that
    know nothing but differ from cell to cell do not, because predictions jump with them; and a
    factor that is in no code is predicted by whatever its points have in common by chance, so that
    one perfect code of another factor makes it unfair. Scores fall with the number of points
    (rotated perfect codes of dSprites: .149 of 1,000, .127 of 10,000, ± .003 each), and towards 0
    on a grid that is small enough to be learnt by heart: never compare sizes.
    For a single factor none is sensitive, and all is 0.

    `points` are learnt from; `test_points` cells are given each value of each sensitive factor.
    `seed` draws among splits that are equally good. Takes little longer than DCI, some 10 s on two
    cores for 10 codes of dSprites. Raises ValueError for codes that are not finite and for a factor
    of one value.
    """
    mean, largest = unfairness_matrices(
        representation, rng, points=points, test_points=test_points, seed=seed
    )
    pairs = ~np.eye(len(mean), dtype=bool)
    if not pairs.any():
        return dict.fromkeys(("unfairness", "unfairness_max", "unfairness_worst_pair"), 0.0)
    return {
        "unfairness": float(mean[pairs].mean()),
        "unfairness_max": float(largest[pairs].mean()),
        "unfairness_worst_pair": float(mean[pairs].max()),
    }


def unfairness_matrices(
    representation: Representation,
    rng: np.random.Generator,
    *,
    points: int = 10_000,
    test_points: int = 100,
    seed: int = 0,
) -> tuple[Float[np.ndarray, "f f"], Float[np.ndarray, "f f"]]:
    """Mean and largest total variation over the values of the sensitive factor, a column each.

    Rows are predicted factors; the diagonal, where that is the sensitive one, is no unfairness.
    """
    codes, sizes = check_grid(representation), representation.factor_sizes
    grid = representation.grid
    train = rng.integers(len(codes), size=points)
    forced = []
    for j, size in enumerate(sizes):
        # The study's library draws other cells for each predicted factor; here they share them.
        cells = rng.integers(len(codes), size=test_points)
        values = np.arange(size) * math.prod(grid[j + 1 :])  # a cell of each value
        forced.append(with_factor(grid, cells, np.array(j), values[:, None]))
    asked = np.concatenate([cells.ravel() for cells in forced])
    fit = boost(codes[train], representation.factors(train), codes[asked], seed=seed)
    borders = np.cumsum([cells.size for cells in forced])[:-1]
    mean, largest = np.empty((2, len(sizes), len(sizes)))
    for j, said in enumerate(np.split(fit.predicted, borders)):
        for i, own in enumerate(said.T):
            variation = total_variation(own.reshape(forced[j].shape))
            mean[i, j], largest[i, j] = variation.mean(), variation.max()
    return mean, largest


def total_variation(said: Int[np.ndarray, "k n"]) -> Float[np.ndarray, " k"]:
    """TV of the predictions in each row and of those in all; rows are sensitive values."""
    counts = (said[..., None] == np.unique(said)).sum(axis=1)
    # Whole numbers, so that equal distributions are at a distance of exactly 0.
    apart = np.abs(len(said) * counts - counts.sum(axis=0)).sum(axis=-1)
    return apart / (2 * said.size)
