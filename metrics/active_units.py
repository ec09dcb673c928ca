"""Active units: Burda, Grosse & Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016.

A_j = Var_x(E_q(z|x)[z_j]),  unit j is active where A_j > 0.01                   (section 5.2)
"""

import numpy as np

from .metric import Representation, check_codes, register


@register("active_units", of="representation")
def active_units(representation: Representation, *, threshold: float = 0.01) -> dict[str, float]:
    """The number of latents whose posterior mean varies by more than `threshold` over the grid.

    From 0, a posterior that has collapsed whole, to the number of latents. Raises ValueError for
    codes that are not finite.
    """
    mean = check_codes(representation.mean, "representation.mean")
    variance = mean.var(axis=0, dtype=np.float64)
    return {"active_units": float((variance > threshold).sum())}
