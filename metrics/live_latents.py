"""Live latents: Yeats, Liu, Womble & Li, "NashAE: Disentangling Representations Through Adversarial
Covariance Minimization", ECCV 2022.

latent j is live where max_x z_j − min_x z_j > 0.2, for codes in (0, 1)
"""

import numpy as np

from .metric import Representation, check_codes, register


@register("live_latents", of="representation")
def live_latents(representation: Representation, *, threshold: float = 0.2) -> dict[str, float]:
    """How many latents have a mean code that spans more than `threshold` over the grid?

    `live_latents` is their number, from 0 to that of all; `live_latents_per_factor` the same over
    the number of factors: 1 where there are as many, which says nothing of what they hold. The
    threshold is a fifth of what a sigmoid can say; codes of other models have other units, for
    which there is `active_units`. Raises ValueError for codes that are not finite.
    """
    mean = check_codes(representation.mean, "representation.mean")
    live = float((np.ptp(mean, axis=0) > threshold).sum())
    factors = len(representation.factor_sizes)
    return {"live_latents": live, "live_latents_per_factor": live / factors}
