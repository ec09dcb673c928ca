"""Interpolation: is what is decoded between two codes what lies between the two images?

Berthelot, Raffel, Roy & Goodfellow, "Understanding and Improving Interpolation in Autoencoders via
an Adversarial Regularizer", ICLR 2019, section 4: what is decoded on the way from one code to
another should look like the data, and should move evenly from one end to the other. On a grid of
factors the image on the way is known. Cells a and b differ in factor k alone, v lies between them:

    x̂ = decode((1 − α) μ(x_a) + α μ(x_b)),   x̄ = (1 − α) x_a + α x_b,   α = (v − a) / (b − a)
    error_k = Σ ‖x̂ − x_v‖² / Σ ‖x̄ − x_v‖²
    distance_k = Σ min_u ‖x̂ − x_u‖² / Σ min_u ‖x̄ − x_u‖²,  u: all values of factor k
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from . import asking
from .interventions import with_factor
from .metric import Trained, register


@register("interpolation", of="trained")
def interpolation(
    trained: Trained, rng: np.random.Generator, *, cells: int = 512
) -> dict[str, float]:
    """Does the model interpolate between images as the factors do, or as a cross-fade does?

    Squared pixel errors in units of the cross-fade x̄ of the two images, so 0 is the true image,
    1 no better than fading one image into the other; ≥ 0, lower is better. `interpolation_error`
    asks for the true image at the right place, `interpolation_distance` for any true image of the
    line. `interpolation_reconstruction` is the error where x_v itself is encoded: the part that is
    no fault of the interpolation. All are means over factors, and `interpolation_error_k` is that
    of factor k: look at it where a factor has no order, such as shape, or is periodic. `cells`
    lines per factor, drawn with replacement from the whole grid; a, v
    and b are drawn among the values of the factor. Factors of fewer than three values, and those
    whose images a cross-fade gives (to 1 % of the way), are left out. Raises ValueError where no
    factor is left, and for codes and images that are not finite.
    """
    key = asking.draw_key(rng)
    by_factor = {}
    for factor, size in enumerate(trained.representation.factor_sizes):
        if size > 2:
            errors = _errors(trained, rng, key, factor, cells)
            # Below it the ratios would be 0 / 0, but for rounding.
            if min(errors.fade, errors.fade_nearest) > 1e-4 * errors.ends:
                by_factor[factor] = (
                    errors.decoded / errors.fade,
                    errors.nearest / errors.fade_nearest,
                    errors.reconstructed / errors.fade,
                )
    if not by_factor:
        raise ValueError("factors must have three values and images that no cross-fade gives")
    error, distance, reconstruction = np.mean(list(by_factor.values()), axis=0)
    return {
        "interpolation_error": float(error),
        "interpolation_distance": float(distance),
        "interpolation_reconstruction": float(reconstruction),
        **{f"interpolation_error_{k}": float(found[0]) for k, found in by_factor.items()},
    }


class _Errors(NamedTuple):
    """Sums of squares over the lines of one factor."""

    decoded: float  # ‖x̂ − x_v‖²
    nearest: float  # min_u ‖x̂ − x_u‖²
    reconstructed: float  # ‖decode(μ(x_v)) − x_v‖²
    fade: float  # ‖x̄ − x_v‖²
    fade_nearest: float  # min_u ‖x̄ − x_u‖²
    ends: float  # ‖x_a − x_b‖²


def _errors(trained, rng, key, factor, cells):
    size = trained.representation.factor_sizes[factor]
    grid = trained.representation.grid
    stride = math.prod(grid[factor + 1 :])  # value · stride is a cell of that value
    drawn = asking.draw_cells(trained, rng, cells)

    def images(values):
        """Those of the drawn cells with these values of the factor."""
        line = with_factor(grid, drawn, np.array(factor), np.asarray(values * stride))
        return asking.observe(trained, line, key)

    a, v, b = np.sort(rng.random((cells, size)).argsort(axis=1)[:, :3], axis=1).T
    x_a, x_v, x_b = map(images, (a, v, b))
    z_a, z_v, z_b = (asking.encode(trained, x).mean for x in (x_a, x_v, x_b))
    alpha = ((v - a) / (b - a))[:, None]
    decoded = asking.decode(trained, (1 - alpha) * z_a + alpha * z_b)
    reconstructed = asking.decode(trained, z_v)
    alpha = alpha.reshape(-1, *[1] * (x_a.ndim - 1))
    fade = (1 - alpha) * x_a + alpha * x_b
    nearest = np.full((2, cells), np.inf)
    for u in range(size):
        x_u = images(u)
        nearest = np.minimum(nearest, [_squares(decoded, x_u), _squares(fade, x_u)])
    return _Errors(
        decoded=_squares(decoded, x_v).sum(),
        nearest=nearest[0].sum(),
        reconstructed=_squares(reconstructed, x_v).sum(),
        fade=_squares(fade, x_v).sum(),
        fade_nearest=nearest[1].sum(),
        ends=_squares(x_a, x_b).sum(),
    )


def _squares(a, b) -> Float[np.ndarray, "..."]:
    """‖a − b‖² of images, over their last three axes."""
    return np.square(a - b, dtype=np.float64).reshape(len(a), -1).sum(axis=1)
