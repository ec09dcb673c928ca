"""Live latents: Yeats, Liu, Womble & Li, "NashAE: Disentangling Representations Through Adversarial
Covariance Minimization", ECCV 2022.

latent j is live where max_x z_j − min_x z_j > 0.2, for codes in (0, 1)
"""

import numpy as np

from .metric import Representation, register


@register("live_latents", of="representation")
def live_latents(representation: Representation, *, threshold: float = 0.2) -> dict[str, float]:
    """The number of latents whose mean code spans more than `threshold` over the grid.

    From 0 to the number of latents. The threshold is a fifth of what a sigmoid can say; codes of
    other models have other units, for which there is `active_units`.
    """
    return {"live_latents": float((np.ptp(representation.mean, axis=0) > threshold).sum())}
