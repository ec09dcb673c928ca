"""The importance-weighted bound on the log-likelihood: Burda, Grosse & Salakhutdinov, "Importance
Weighted Autoencoders", ICLR 2016, section 3.

    L_K = E_{z_1..z_K ~ q(z|x)} log 1/K Σ_k w_k,   w_k = p(x|z_k) p(z_k) / q(z_k|x)
    p(z) = N(0, I)
    ELBO = L_1 ≤ L_K ≤ L_{K+1} ≤ log p(x)
"""

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from . import asking
from .metric import Trained, register


@register("iwae", of="trained")
def iwae(
    trained: Trained, rng: np.random.Generator, *, cells: int = 256, samples: int = 64
) -> dict[str, float]:
    """How likely are the images under the model? A bound from below, and how tight the ELBO is.

    `iwae_K` with K = `samples`, and `elbo`, both in nats per image, means over `cells` drawn with
    replacement from the whole grid, which runs were trained on: no claim about unseen images.
    Higher is better; `elbo` ≤ `iwae_K` always, because both are from the same samples, and their
    difference is at most KL(q(z|x) ‖ p(z|x)), the looseness of the ELBO. The bound rises with K and
    is tight where the weights hardly vary: compare equal K, and runs of one dataset and likelihood.
    A Bernoulli likelihood is a density of binary images only; with grey ones its numbers order
    runs but are no log-probabilities. Minus infinity where the model says an image is impossible.
    Raises ValueError for posteriors and likelihoods that are NaN.
    """
    log_w = log_weights(trained, rng, cells, samples)
    return {
        f"iwae_{samples}": float(np.mean(logsumexp(log_w, axis=1) - np.log(samples))),
        "elbo": float(log_w.mean()),
    }


def log_weights(
    trained: Trained, rng: np.random.Generator, cells: int, samples: int
) -> Float[np.ndarray, "n k"]:
    """log w of `samples` draws of q(z|x) for each of `cells` drawn images, in double precision."""
    if samples < 1:
        raise ValueError(f"samples must be one at least, found {samples}")
    drawn = asking.draw_cells(trained, rng, cells)
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    mean, log_var = asking.encode(trained, images)
    log_w = np.empty((cells, samples))
    for k in range(samples):
        noise = rng.standard_normal(mean.shape, dtype=np.float32)
        z = mean + np.exp(log_var / 2) * noise
        likelihood = asking.in_batches(trained.log_likelihood, images, z)
        # log p(z) − log q(z|x): the constants of the two normal densities are the same.
        ratio = 0.5 * (noise.astype(np.float64) ** 2 + log_var - z.astype(np.float64) ** 2)
        log_w[:, k] = likelihood + ratio.sum(axis=1)
    if np.isnan(log_w).any() or np.isposinf(log_w).any():
        raise ValueError("log-likelihoods must be numbers below infinity, found NaN or infinity")
    return log_w
