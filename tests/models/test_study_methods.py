"""The six methods of the study: each penalty against an independent formula in float64, and equal
to the VAE's at its neutral strength."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from soberlook import models
from soberlook.models import (
    DIPVAEI,
    DIPVAEII,
    AnnealedVAE,
    BetaTCVAE,
    BetaVAE,
    FactorVAE,
    State,
    Terms,
)
from soberlook.models.factor_vae import shuffle_columns
from soberlook.models.posteriors import Gaussian

B, Z = 6, 3


@pytest.fixture
def terms():
    """What a regularizer sees, with numbers that are not special."""
    rng = np.random.default_rng(0)
    mean, log_var, z = rng.standard_normal((3, B, Z)).astype(np.float32)
    q = Gaussian(jnp.array(mean), jnp.array(log_var))
    state = State(jnp.int32(30), {}, None)
    x, reconstruction = jnp.zeros((B, 4, 4, 1)), jnp.zeros(B)
    return Terms(state, x, q, jnp.array(z), reconstruction, {}, jax.random.key(0))


def in_numpy(terms):
    mean, log_var, z = (np.float64(a) for a in (*terms.posterior, terms.z))
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    return mean, log_var, z, kl


def penalty(model, terms):
    return float(jnp.mean(model.regularizer(terms)[0]))


def test_annealed_vae(terms):
    *_, kl = in_numpy(terms)
    model = AnnealedVAE(c_max=40, gamma=7, iteration_threshold=60)
    assert penalty(model, terms) == pytest.approx(7 * abs(kl - 40 * 30 / 60), rel=1e-5)
    late = terms._replace(state=terms.state.replace(step=jnp.int32(100)))
    assert penalty(model, late) == pytest.approx(7 * abs(kl - 40), rel=1e-5)
    below = AnnealedVAE(c_max=0.1, gamma=7, iteration_threshold=60)
    assert penalty(below, terms) == pytest.approx(7 * (kl - 0.05), rel=1e-5)


@pytest.mark.parametrize("cls", [DIPVAEI, DIPVAEII])
def test_dip_vae(cls, terms):
    mean, log_var, _, kl = in_numpy(terms)
    c = np.cov(mean.T, bias=True)
    if cls is DIPVAEII:
        c = c + np.diag(np.exp(log_var).mean(axis=0))
    expected = kl
    for i in range(Z):
        for j in range(Z):
            expected += 6 * (c[i, i] - 1) ** 2 if i == j else 2 * c[i, j] ** 2
    assert penalty(cls(lambda_od=2, lambda_d_factor=3), terms) == pytest.approx(expected, rel=1e-5)


def test_beta_tcvae(terms):
    mean, log_var, z, kl = in_numpy(terms)
    tc = 0
    for j in range(B):
        density = stats.norm(mean, np.exp(log_var / 2)).pdf(z[j])  # (b, z): of z_j under every x_i
        tc += np.log(density.prod(axis=1).sum()) - np.log(density.sum(axis=0)).sum()
    expected = kl + 3 * tc / B
    assert penalty(BetaTCVAE(beta=4), terms) == pytest.approx(expected, rel=1e-5)
    weighted = BetaTCVAE(beta=4, estimator="mws", images=100)
    expected += 3 * (Z - 1) * np.log(100 * B)
    assert penalty(weighted, terms) == pytest.approx(expected, rel=1e-5)


def test_total_correlation_estimate_tells_dependence():
    key = jax.random.key(1)
    z = jax.random.normal(key, (500, 2))
    dependent = jnp.stack([z[:, 0], z[:, 0] + 0.1 * z[:, 1]], axis=1)

    def estimate(mean):
        return models.beta_tcvae.total_correlation(mean, mean, jnp.full(mean.shape, -3.0))

    assert estimate(dependent) > estimate(z) + 1


@pytest.fixture
def step():
    x = jax.random.uniform(jax.random.key(1), (B, 4, 4, 1))
    return {"images": x, "second_images": x[::-1] ** 2}, jax.random.key(2)


def loss(model, batch, key):
    state = model.init(jax.random.key(0), batch)
    vae = BetaVAE(latents=Z).init(jax.random.key(0), batch)
    params = state.params if isinstance(model, BetaVAE) else vae.params
    return float(model.loss(params, state, batch, key)[0])


@pytest.mark.parametrize(
    "neutral",
    [
        AnnealedVAE(c_max=0, gamma=1, latents=Z),
        BetaTCVAE(beta=1, latents=Z),
        DIPVAEI(lambda_od=0, latents=Z),
        DIPVAEII(lambda_od=0, latents=Z),
        FactorVAE(gamma=0, latents=Z, discriminator_widths=(8,)),
    ],
    ids=lambda model: model.name,
)
def test_neutral_strength_is_the_vae(neutral, step):
    assert loss(neutral, *step) == pytest.approx(loss(BetaVAE(beta=1, latents=Z), *step), rel=1e-6)


def numpy_discriminator(params, z):
    """Logits [b, 2] in float64 from the weights alone; leaky ReLU with slope 0.2."""
    layers = [np.float64(layer["weights"]) for layer in params["params"].values()]
    h = np.float64(z)
    for i, weights in enumerate(layers):
        h = np.concatenate([h, np.ones((len(h), 1))], axis=1) @ weights
        if i < len(layers) - 1:
            h = np.where(h > 0, h, 0.2 * h)
    return h


@pytest.mark.parametrize("shuffled", ["same_batch", "second_batch"])
def test_factor_vae(shuffled, step):
    batch, key = step
    model = FactorVAE(gamma=5, latents=Z, discriminator_widths=(8, 7), shuffled=shuffled)
    assert ("second_images" in model.needs) == (shuffled == "second_batch")
    state = model.init(jax.random.key(0), batch)
    after, logs = model.update(state, batch, key)

    key_vae, key_shuffle, key_second = jax.random.split(key, 3)
    q, z = model.infer(state, batch["images"], key_vae)
    logits = numpy_discriminator(state.extra["discriminator"], z)
    tc = (logits[:, 0] - logits[:, 1]).mean()
    reconstruction = -float(model.decode(state, z).log_prob(batch["images"]).mean())
    expected = reconstruction + float(q.kl().mean()) + 5 * tc
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-5)

    if shuffled == "second_batch":
        _, z_other = model.infer(state, batch["second_images"], key_second)
    else:
        z_other = z
    other = numpy_discriminator(state.extra["discriminator"], shuffle_columns(key_shuffle, z_other))
    expected = 0.5 * np.logaddexp(0, logits[:, 1] - logits[:, 0]).mean()
    expected += 0.5 * np.logaddexp(0, other[:, 0] - other[:, 1]).mean()
    assert float(logs["discriminator_loss"]) == pytest.approx(expected, rel=1e-5)
    before, now = (jax.tree.leaves(s.extra["discriminator"]) for s in (state, after))
    assert all((a != b).any() for a, b in zip(before, now, strict=True))


def test_shuffling_keeps_each_columns_values_and_breaks_rows_apart():
    z = np.arange(200.0).reshape(50, 4)
    shuffled = np.asarray(shuffle_columns(jax.random.key(1), jnp.array(z)))
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), z)
    rows = shuffled // 4  # where each value came from
    assert all((rows[:, i] != rows[:, j]).mean() > 0.8 for i in range(4) for j in range(i))


def test_the_discriminators_gradient_does_not_reach_the_encoder(step):
    batch, key = step
    still = FactorVAE(gamma=5, latents=Z, discriminator_widths=(8,), learning_rate=0)
    state = still.init(jax.random.key(0), batch)
    after, _ = still.update(state, batch, key)
    for a, b in zip(jax.tree.leaves(state.params), jax.tree.leaves(after.params), strict=True):
        np.testing.assert_array_equal(a, b)
    # Nor does the discriminator's learning rate show in the encoder's update.
    fast, slow = (
        FactorVAE(gamma=5, latents=Z, discriminator_widths=(8,), discriminator_learning_rate=rate)
        for rate in (0.1, 0.0)
    )
    a, b = (m.update(state, batch, key)[0].params for m in (fast, slow))
    assert jax.tree.all(jax.tree.map(lambda x, y: (x == y).all(), a, b))


def test_sweeps_are_the_studys():
    expected = {
        "annealed_vae": ("c_max", (5, 10, 25, 50, 75, 100)),
        "beta_tcvae": ("beta", (1, 2, 4, 6, 8, 10)),
        "beta_vae": ("beta", (1, 2, 4, 6, 8, 16)),
        "dip_vae_i": ("lambda_od", (1, 2, 5, 10, 20, 50)),
        "dip_vae_ii": ("lambda_od", (1, 2, 5, 10, 20, 50)),
        "factor_vae": ("gamma", (10, 20, 30, 40, 50, 100)),
    }
    for name, (strength, values) in expected.items():
        cls = models.MODELS[name]
        assert (models.strength_name(cls), models.sweep(cls)) == (strength, values)
    assert DIPVAEI().lambda_d_factor == 10 and DIPVAEII().lambda_d_factor == 1
    assert AnnealedVAE().gamma == 1000 and AnnealedVAE().iteration_threshold == 100_000
