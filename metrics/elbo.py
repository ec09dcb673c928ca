"""The parts of the evidence lower bound (Kingma & Welling, 2014), over every cell of the grid."""

import numpy as np

from .metric import Representation, register


@register("reconstruction", of="representation")
def reconstruction(representation: Representation) -> dict[str, float]:
    """E_q[−log p(x|z)], in nats per image; lower is better.

    One sample of q(z|x) per cell; `reconstruction_held_out` is of the cells that were held out of
    training, where some were. What it can reach depends on the likelihood and the images:
    compare runs of one dataset and likelihood only.
    """
    return {
        f"reconstruction{of}": float(representation.reconstruction[cells].mean(dtype=np.float64))
        for of, cells in _parts(representation)
    }


@register("kl", of="representation")
def kl(representation: Representation) -> dict[str, float]:
    """KL(q(z|x) ‖ p(z)) in nats per image: `kl`, and `kl_0`, `kl_1`, … per latent; ≥ 0.

    `kl_held_out` is of the cells that were held out of training, where some were.
    """
    per_latent = representation.kl.mean(axis=0, dtype=np.float64)
    total = {
        f"kl{of}": float(representation.kl[cells].mean(axis=0, dtype=np.float64).sum())
        for of, cells in _parts(representation)
    }
    return total | {f"kl_{j}": float(v) for j, v in enumerate(per_latent)}


def _parts(representation):
    """The cells of each number, behind the end of its name: all, and those that were held out."""
    yield "", slice(None)
    if representation.held_out is not None and len(representation.held_out):
        yield "_held_out", representation.held_out
