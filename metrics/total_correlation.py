"""The total correlation of codes: Watanabe, "Information theoretical analysis of multivariate
correlation", IBM Journal 1960, as of Chen et al., "Isolating Sources of Disentanglement in
Variational Autoencoders", NeurIPS 2018, section 4.

    TC = KL(q(z) ‖ Π_j q(z_j)) = E_q(z)[log q(z) − Σ_j log q(z_j)],   q(z) = 1/N Σ_n q(z|x_n)
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import logsumexp

from . import asking
from .metric import Trained, check_codes, register


@register("total_correlation", of="trained")
def total_correlation(
    trained: Trained, rng: np.random.Generator, *, cells: int = 10_000, samples: int = 500
) -> dict[str, float]:
    """How far sampled codes are from independent ones, in nats.

    `total_correlation` is 0 for independent codes. An estimate from so many samples of q(z), at
    times below 0; exact in q(z) where the grid has no more than `cells` cells, and of as many drawn
    ones where it has, too large then, since fewer images are easier to tell apart. Raises
    ValueError for posteriors that are not Gaussian or not finite.
    """
    drawn = rng.permutation(len(trained.representation.mean))[:cells]
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    posterior = asking.encode(trained, images)
    if not hasattr(posterior, "log_var"):
        raise ValueError(f"posteriors must be Gaussian, found {type(posterior).__name__}")
    check_codes(posterior.log_var, "encoded log_var")
    z, _ = asking.sample(posterior, asking.draw_key(rng))
    log_ratios = _log_ratios(z[:samples], posterior.mean, posterior.log_var)
    return {"total_correlation": float(np.mean(np.asarray(log_ratios, np.float64)))}


@jax.jit
def _log_ratios(z, mean, log_var):
    """log q(z) − Σ_j log q(z_j) [s] of the samples z [s, z], q(z) a mixture of n posteriors."""

    def of_one(z):
        squared = jnp.square(z[None] - mean) * jnp.exp(-log_var)
        log_density = -0.5 * (squared + log_var + math.log(2 * math.pi))  # [n, z]: of z_j given x_n
        log_joint = logsumexp(log_density.sum(axis=1)) - math.log(len(mean))
        return log_joint - (logsumexp(log_density, axis=0) - math.log(len(mean))).sum()

    return jax.lax.map(of_one, z)
