"""The two parts of the KL term: Hoffman & Johnson, "ELBO surgery: yet another way to carve up the
variational evidence lower bound", NeurIPS 2016 workshop on approximate inference.

    E_x KL(q(z|x) ‖ p(z)) = I(x; z) + KL(q(z) ‖ p(z)),   q(z) = 1/N Σ_n q(z|x_n)
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from . import asking
from .metric import Trained, register


@register("aggregate_posterior", of="trained", version=2)
def aggregate_posterior(
    trained: Trained, rng: np.random.Generator, *, cells: int = 1_000
) -> dict[str, float]:
    """How much do codes say of images, and how far are all codes together from the prior?

    `information_xz` is I(x; z), from 0, a posterior that has collapsed, to log N, images that are
    told apart by their codes: N is the number of cells drawn, without replacement, from the whole
    grid, so compare equal N. `aggregate_kl` is KL(q(z) ‖ p(z)) for the same N.
    Both in nats, estimates from one sample of q(z|x) an image, and as such at times below 0. Raises
    ValueError for posteriors without a density, as those of an encoder that gives points.
    """
    size = len(trained.representation.mean)
    drawn = rng.permutation(size)[:cells]
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    posterior = asking.encode(trained, images)
    z, _ = asking.sample(posterior, asking.draw_key(rng))
    # log q(z_n|x_m) − log p(z_n) [n, m]: all that is asked for are differences to log p(z).
    log_q = -np.asarray(_log_ratios(posterior, z), np.float64)
    asking.check_density(-np.diagonal(log_q))
    aggregate = logsumexp(log_q, axis=1) - np.log(len(drawn))
    return {
        "information_xz": float(np.mean(np.diagonal(log_q) - aggregate)),
        "aggregate_kl": float(np.mean(aggregate)),
    }


@jax.jit
def _log_ratios(posterior, z):
    """log p(z_n) − log q(z_n|x_m) [n, m]."""
    return jax.lax.map(lambda one: posterior.log_ratio(jnp.broadcast_to(one, z.shape)), z)
