"""The importance-weighted bound on the log-likelihood: Burda, Grosse & Salakhutdinov, "Importance
Weighted Autoencoders", ICLR 2016, section 3.

    L_K = E_{z_1..z_K ~ q(z|x)} log 1/K Σ_k w_k,   w_k = p(x|z_k) p(z_k) / q(z_k|x)
    ELBO = L_1 ≤ L_K ≤ L_{K+1} ≤ log p(x)
"""

import jax
import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

from . import asking
from .metric import Trained, register


@register("iwae", of="trained", version=2)
def iwae(
    trained: Trained, rng: np.random.Generator, *, cells: int = 256, samples: int = 64
) -> dict[str, float]:
    """How likely are the images under the model? A bound from below, and how tight the ELBO is.

    `iwae_K` with K = `samples`, and `elbo`, both in nats per image, means over `cells` drawn with
    replacement from the whole grid: no claim about unseen images. Where some were held out of
    training, `iwae_K_held_out` and `elbo_held_out` are of as many of these.
    Higher is better; `elbo` ≤ `iwae_K` always, because both are from the same samples, and their
    difference is at most KL(q(z|x) ‖ p(z|x)), the looseness of the ELBO. The bound rises with K and
    is tight where the weights hardly vary: compare equal K, and runs of one dataset and likelihood.
    A Bernoulli likelihood is a density of binary images only; with grey ones its numbers order
    runs but are no log-probabilities. Minus infinity where the model says an image is impossible.
    p(z) is the model's own prior. Raises ValueError for posteriors without a density, as those of
    an encoder that gives points, and for likelihoods that are NaN.
    """
    found = bounds(trained, rng, asking.draw_cells(trained, rng, cells), samples)
    held_out = trained.representation.held_out
    if held_out is not None and len(held_out):
        unseen = bounds(trained, rng, rng.choice(held_out, size=cells), samples)
        found |= {f"{key}_held_out": value for key, value in unseen.items()}
    return found


def bounds(
    trained: Trained, rng: np.random.Generator, drawn: Int[np.ndarray, " n"], samples: int
) -> dict[str, float]:
    """`iwae_K` and `elbo` over the images of these cells."""
    log_w = log_weights(trained, rng, drawn, samples)
    return {
        f"iwae_{samples}": float(np.mean(logsumexp(log_w, axis=1) - np.log(samples))),
        "elbo": float(log_w.mean()),
    }


def log_weights(
    trained: Trained, rng: np.random.Generator, drawn: Int[np.ndarray, " n"], samples: int
) -> Float[np.ndarray, "n k"]:
    """log w of `samples` draws of q(z|x) for the image of each of these cells, in double
    precision."""
    if samples < 1:
        raise ValueError(f"samples must be one at least, found {samples}")
    images = asking.observe(trained, drawn, asking.draw_key(rng))
    posterior = asking.encode(trained, images)
    log_w = np.empty((len(drawn), samples))
    for k, key in enumerate(jax.random.split(asking.draw_key(rng), samples)):
        z, log_ratio = map(np.asarray, asking.sample(posterior, key))
        asking.check_density(log_ratio)
        log_w[:, k] = asking.in_batches(trained.log_likelihood, images, z)
        log_w[:, k] += log_ratio
    if np.isnan(log_w).any() or np.isposinf(log_w).any():
        raise ValueError("log-likelihoods must be numbers below infinity, found NaN or infinity")
    return log_w
