"""Distances between the dataset's images and the model's: Fréchet's (Heusel, Ramsauer, Unterthiner,
Nessler & Hochreiter, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
Equilibrium", NIPS 2017) and the kernel distance (Bińkowski, Sutherland, Arbel & Gretton,
"Demystifying MMD GANs", ICLR 2018), of features φ with f entries.

    FD = |m₁ − m₂|² + tr(S₁ + S₂ − 2 (S₁^½ S₂ S₁^½)^½)      m, S: mean and covariance of φ
    KD = mean_{i≠j} k(φ_i, φ_j) + mean_{i≠j} k(φ'_i, φ'_j) − 2 mean_ij k(φ_i, φ'_j)
    k(a, b) = (a·b / f + 1)³

The features are not those of Inception but of the fixed random network in `random_features.py`, so
none of these numbers may be called FID or KID, or be compared with published ones.
"""

import numpy as np
from jax.tree_util import Partial
from jaxtyping import Float

from . import asking
from .metric import Trained, register
from .random_features import random_features, weights


@register("frechet", of="trained", version=2)
def frechet(trained: Trained, rng: np.random.Generator, *, cells: int = 5_000) -> dict[str, float]:
    """How far are the images that the model makes from those of the dataset, as distributions?

    `frechet_distance_random_features` and `kernel_distance_random_features` of decoded draws of
    the model's prior, and both under `…_reconstruction` of decoded posterior means. What is decoded
    is the mean of p(x|z). Lower is better; FD ≥ 0, and KD, which is unbiased, is about 0 for equal
    distributions and may be below. Features are centred and scaled to deviation 1 over the
    dataset's images, so that a model of one single image has FD ≥ f = 64 and a perfect one about
    0.15: FD of finite samples is biased upwards by about 1/`cells`, so compare equal numbers only.
    The three sets are of `cells` images each; those of the dataset and those to be reconstructed
    are separate draws with replacement from the whole grid. Raises
    ValueError for fewer than two cells, and for codes and images that are not finite. Without a
    prior, as of an encoder that gives points, the first two are NaN.
    """
    if cells < 2:
        raise ValueError(f"cells must be two at least, found {cells}")
    key = asking.draw_key(rng)
    images, others = (
        asking.observe_pictures(trained, asking.draw_cells(trained, rng, cells), key)
        for _ in range(2)
    )
    posterior = asking.encode(trained, others)
    prior = np.asarray(posterior.sample_prior(asking.draw_key(rng)))
    made = {"_reconstruction": asking.decode(trained, posterior.mean)}
    if not np.isnan(prior).all():
        made[""] = asking.decode(trained, prior)
    true = _features(images)
    centre, scale = true.mean(axis=0), true.std(axis=0)
    scale[scale < 1e-6] = 1
    true = (true - centre) / scale
    found = {f"{kind}_distance_random_features": np.nan for kind in ("frechet", "kernel")}
    for name, decoded in made.items():
        false = (_features(decoded) - centre) / scale
        distance = frechet_distance(true.mean(axis=0), _cov(true), false.mean(axis=0), _cov(false))
        found[f"frechet_distance_random_features{name}"] = distance
        found[f"kernel_distance_random_features{name}"] = kernel_distance(true, false)
    return found


@register("frechet_1000", of="trained", suffix="_1000")
def frechet_1000(trained: Trained, rng: np.random.Generator) -> dict[str, float]:
    """`frechet` with sets of 1,000 images, for studies of many runs: FD is biased by about 0.7."""
    return frechet(trained, rng, cells=1_000)


def frechet_distance(
    mean: Float[np.ndarray, " f"],
    covariance: Float[np.ndarray, "f f"],
    other_mean: Float[np.ndarray, " f"],
    other_covariance: Float[np.ndarray, "f f"],
) -> float:
    """FD, the squared 2-Wasserstein distance of two normal distributions; ≥ 0."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    squared = np.linalg.eigvalsh(root @ other_covariance @ root)
    roots = np.sqrt(np.maximum(squared, 0)).sum()  # below 0 by rounding only, as above
    spread = np.trace(covariance) + np.trace(other_covariance) - 2 * roots
    return max(0.0, float(np.square(mean - other_mean).sum() + spread))


def kernel_distance(features: Float[np.ndarray, "n f"], others: Float[np.ndarray, "m f"]) -> float:
    """KD, the unbiased estimate of the squared maximum mean discrepancy."""
    # The paper averages it over subsets of 1,000; all pairs at once have a smaller variance.
    return _pairs(features, features) + _pairs(others, others) - 2 * _pairs(features, others)


def _pairs(a, b, rows=500):
    """Mean of k over all pairs, without those of a point and itself where a is b."""
    total = sum(_kernel(a[i : i + rows] @ b.T, a).sum() for i in range(0, len(a), rows))
    if a is not b:
        return float(total / (len(a) * len(b)))
    itself = _kernel(np.square(a).sum(axis=1), a).sum()
    return float((total - itself) / (len(a) * (len(a) - 1)))


def _kernel(products, features):
    base = products / features.shape[1] + 1
    return base * base * base  # which NumPy computes many times faster than a power


def _features(images):
    network = Partial(random_features, weights=weights(images.shape[1:]))
    return asking.in_batches(network, images).astype(np.float64)


def _cov(features):
    return np.cov(features, rowvar=False)
