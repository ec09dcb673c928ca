"""Nearest neighbours among codes: is an image's class that of the images with the closest codes?

Cover & Hart, "Nearest Neighbor Pattern Classification", IEEE Trans. Inf. Theory, 1967; on latent
codes, with k = 3, 5 and 10, in Nalisnick & Smyth, "Stick-Breaking Variational Autoencoders", ICLR
2017, section 6.
"""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from .metric import Representation, check_codes, register


@register("knn_error", of="interventions")
def knn_error(
    representation: Representation,
    rng: np.random.Generator,
    *,
    neighbours: tuple[int, ...] = (3, 5, 10),
    points: int = 5_000,
    test_points: int = 2_500,
) -> dict[str, float]:
    """How often is a factor not what most of the k nearest codes have?

    `knn_error_k` in [0, 1], the mean over factors; lower is better, and 1 − 1/s for each factor of
    s even values where codes know nothing. `knn_error_k_factor_j` is that of factor j, where there
    are several. Two thirds of the grid's cells are neighbours and the others are asked, at most
    `points` and `test_points`, all drawn without replacement: no cell is its own neighbour. Codes
    are not standardised: distances are those of the latent space. Ties go to the smaller value.
    Raises ValueError for codes that are not finite and for too few cells.
    """
    codes = check_codes(representation.mean)
    order = rng.permutation(len(codes))
    border = 2 * len(codes) // 3
    train, test = order[:border][:points], order[border:][:test_points]
    if len(train) < max(neighbours):
        raise ValueError(f"cells must be {max(neighbours)} at least, found {len(train)} to compare")
    factors = representation.factors(np.arange(len(codes)))
    search = NearestNeighbors(n_neighbors=max(neighbours), algorithm="brute").fit(codes[train])
    nearest = train[search.kneighbors(codes[test], return_distance=False)]
    found = {}
    for k in neighbours:
        wrong = [
            np.mean(_majority(column[nearest[:, :k]], size) != column[test])
            for column, size in zip(factors.T, representation.factor_sizes, strict=True)
        ]
        found[f"knn_error_{k}"] = float(np.mean(wrong))
        if len(wrong) > 1:
            found |= {f"knn_error_{k}_factor_{j}": float(error) for j, error in enumerate(wrong)}
    return found


def _majority(votes, size):
    """The most frequent of each row of whole numbers below `size`."""
    return (votes[:, :, None] == np.arange(size)).sum(axis=1).argmax(axis=1)
