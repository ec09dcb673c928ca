"""Swapping: the content of one image with the style of another, as in Bouchacourt, Tomioka &
Nowozin, "Multi-Level Variational Autoencoder", AAAI 2018, figure 3, which shows pictures.

    x̂ = decode([c(x_a), s(x_b)]),  v(x_a) ≠ v(x_b)
    swap_accuracy = P[v(x̂) = v(x_a)],   swap_leak = P[v(x̂) = v(x_b)]
    v(x̂): the value of the image of the dataset that is nearest to x̂

c is the part of the code that is to hold the factor of values v; s is all that is left.
"""

import numpy as np
from jaxtyping import Float, Int

from . import asking
from .content import check_parts
from .metric import Trained, register


@register("swap", of="trained")
def swap(
    trained: Trained, rng: np.random.Generator, *, pairs: int = 512, references: int = 8_192
) -> dict[str, float]:
    """Does an image change its value, and no more, when it is given another one's content?

    For models that say which part of a code is to hold a factor. `swap_accuracy`, the share of
    decoded images that show the value of the image that gave the content, higher is better;
    `swap_leak`, the share that show the value of the one that gave the style, lower is better;
    both in [0, 1], and 1/K of K values for a decoder that draws any. `swap_reconstruction` is the
    accuracy where one image gives both, which is what there is to reach. Means over factors, where
    several have a part.

    `pairs` are drawn from the whole grid, and differ in their value. Values are those of the
    nearest among at most `references` images, in squared distance of pixels: where images blur, one
    of another place may be nearer. Raises ValueError where the code has no parts, where all cells
    have one value, and for codes and images that are not finite.
    """
    check_parts(trained)
    size, key = len(trained.representation.mean), asking.draw_key(rng)
    known = rng.permutation(size)[:references]
    shown = asking.observe(trained, known, key)
    found = []
    for factor, part in trained.parts.items():
        values = trained.representation.factors(np.arange(size))[:, factor]
        a = asking.draw_cells(trained, rng, pairs)
        b = _of_other_values(rng, values, a)
        own, style = (asking.encode(trained, asking.observe(trained, x, key)).mean for x in (a, b))
        swapped = np.array(style)
        swapped[:, part] = own[:, part]
        told, kept = (
            values[known][nearest(asking.decode(trained, z), shown)] for z in (swapped, own)
        )
        right = told == values[a], told == values[b], kept == values[a]
        found.append(np.mean(right, axis=1))
    accuracy, leak, reconstruction = map(float, np.mean(found, axis=0))
    return {"swap_accuracy": accuracy, "swap_leak": leak, "swap_reconstruction": reconstruction}


def nearest(
    images: Float[np.ndarray, "n *x"], others: Float[np.ndarray, "m *x"]
) -> Int[np.ndarray, " n"]:
    """The number of the other image that is nearest to each, in squared distance."""
    images, others = (a.reshape(len(a), -1).astype(np.float64) for a in (images, others))
    return (np.square(others).sum(axis=1) - 2 * images @ others.T).argmin(axis=1)


def _of_other_values(rng, values, cells):
    """A cell for each of these, drawn among those of other values."""
    order, counts = np.argsort(values, kind="stable"), np.bincount(values)
    if counts.max() == len(values):
        raise ValueError("values must be two at least, found one")
    # From the place behind those of the own value, around the circle, to that before them.
    behind, others = np.cumsum(counts)[values[cells]], len(values) - counts[values[cells]]
    return order[(behind + rng.integers(others)) % len(values)]
