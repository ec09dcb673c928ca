"""The two parts of the KL term: Hoffman & Johnson, "ELBO surgery: yet another way to carve up the
variational evidence lower bound", NeurIPS 2016 workshop on approximate inference.

    E_x KL(q(z|x) ‖ p(z)) = I(x; z) + KL(q(z) ‖ p(z)),   q(z) = 1/N Σ_n q(z|x_n),   p(z) = N(0, I)
"""

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from . import asking
from .metric import Trained, register


@register("aggregate_posterior", of="trained")
def aggregate_posterior(
    trained: Trained, rng: np.random.Generator, *, cells: int = 1_000
) -> dict[str, float]:
    """How much do codes say of images, and how far are all codes together from the prior?

    `information_xz` is I(x; z), from 0, a posterior that has collapsed, to log N, images that are
    told apart by their codes: N is the number of cells drawn, without replacement, from the whole
    grid, so compare equal N. `aggregate_kl` is KL(q(z) ‖ p(z)) for the same N.
    Both in nats, estimates from one sample of q(z|x) an image, and as such at times below 0. Raises
    ValueError for posteriors that are not finite.
    """
    size = len(trained.representation.mean)
    drawn = rng.permutation(size)[:cells]
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    mean, log_var = (array.astype(np.float64) for array in asking.encode(trained, images))
    noise = rng.standard_normal(mean.shape)
    z = mean + np.exp(log_var / 2) * noise
    own = -0.5 * (noise**2 + log_var).sum(axis=1)  # log q(z|x), less a constant that all share
    aggregate = np.array([_log_mixture(one, mean, log_var) for one in z])
    prior = -0.5 * (z**2).sum(axis=1)
    return {
        "information_xz": float(np.mean(own - aggregate)),
        "aggregate_kl": float(np.mean(aggregate - prior)),
    }


def _log_mixture(
    z: Float[np.ndarray, " z"], mean: Float[np.ndarray, "n z"], log_var: Float[np.ndarray, "n z"]
) -> float:
    """log q(z), less the same constant."""
    density = -0.5 * ((z - mean) ** 2 * np.exp(-log_var) + log_var).sum(axis=1)
    return float(logsumexp(density) - np.log(len(mean)))
