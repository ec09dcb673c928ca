"""Ada-GVAE and Ada-ML-VAE: what a pair shares, by hand and in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import MiniSprites
from soberlook.models import AdaGVAE, AdaMLVAE, BetaVAE
from soberlook.models.posteriors import Gaussian
from soberlook.registry import BadInput

B, Z = 7, 5
CLASSES = [AdaGVAE, AdaMLVAE]
MODELS = [
    AdaGVAE(latents=Z),
    AdaMLVAE(latents=Z),
    AdaMLVAE(latents=Z, variance_scale=1),
    AdaGVAE(latents=Z, changed=2, known=True),
    AdaMLVAE(latents=Z, changed=1, known=True),
]


@pytest.fixture
def transparent(monkeypatch):
    """Models whose images are the mean and log-variance of their posterior."""
    for cls in CLASSES:
        monkeypatch.setattr(cls, "encode", lambda self, state, x: Gaussian(*jnp.split(x, 2, 1)))


def in_numpy(model, x):
    """Means and variances [2, b, z], and which are shared, one pair and latent after another."""
    mean, log_var = np.split(np.float64(x).reshape(2, -1, 2 * Z), 2, axis=2)
    variance = np.exp(log_var)
    shared = np.zeros(mean.shape[1:], bool)
    for i in range(mean.shape[1]):
        (m1, m2), (v1, v2) = mean[:, i].copy(), variance[:, i].copy()
        delta = 0.5 * (v1 / v2 + (m2 - m1) ** 2 / v2 - 1 + np.log(v2 / v1))
        if model.known:
            shared[i] = True
            shared[i, np.argsort(delta)[Z - model.changed :]] = False
        else:
            shared[i] = delta < (delta.max() + delta.min()) / 2
        if isinstance(model, AdaMLVAE):
            v = model.variance_scale * v1 * v2 / (v1 + v2)
            m = (m1 * v2 + m2 * v1) / (v1 + v2)
        else:
            m, v = (m1 + m2) / 2, (v1 + v2) / 2
        mean[:, i, shared[i]], variance[:, i, shared[i]] = m[shared[i]], v[shared[i]]
    return mean, variance, shared


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.name}-{m.changed}")
def test_what_is_shared_and_what_becomes_of_it(transparent, model):
    x = jax.random.normal(jax.random.key(0), (2 * B, 2 * Z))
    q, z = jax.jit(model.infer)(None, x, jax.random.key(1))
    mean, variance, shared = in_numpy(model, x)
    assert shared.any() and not shared.all()
    np.testing.assert_allclose(q.mean.reshape(2, B, Z), mean, atol=1e-5)
    np.testing.assert_allclose(np.exp(q.log_var).reshape(2, B, Z), variance, rtol=1e-4)
    first, second = np.split(np.asarray(z), 2)
    assert (first != second).all()  # samples are every image's own, also of what is shared


def test_one_far_latent_is_the_one_that_is_not_shared():
    delta = jnp.float32([[0.1, 9.0, 0.2, 0.0, 0.3]])
    for model in MODELS[:3]:
        np.testing.assert_array_equal(model.shared(delta)[0], [True, False, True, True, True])
    told = AdaGVAE(latents=Z, changed=2, known=True)
    np.testing.assert_array_equal(told.shared(delta)[0], [True, False, True, True, False])
    equal = told.shared(jnp.zeros((1, Z)))
    assert equal.sum() == Z - 2  # two are not, whichever


@pytest.mark.parametrize("scale, variance", [(2, 2 / 3), (1, 1 / 3)])
def test_a_product_by_hand(transparent, scale, variance):
    model = AdaMLVAE(latents=2, variance_scale=scale)
    x = jnp.float32([[1, 9, 0, 0], [3, -9, jnp.log(0.5), 0]])  # the second latent differs more
    q, _ = jax.jit(model.infer)(None, x, jax.random.key(0))
    np.testing.assert_allclose(q.mean, [[7 / 3, 9], [7 / 3, -9]], rtol=1e-6)
    np.testing.assert_allclose(np.exp(q.log_var), [[variance, 1], [variance, 1]], rtol=1e-5)


@pytest.fixture
def pairs():
    first, second = jax.random.uniform(jax.random.key(1), (2, B, 4, 4, 1))
    return {"first": first, "second": second}


@pytest.mark.parametrize("model", MODELS[::4], ids=lambda m: m.name)
def test_the_objective(model, pairs):
    key, batch = jax.random.key(2), {"pairs": pairs}
    state = jax.jit(model.init)(jax.random.key(0), batch)
    x = jnp.concatenate([pairs["first"], pairs["second"]])
    encoded = jnp.concatenate(jax.jit(model.encode)(state, x), axis=1)
    mean, variance, shared = in_numpy(model, encoded)
    kl = 0.5 * (mean**2 + variance - np.log(variance) - 1).sum() / (2 * B)
    _, z = jax.jit(model.infer)(state, x, key)
    logits = np.float64(jax.jit(model.decode)(state, z).logits)
    reconstruction = (np.logaddexp(0, logits) - np.float64(x) * logits).sum() / (2 * B)
    loss, logs = jax.jit(model.loss)(state.params, state, batch, key)
    assert float(loss) == pytest.approx(reconstruction + 4 * kl, rel=1e-5)
    assert float(logs["shared"]) == pytest.approx(shared.sum(axis=1).mean())


def test_two_equal_images_are_those_of_a_beta_vae(pairs):
    """Nothing differs less than anything else: nothing is aggregated."""
    x, key = pairs["first"], jax.random.key(2)
    batch = {"pairs": {"first": x, "second": x}, "images": jnp.concatenate([x, x])}
    state = jax.jit(AdaGVAE(latents=Z).init)(jax.random.key(0), batch)
    expected, _ = jax.jit(BetaVAE(latents=Z).loss)(state.params, state, batch, key)
    for cls in CLASSES:
        loss, logs = jax.jit(cls(latents=Z).loss)(state.params, state, batch, key)
        assert float(loss) == pytest.approx(float(expected), rel=1e-6) and logs["shared"] == 0
    # An average of equal ones is each of them; told that one differs, all others are averaged.
    told = AdaGVAE(latents=Z, changed=1, known=True)
    told, logs = jax.jit(told.loss)(state.params, state, batch, key)
    assert float(told) == pytest.approx(float(expected), rel=1e-6) and logs["shared"] == Z - 1


def test_what_is_shared_reaches_both_images_and_the_rest_its_own(transparent):
    model = AdaMLVAE(latents=Z)
    x = jax.random.normal(jax.random.key(0), (2 * B, 2 * Z))
    shared = in_numpy(model, x)[2]
    jacobian = jax.jit(jax.jacobian(lambda x: model.infer(None, x, jax.random.key(1))[0].mean))(x)
    assert np.isfinite(jacobian).all()
    for i in range(B):
        other = np.diag(jacobian[i, :, B + i, :Z]) != 0
        np.testing.assert_array_equal(other, shared[i])
        assert (np.diag(jacobian[i, :, i, :Z]) != 0).all()


def test_bad_pairs_are_one_line_before_training():
    for wrong in (0, 10, 11):
        with pytest.raises(BadInput, match=f"≥ 1 and < 10, the latents, found {wrong}"):
            AdaGVAE(changed=wrong, known=True).check(MiniSprites())
    for rule in ("at_most", "one_or_k"):
        with pytest.raises(BadInput, match=f"where known, rule must be 'exactly', found '{rule}'"):
            AdaGVAE(changed=2, known=True, rule=rule).check(MiniSprites())
        AdaGVAE(changed=2, rule=rule).check(MiniSprites())
    AdaMLVAE(changed=9, known=True).check(None)
    with pytest.raises(BadInput, match="variance_scale must be a finite number ≥ 1 and ≤ 2"):
        AdaMLVAE(variance_scale=0.5)
