"""The construction of the impossibility theorem: nothing that a likelihood sees changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook import models
from soberlook.metrics import METRICS, Representation, compute
from soberlook.metrics.rotation import rotate, rotation


@pytest.mark.parametrize("size", [1, 2, 10])
def test_rotations_are_orthogonal_and_mix_everything(size):
    a = rotation(size, seed=3)
    np.testing.assert_allclose(a @ a.T, np.eye(size), atol=1e-12)
    assert np.abs(a).min() > 1e-4
    assert (rotation(size, seed=3) == a).all()
    assert size == 1 or (rotation(size, seed=4) != a).any()


def test_rotations_are_uniform():
    """Of all rotations and reflections: entries have mean 0, variance 1/z and no sign."""
    entries = np.stack([rotation(3, seed) for seed in range(4_000)])
    np.testing.assert_allclose(entries.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose((entries**2).mean(axis=0), 1 / 3, atol=0.02)


def test_the_other_model_has_the_same_likelihood_prior_and_divergence():
    """Encoder N(Aμ, AΣAᵀ) and decoder p(x | Aᵀz), beside a model as it is initialised."""
    x = jax.random.uniform(jax.random.key(0), (8, 16, 16, 1))
    model = models.make("beta_vae", network="mlp")
    state = model.init(jax.random.key(1), {"images": x})
    posterior = model.encode(state, x)
    mean, variance = np.asarray(posterior.mean), np.exp(posterior.log_var)
    z = np.asarray(posterior.sample(jax.random.key(2)))
    a = rotation(z.shape[1])
    other_mean, other_z = rotate(mean), rotate(z)
    assert other_mean.dtype == mean.dtype

    likelihood = model.decode(state, z).log_prob(x)
    other = model.decode(state, jnp.asarray(other_z @ a, jnp.float32)).log_prob(x)
    np.testing.assert_allclose(other, likelihood, rtol=1e-5)
    np.testing.assert_allclose((other_z**2).sum(axis=1), (z**2).sum(axis=1), rtol=1e-5)  # log p(z)
    for i in range(len(x)):  # KL(N(m, S) ‖ N(0, I)) with a full covariance
        s = a @ np.diag(variance[i]) @ a.T
        log_det = np.linalg.slogdet(s)[1]
        kl = 0.5 * (np.trace(s) + other_mean[i] @ other_mean[i] - len(s) - log_det)
        np.testing.assert_allclose(kl, posterior.kl()[i], rtol=1e-4)


def test_scores_of_rotated_codes_are_those_of_the_other_model():
    grid = (6, 7, 8)
    factors = np.indices(grid).reshape(3, -1).T.astype(np.float32)
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    nothing = np.zeros_like(codes)
    run = Representation(codes, nothing, nothing[:, 0], grid)
    (before,), (after,) = compute(METRICS["mig"], [run]), compute(METRICS["mig_rotated"], [run])
    by_hand = run._replace(mean=rotate(codes))
    draw = METRICS["mig_rotated"]._replace(codes="mean", suffix="")
    (expected,) = compute(draw, [by_hand])
    assert after == {"mig_rotated": expected["mig"]}
    assert before["mig"] > 0.9 and after["mig_rotated"] < 0.4
    other = compute(METRICS["mig_rotated"], [run], seed=1)[0]
    assert other != after  # another draw, another rotation
