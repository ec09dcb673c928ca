"""The squared error of reconstructions: what a pixel is off by, whatever the likelihood.

1/d Σ_i (x_i − x̂_i)²,   x̂ = E[x | z = the mean of q(z|x)],   d pixels and channels
"""

import numpy as np

from . import asking
from .metric import Trained, register


@register("squared_error", of="trained")
def squared_error(
    trained: Trained, rng: np.random.Generator, *, cells: int = 1_000
) -> dict[str, float]:
    """How far are reconstructions from the images? Per pixel and channel; lower is better.

    The mean over `cells` drawn with replacement from the whole grid; where some were held out of
    training, `squared_error_held_out` is of as many of these. The code is the posterior's mean and
    the reconstruction the mean of the likelihood, so that runs of different likelihoods compare on
    one dataset; and it says nothing of what codes cost. An autoregressive decoder's mean is no
    reconstruction: it draws on from its own pixels. Raises ValueError for images and codes that are
    not finite.
    """
    found = {"squared_error": _error(trained, rng, asking.draw_cells(trained, rng, cells))}
    held_out = trained.representation.held_out
    if held_out is not None and len(held_out):
        found["squared_error_held_out"] = _error(trained, rng, rng.choice(held_out, size=cells))
    return found


def _error(trained, rng, drawn):
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    codes = np.asarray(asking.encode(trained, images).mean)
    return float(np.square(images - asking.decode(trained, codes), dtype=np.float64).mean())
