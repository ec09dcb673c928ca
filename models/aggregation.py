"""One posterior from several that speak of the same latents, of a group's members or of a pair's.

product:  q(z) ∝ Π_i N(z; m_i, v_i)          1/v = Σ_i 1/v_i,  m = v Σ_i m_i / v_i
average:  q(z) = N(mean_i m_i, mean_i v_i)
"""

import math

import jax

from .posteriors import Gaussian


def product(q: Gaussian, axis: int) -> Gaussian:
    """The normalised product of densities along this axis; no prior is multiplied in."""
    mean = (jax.nn.softmax(-q.log_var, axis=axis) * q.mean).sum(axis=axis)
    return Gaussian(mean, -jax.nn.logsumexp(-q.log_var, axis=axis))


def average(q: Gaussian, axis: int) -> Gaussian:
    """The average of means, and that of variances, along this axis."""
    log_var = jax.nn.logsumexp(q.log_var, axis=axis) - math.log(q.log_var.shape[axis])
    return Gaussian(q.mean.mean(axis=axis), log_var)
