"""The parts of the evidence lower bound (Kingma & Welling, 2014), over every cell of the grid."""

import numpy as np

from .metric import Representation, register


@register("reconstruction", of="representation")
def reconstruction(representation: Representation) -> dict[str, float]:
    """E_q[−log p(x|z)], in nats per image; lower is better.

    One sample of q(z|x) per cell. What it can reach depends on the likelihood and the images:
    compare runs of one dataset and likelihood only.
    """
    return {"reconstruction": float(representation.reconstruction.mean(dtype=np.float64))}


@register("kl", of="representation")
def kl(representation: Representation) -> dict[str, float]:
    """KL(q(z|x) ‖ p(z)) in nats per image: `kl`, and `kl_0`, `kl_1`, … per latent; ≥ 0."""
    per_latent = representation.kl.mean(axis=0, dtype=np.float64)
    return {"kl": float(per_latent.sum())} | {f"kl_{j}": float(v) for j, v in enumerate(per_latent)}
