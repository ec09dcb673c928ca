"""Variances of Gaussian decoders: fixed, the most likely, predicted, and σ-VAE's; known answers of
probabilistic principal components (Tipping & Bishop, 1999)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, stats

from soberlook.models import ARELBO, BetaVAE, GaussianVAE, SigmaVAE
from soberlook.models.ar_elbo import PER_IMAGE, SHARED
from soberlook.registry import BadInput

B, SHAPE, D = 5, (2, 3, 1), 6
LINEAR = {"network": "linear", "latents": 2, "learning_rate": 0}


@pytest.fixture(scope="module")
def batch():
    return {"images": jax.random.uniform(jax.random.key(1), (B, *SHAPE))}


KEY = jax.random.key(2)


def start(model, batch):
    state = jax.jit(model.init)(jax.random.key(0), batch)
    rng = np.random.default_rng(0)

    def noise(leaf):
        return jnp.float32(rng.standard_normal(leaf.shape) / 3)

    return state.replace(params=jax.tree.map(noise, state.params))


def in_numpy(model, state, batch):
    """Residuals [b, d] and KL of the codes that the loss takes, in float64."""

    @jax.jit
    def look(state, x):
        q, z = model.infer(state, x, KEY)
        return q.mean, q.log_var, x - model.outputs_of(state, z)

    mean, log_var, r = map(np.float64, look(state, batch["images"]))
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    return r.reshape(B, D), kl


def negative_log_likelihood(r, variance):
    return -stats.norm(0, np.sqrt(variance)).logpdf(r).sum(axis=1).mean()


def test_the_loss_is_the_least_of_all_variances(batch):
    losses = {}
    for variance in SHARED:
        model = ARELBO(variance=variance, floor=0, **LINEAR)
        state = start(model, batch)
        after, logs = jax.jit(model.update)(state, batch, KEY)
        r, kl = in_numpy(model, state, batch)
        shape = D if variance == "diagonal" else 1
        least = optimize.minimize(
            lambda s, r=r: negative_log_likelihood(r, np.exp(s)), np.zeros(shape), tol=1e-12
        )
        losses[variance] = float(logs["loss"])
        assert losses[variance] == pytest.approx(least.fun + kl, rel=1e-5)
        np.testing.assert_allclose(after.extra["variance"].reshape(-1), np.exp(least.x), rtol=1e-3)
        # The form of public code, and its constants.
        squares = (r**2).mean(axis=0) if variance == "diagonal" else np.full(D, (r**2).mean())
        expected = 0.5 * np.log(squares).sum() + 0.5 * D * (1 + np.log(2 * np.pi)) + kl
        assert losses[variance] == pytest.approx(expected, rel=1e-5)
        assert float(logs["variance"]) == pytest.approx(squares.mean(), rel=1e-5)
    assert losses["diagonal"] < losses["iso"] - 0.01


@pytest.mark.parametrize("variance", SHARED)
def test_gradients_are_those_of_the_logarithm_and_weigh_the_kl_by_the_error(variance, batch):
    model = ARELBO(variance=variance, floor=0, **LINEAR)
    state = start(model, batch)
    vae = BetaVAE(likelihood="gaussian", **LINEAR)

    def logarithm(params):
        at = state.replace(params=params)
        q, z = model.infer(at, batch["images"], KEY)
        squares = jnp.square(batch["images"] - model.outputs_of(at, z)).mean(axis=0)
        squares = squares.mean(keepdims=True).repeat(D) if variance == "iso" else squares
        return 0.5 * jnp.log(squares).sum() + q.kl().mean()

    def own(params):
        fitted = state.replace(extra={"variance": model.most_likely(state, batch, KEY)})
        return model.loss(params, fitted, batch, KEY)[0]

    def beta_vae(params):
        mse = model.most_likely(state, batch, KEY)
        weighted = jax.tree.map(lambda _: mse, vae)  # β is the error of a pixel
        return weighted.loss(params, state, batch, KEY)[0] / mse

    functions = [own, logarithm] + [beta_vae] * (variance == "iso")
    found, *others = jax.jit(lambda p: [jax.grad(f)(p) for f in functions])(state.params)
    for other in others:
        for a, b in zip(*map(jax.tree.leaves, (found, other)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_unit_of_pixels_shifts_the_loss_and_turns_no_gradient(batch):
    c = 7.0
    model = ARELBO(floor=0, **LINEAR)
    state = start(model, batch)

    def scaled(params, encoder, decoder):
        # Weights on pixels, which are all of a layer but the encoder's bias, in its last row.
        heads = jax.tree.map(lambda w: w.at[:-1].multiply(encoder), params["encoder"])
        return {
            "encoder": heads,
            "decoder": jax.tree.map(lambda w: decoder * w, params["decoder"]),
        }

    @jax.jit
    def loss_and_gradient(params, batch):
        at = state.replace(params=params)
        at = at.replace(extra={"variance": model.most_likely(at, batch, KEY)})
        return jax.value_and_grad(lambda p: model.loss(p, at, batch, KEY)[0])(params)

    loss, gradient = loss_and_gradient(state.params, batch)
    other = loss_and_gradient(scaled(state.params, 1 / c, c), {"images": c * batch["images"]})
    assert float(other[0] - loss) == pytest.approx(D * np.log(c), rel=1e-4)
    back = scaled(other[1], 1 / c, c)
    for a, b in zip(*map(jax.tree.leaves, (gradient, back)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("variance", SHARED + PER_IMAGE)
def test_what_is_decoded_is_a_density_of_the_states_variance(variance, batch):
    model = ARELBO(variance=variance, floor=0.01, **LINEAR)
    state = start(model, batch)
    state, logs = jax.jit(model.update)(state, batch, KEY)
    z = jnp.array([[0.5, -1.0]] * B)
    likelihood = model.decode(state, z)
    spread = np.broadcast_to(np.exp(likelihood.log_var), (B, *SHAPE))
    expected = stats.norm(likelihood.mean, np.sqrt(spread)).logpdf(batch["images"])
    found = likelihood.log_prob(batch["images"])
    np.testing.assert_allclose(found, expected.reshape(B, D).sum(axis=1), rtol=1e-5)
    assert (len(np.unique(spread[0])) == D) == variance.startswith("diagonal")
    assert (spread > 0.01).all() and np.isfinite(logs["loss"])
    other = np.exp(model.decode(state, -z).log_var)  # only predicted variances are the code's own
    assert np.allclose(other, spread) == (variance in SHARED)


def test_variances_of_an_autoregressive_decoder_read_no_later_pixel(batch):
    with pytest.raises(BadInput, match="'iso_per_image' is no density with network 'made', .* use"):
        ARELBO(variance="iso_per_image", network="made").resolved(SHAPE)
    model = ARELBO(variance="diagonal_per_image", network="made", latents=2).resolved(SHAPE)
    state = start(model, batch)

    @jax.jit
    def reads(x):
        def log_var(x):
            outputs = model.outputs_of(state, jnp.ones((1, 2)), x)
            return model.likelihood_of(state, outputs).log_var.reshape(D)

        return jax.jacobian(log_var)(x).reshape(D, D)

    found = reads(batch["images"][:1])
    np.testing.assert_array_equal(found != 0, np.tri(D, k=-1, dtype=bool))


def test_a_moving_average_begins_with_the_first_batch(batch):
    model = ARELBO(floor=0, decay=0.5, **LINEAR)
    update = jax.jit(model.update)
    state = start(model, batch)
    found = []
    for step in range(2):
        images = {"images": batch["images"] * (1 + step)}
        r, _ = in_numpy(model, state, images)
        found.append((r**2).mean())
        state, _ = update(state, images, KEY)
        expected = found[0] if step == 0 else (found[0] + 2 * found[1]) / 3
        assert float(state.extra["variance"]) == pytest.approx(expected, rel=1e-5)


def test_a_variance_of_one_is_the_vae_and_others_weigh_the_error(batch):
    vae = BetaVAE(beta=1, likelihood="gaussian", **LINEAR)
    state = start(vae, batch)
    r, kl = in_numpy(vae, state, batch)
    update = jax.jit(lambda model, state: model.update(state, batch, KEY))
    for variance in (1.0, 0.01):
        _, logs = update(GaussianVAE(variance=variance, **LINEAR), state)
        assert float(logs["loss"]) == pytest.approx(
            negative_log_likelihood(r, variance) + kl, rel=1e-5
        )
        if variance == 1:
            expected = update(vae, state)[1]["loss"]
            assert float(logs["loss"]) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("sigma", ["optimal", "trained"])
def test_sigma_vae(sigma, batch):
    # Bounded from below by so much that the bound shows.
    model = SigmaVAE(sigma=sigma, least_log_sigma=-1.0, **LINEAR)
    state = start(model, batch)

    def log_sigma(r, params):
        hat = 0.5 * jnp.log(jnp.square(r).mean()) if sigma == "optimal" else params["log_sigma"]
        return -1 + jnp.log(1 + jnp.exp(hat + 1))

    def expected(params):
        at = state.replace(params=params)
        q, z = model.infer(at, batch["images"], KEY)
        r = batch["images"] - model.outputs_of(at, z)
        s = log_sigma(r, params)
        density = -0.5 * jnp.square(r / jnp.exp(s)) - s - 0.5 * jnp.log(2 * jnp.pi)
        return q.kl().mean() - density.sum() / B

    def own(params):
        return model.loss(params, state, batch, KEY)[0]

    (loss, gradient), (value, slope) = jax.jit(
        lambda p: [jax.value_and_grad(f)(p) for f in (own, expected)]
    )(state.params)
    assert float(loss) == pytest.approx(float(value), rel=1e-5)
    for a, b in zip(*map(jax.tree.leaves, (gradient, slope)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    after, logs = jax.jit(model.update)(state, batch, KEY)
    r, _ = in_numpy(model, state, batch)
    s = float(log_sigma(r, state.params))
    assert float(logs["variance"]) == pytest.approx(np.exp(2 * s), rel=1e-4)
    if sigma == "optimal":
        log_var = model.decode(after, jnp.zeros((1, 2))).log_var
        assert float(log_var) == pytest.approx(2 * s, rel=1e-4)


def test_a_perfect_reconstruction_is_no_infinity():
    black = {"images": jnp.zeros((B, *SHAPE))}
    for model in (SigmaVAE(**LINEAR), ARELBO(variance="diagonal", **LINEAR)):

        @jax.jit
        def found(model=model):
            state = model.init(jax.random.key(0), black)
            state = state.replace(params=jax.tree.map(jnp.zeros_like, state.params))
            after, _ = model.update(state, black, KEY)
            return jax.value_and_grad(model.loss, has_aux=True)(state.params, after, black, KEY)

        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found()))


def test_linear_decoders_are_probabilistic_principal_components():
    """The most likely variance is the mean of the eigenvalues that are discarded; a fixed one has a
    KL of Σ_j ½ log(λ_j / σ²) over the eigenvalues above it, and none above the largest."""
    rng = np.random.default_rng(0)
    w = np.linalg.qr(rng.standard_normal((D, 2)))[0] * [3.0, 1.5]
    x = rng.standard_normal((1_000, 2)) @ w.T + 0.5 * rng.standard_normal((1_000, D))
    eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(x.T, bias=True)))[::-1]
    batch = {"images": jnp.float32(x - x.mean(axis=0)).reshape(-1, *SHAPE)}
    settings = LINEAR | {"learning_rate": 0.02}

    @jax.jit
    def train(model):
        def step(i, carry):
            state, _ = carry
            return model.update(state, batch, jax.random.fold_in(KEY, i))

        first = model.update(model.init(jax.random.key(0), batch), batch, KEY)
        return jax.lax.fori_loop(0, 800, step, first)

    state, _ = train(ARELBO(floor=0, decay=0.9, **settings))
    discarded = eigenvalues[2:].mean()
    assert float(state.extra["variance"]) == pytest.approx(discarded, rel=0.05)
    for variance in (1.1 * eigenvalues[0], 0.3 * eigenvalues[0], 0.3 * eigenvalues[1]):
        _, logs = train(GaussianVAE(variance=variance, **settings))
        kl = 0.5 * np.log(eigenvalues[:2] / variance).clip(0).sum()
        assert float(logs["kl"]) == pytest.approx(kl, abs=0.02 + 0.05 * kl)
