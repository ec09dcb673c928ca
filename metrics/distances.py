"""Distances: are images that are near by their factors near in pixels, to the loss, and in codes?
Michlo, Klein & James, "Overlooked Implications of the Reconstruction Loss for VAE Disentanglement",
IJCAI 2023, and their library, disent.

    factors  d(a, b) = Σ_k |v_k(a) − v_k(b)|            values are whole numbers, from 0
    pixels   d(a, b) = |x_a − x_b|²
    loss     d(a, b) = log p(x_a|μ_a) − log p(x_a|μ_b)  what it costs to take b for a
    codes    d(a, b) = |μ_a − μ_b|

The numbers are Spearman's ρ of two of them: over pairs of any cells, and (`_along`) over all pairs
of a line of cells that differ in one factor only, a mean over lines. A VAE whose codes overlap
confuses images at the price of its loss, and so it lays them out as that perceives them; where all
of a line's images are equally far apart, it has no reason to lay them out in their order.

    linear = max_i s_i / Σ s_i       s: singular values of a line's centred codes
    axis   = max_j σ_j / Σ σ_j       σ: deviations of a line's codes
"""

import numpy as np
from jaxtyping import Float, Int

from . import asking
from .correlation import spearman
from .metric import Trained, register

# Of distances as shares of the largest, which are of single precision: others are rounding.
DIGITS = 6


@register("distances", of="trained")
def distances(
    trained: Trained, rng: np.random.Generator, *, pairs: int = 2_000, lines: int = 20
) -> dict[str, float]:
    """Are images near in pixels, to the model's loss and in its codes where their factors are?

    `distance_pixels`, `distance_loss` and `distance_codes` are ρ with the distance of factors,
    `distance_codes_loss` of codes and loss; in [−1, 1], higher is better. Each is over `pairs` of
    cells drawn from the whole grid, and with `_along` over `lines` lines of every factor. That of
    pixels is a property of the dataset alone. Distances that are all equal have ρ = 0.

    `distance_linear` says how straight the codes of a line are, and `distance_axis` how far they
    go along one code alone; both means over lines, in [1/z, 1], and 0 for codes that do not move.

    Factors of fewer than three values have lines of one distance, and are left out of all numbers
    of lines; these are 0 where no factor is left. Factors without an order, like shapes, have
    distances that mean nothing. Raises ValueError for codes, images and densities
    that are not finite.
    """
    sizes, grid = trained.representation.factor_sizes, trained.representation.grid
    drawn = np.stack([asking.draw_cells(trained, rng, pairs) for _ in range(2)])
    along = [
        line for axis, n in enumerate(sizes) if n > 2 for line in _lines(grid, axis, lines, rng)
    ]
    ends = [line[np.stack(np.triu_indices(len(line), 1))] for line in along]
    asked = np.concatenate([drawn, *ends], axis=1)
    cells, places = np.unique(asked, return_inverse=True)
    images = asking.observe(trained, cells, asking.draw_key(rng))
    codes = asking.encode(trained, images).mean
    measured = _measure(trained, cells, images, codes, *places.reshape(asked.shape))
    first, *others = np.split(measured, np.cumsum([pairs, *(pair.shape[1] for pair in ends)])[:-1])
    rho, rho_along = _correlations(first), _mean([_correlations(each) for each in others], 4)
    shape = _mean([_shape(codes[np.searchsorted(cells, line)]) for line in along], 2)
    names = "pixels", "loss", "codes", "codes_loss"
    found = dict(zip((f"distance_{name}" for name in names), rho, strict=True))
    found |= zip((f"distance_{name}_along" for name in names), rho_along, strict=True)
    found |= zip(("distance_linear", "distance_axis"), shape, strict=True)
    return {name: float(value) for name, value in found.items()}


def _lines(grid, axis, count, rng) -> Int[np.ndarray, "lines n"]:
    """The cells of lines along an axis of the grid, through cells that are drawn."""
    through = np.stack([rng.integers(n, size=count) for n in grid])
    lines = np.repeat(through[:, :, None], grid[axis], axis=2)
    lines[axis] = np.arange(grid[axis])
    return np.ravel_multi_index(tuple(lines), grid)


def _measure(trained, cells, images, codes, a, b) -> Float[np.ndarray, "pairs 4"]:
    """The distances, by factors, pixels, loss and codes, of pairs of these cells."""
    factors = trained.representation.factors(cells)
    by_factors = np.abs(factors[a] - factors[b]).sum(axis=1)
    flat = images.reshape(len(images), -1)
    blocks = [slice(start, start + 500) for start in range(0, len(a), 500)]
    by_pixels = np.concatenate(
        [np.square(flat[a[i]] - flat[b[i]], dtype=np.float64).sum(axis=1) for i in blocks]
    )
    own = asking.in_batches(trained.log_likelihood, images, codes)
    taken = np.concatenate(
        [asking.in_batches(trained.log_likelihood, images[a[i]], codes[b[i]]) for i in blocks]
    )
    if not (np.isfinite(own).all() and np.isfinite(taken).all()):
        raise ValueError("log p(x|z) must be finite, found NaN or infinity")
    by_loss = own[a].astype(np.float64) - taken
    by_codes = np.linalg.norm(codes[a].astype(np.float64) - codes[b], axis=1)
    found = np.stack([by_factors, by_pixels, by_loss, by_codes], axis=1)
    largest = np.abs(found).max(axis=0)
    return np.round(found / np.where(largest > 0, largest, 1), DIGITS)


def _correlations(measured):
    """ρ of pixels, loss and codes with factors, and of codes with the loss: [4]."""
    rho = spearman(measured, measured)
    return np.array([rho[1, 0], rho[2, 0], rho[3, 0], rho[3, 2]])


def _shape(codes):
    """How straight a line's codes are, and how far along one code alone: [2]."""
    centred = codes.astype(np.float64) - codes.mean(axis=0, dtype=np.float64)
    spread = np.linalg.svd(centred, compute_uv=False), centred.std(axis=0)
    return np.array([s.max() / s.sum() if s.sum() > 1e-6 else 0.0 for s in spread])


def _mean(rows, width):
    return np.mean(rows, axis=0) if rows else np.zeros(width)
