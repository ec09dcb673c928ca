"""Which codes have collapsed: those the decoder does not read, and those that are always about 0.

Joo, Lee, Park & Moon, "Dirichlet Variational Autoencoder", Pattern Recognition 2020, tell the two
ways: decoder weight collapse, columns of the decoder's first layer with a norm of about 0, and
latent value collapse, codes whose mean over the data is.

    r_k = √ E_x ‖∂ decode(z) / ∂z_k‖² at z = μ(x),   m_k = E_x |μ_k(x)|
    weights: r_k < 1 % of max_j r_j,   values: m_k < 1 % of max_j m_j
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Float

from . import asking
from .metric import Trained, check_codes, register


@register("collapse", of="trained")
def collapse(
    trained: Trained, rng: np.random.Generator, *, cells: int = 256, threshold: float = 0.01
) -> dict[str, float]:
    """How many of the codes are dead, and of which kind?

    `collapsed_weights` and `collapsed_values` are the shares of the latents that fall below
    `threshold` of the largest, from 0 to 1; lower is better. `live_codes` is the number of those
    that do neither. The response r_k stands for the norm of a column, which it is, in pixels, for
    a decoder x = W z + b; of any other it is the column as the layers above carry it on to images,
    and where they ignore it, it is dead in spite of its norm. It is a derivative, so it grows where
    codes are small, as those of many pieces on a simplex are; shares are of one run's codes, and
    are not moved by it. Normal codes that have collapsed are about 0, too: they count as values.
    From `cells` drawn with replacement from the whole grid. Raises ValueError for codes and
    responses that are not finite. Where no code is read, all weights have collapsed, and so for
    values.
    """
    response, value = sizes(trained, rng, cells)
    dead_weights, dead_values = (a <= threshold * a.max() for a in (response, value))
    return {
        "collapsed_weights": float(dead_weights.mean()),
        "collapsed_values": float(dead_values.mean()),
        "live_codes": float(np.sum(~dead_weights & ~dead_values)),
    }


def sizes(
    trained: Trained, rng: np.random.Generator, cells: int = 256
) -> tuple[Float[np.ndarray, " z"], Float[np.ndarray, " z"]]:
    """r [z], of drawn cells, and m [z], of the whole grid."""
    drawn = asking.draw_cells(trained, rng, cells)
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    codes = np.asarray(asking.encode(trained, images).mean)
    squares = asking.in_batches(Partial(_responses, asking.as_argument(trained.decode)), codes)
    mean = check_codes(trained.representation.mean, "representation.mean")
    response = np.sqrt(check_codes(squares, "responses").mean(axis=0, dtype=np.float64))
    return response, np.abs(mean).mean(axis=0, dtype=np.float64)


def _responses(decode, codes):
    """‖∂ decode(z) / ∂z_k‖² [b, z], one direction at a time: images are larger than codes."""

    def along(direction):
        direction = jnp.broadcast_to(direction, codes.shape)
        _, moved = jax.jvp(decode, (codes,), (direction,))
        return jnp.square(moved).reshape(len(codes), -1).sum(axis=1)

    return jax.lax.map(along, jnp.eye(codes.shape[1])).T
