"""R_s: what few labels ask of the codes of their images, code j being that of factor j.

Locatello et al., "Disentangling Factors of Variation Using Few Labels", ICLR 2020, section 3.

    xent        Σ_j BCE(sigmoid(μ_j), y_j / K_j)
    l2          Σ_j (b μ_j − y_j)²                     b learned
    l2_sigmoid  Σ_j (sigmoid(μ_j) − y_j / K_j)²
    cov         Σ_{i≠j} Cov[μ_i, y_j]²                 all codes i, also those of no factor
    embed       Σ_j −log softmax_k(−σ² (μ_j − e_jk)²) at k = y_j      e and σ learned

y_j is one of 0, …, K_j − 1, so that y / K never is 1, as in the public code. Any other number says
that the factor was not observed in this image. Each is a mean over the images that a factor was
observed in; the public code takes sums over its batch of 64 but in cov and embed, so that one γ_sup
there is 64 here. And its l2_sigmoid, by its shapes, compares all pairs of images.
"""

import jax
import jax.numpy as jnp


def xent(mu, y, sizes, learned):
    del learned
    logits = mu[:, : y.shape[1]]
    v = y / sizes
    bce = jnp.maximum(logits, 0) - logits * v + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return _mean_of_observed(bce, y, sizes)


def l2(mu, y, sizes, learned):
    scaled = mu[:, : y.shape[1], None] @ learned["scale"]  # a product: see `networks.Dense`
    return _mean_of_observed(jnp.square(scaled[..., 0] - y), y, sizes)


def l2_sigmoid(mu, y, sizes, learned):
    del learned
    return _mean_of_observed(jnp.square(jax.nn.sigmoid(mu[:, : y.shape[1]]) - y / sizes), y, sizes)


def cov(mu, y, sizes, learned):
    del learned
    seen = observed(y, sizes).astype(jnp.float32)
    share = seen / jnp.maximum(seen.sum(axis=0, keepdims=True), 1)
    centred = y - (share * y).sum(axis=0, keepdims=True)
    # Σ_b share (μ − E μ)(y − E y), E over the same images: E μ goes, as y − E y has mean 0.
    covariance = mu.T @ (share * centred)
    return jnp.sum(jnp.square(covariance * (1 - jnp.eye(*covariance.shape))))


def embed(mu, y, sizes, learned):
    e, sigma = learned["embedding"], learned["sigma"]  # [f, k], []
    m = mu[:, : y.shape[1]]
    powers = jnp.stack([m**2, m, jnp.ones_like(m)], axis=2)  # a product again
    weights = jnp.stack([-jnp.ones_like(e), 2 * e, -(e**2)], axis=1) * sigma**2
    logits = jnp.einsum("bfc,fck->bfk", powers, weights)
    there = jnp.arange(e.shape[1])[None, None] < sizes[..., None]
    log_p = jax.nn.log_softmax(jnp.where(there, logits, -jnp.inf))
    at = jnp.where(observed(y, sizes), y, 0)
    picked = jnp.take_along_axis(log_p, at[..., None], axis=2)[..., 0]
    return _mean_of_observed(-picked, y, sizes)


LOSSES = {"xent": xent, "l2": l2, "l2_sigmoid": l2_sigmoid, "cov": cov, "embed": embed}


def learned_by(name: str, key, factors: int, classes: int) -> dict:
    """The parameters that a loss learns, as they start; `classes`: no factor has more values."""
    if name == "l2":
        return {"scale": jnp.ones((1, 1))}
    if name == "embed":
        e = jax.random.normal(key, (factors, classes))
        return {"embedding": e, "sigma": jnp.float32(1)}
    return {}


def observed(y, sizes):
    """Which labels [b, f] are values of their factor."""
    return (y >= 0) & (y < sizes)


def _mean_of_observed(losses, y, sizes):
    seen = observed(y, sizes)
    total = jnp.where(seen, losses, 0).sum(axis=0)
    return (total / jnp.maximum(seen.sum(axis=0), 1)).sum()
