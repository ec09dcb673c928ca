"""Critics: their losses in float64, what they can and cannot exceed, and codes that stay alive."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from scipy import special, stats

from soberlook.benchmark import train
from soberlook.datasets import DigitsBinary
from soberlook.models import BetaVAE, CriticVAE
from soberlook.models.critic_vae import densities, whose
from soberlook.models.posteriors import Gaussian

B, Z, SHAPE = 6, 3, (2, 2, 1)
KEY = jax.random.key(2)
CRITICS = ("self", "neural", "hybrid")


init = jax.jit(lambda model, batch: model.init(jax.random.key(0), batch))
update = jax.jit(lambda model, state, batch, key: model.update(state, batch, key))


def cross_entropy(logits):
    return -np.diag(special.log_softmax(logits, axis=1)).mean()


@pytest.fixture(scope="module")
def batch():
    return {"images": jax.random.uniform(jax.random.key(1), (B, *SHAPE))}


def posterior(rng, spread=1.0, rows=B):
    mean, log_var = rng.standard_normal((2, rows, Z)).astype(np.float32)
    return Gaussian(jnp.array(spread * mean), jnp.array(log_var))


def test_the_self_critic_is_the_encoders_density():
    rng = np.random.default_rng(0)
    q = posterior(rng)
    z = rng.standard_normal((B, Z)).astype(np.float32)
    scale = np.exp(np.float64(q.log_var) / 2)
    expected = stats.norm(np.float64(q.mean)[None], scale[None]).logpdf(z[:, None]).sum(axis=2)
    found = whose(densities(q, jnp.array(z)))
    assert float(found) == pytest.approx(cross_entropy(expected), rel=1e-5)


@pytest.mark.parametrize("critic", ["neural", "hybrid"])
def test_critics_are_two_directions_of_scaled_cosines(critic, batch):
    model = CriticVAE(critic=critic, lambda_critic=2, critic_width=4, network="mlp", latents=Z)

    state = init(model, batch)
    params, (_, logs) = state.params, update(model, state, batch, KEY)
    z = jax.jit(model.infer)(state, batch["images"], KEY)[1]

    def dense(params, x):
        layers = params["params"]
        for name in ("Dense_0", "Dense_1", "critic"):
            w = np.float64(layers[name]["weights"])
            x = x @ w[:-1] + w[-1]
            x = x if name == "critic" else np.maximum(x, 0)
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    g = dense(params["of_z"], np.float64(z))
    trunk = params["encoder" if critic == "hybrid" else "of_x"]
    h = dense(trunk, np.float64(batch["images"]).reshape(B, -1))
    logits = np.exp(float(params["log_scale"])) * g @ h.T
    assert np.abs(logits).max() <= 1 / 0.07 + 1e-3 and np.exp(params["log_scale"]) > 14
    expected = (cross_entropy(logits) + cross_entropy(logits.T)) / 2
    assert float(logs["critic"]) == pytest.approx(expected, rel=1e-4)
    assert float(logs["information"]) == pytest.approx(np.log(B) - expected, abs=1e-4)
    total = float(logs["reconstruction"]) + float(logs["kl"]) + 2 * expected
    assert float(logs["loss"]) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("critic", CRITICS)
def test_every_network_has_the_gradient_of_the_critics_loss(critic, batch):
    """Of λ L alone, against the formula: encoder, through codes and for the hybrid by its own head,
    both of the critic's networks, and its scale."""
    settings = {"critic": critic, "critic_width": 4, "network": "mlp", "latents": Z}
    weighted, without = (CriticVAE(lambda_critic=weight, **settings) for weight in (2, 0))
    state, x = init(weighted, batch), batch["images"]
    # Images that do not look alike, and codes that are not all noise.
    params = state.params | {"encoder": jax.tree.map(lambda w: 2 * w, state.params["encoder"])}

    def dense(params, x, *heads):
        layers = params["params"]
        affine = [layers[name]["weights"] for name in ("Dense_0", "Dense_1", *heads)]
        for w in affine[:2]:
            x = jnp.maximum(x @ w[:-1] + w[-1:], 0)
        return [x @ w[:-1] + w[-1:] for w in affine[2:]]

    def expected(params):
        flat = x.reshape(B, -1)
        mean, log_var = dense(params["encoder"], flat, "mean", "log_var")
        eps = jax.random.normal(jax.random.fold_in(KEY, 0), (B, Z))
        z = mean + jnp.exp(log_var / 2) * eps
        if critic == "self":
            variance = jnp.exp(log_var)[None]
            logits = -0.5 * ((z[:, None] - mean[None]) ** 2 / variance + jnp.log(variance)).sum(2)
            directions = [logits]
        else:
            (g,) = dense(params["of_z"], z, "critic")
            (h,) = dense(params["encoder" if critic == "hybrid" else "of_x"], flat, "critic")
            lengths = jnp.outer(jnp.linalg.norm(g, axis=1), jnp.linalg.norm(h, axis=1))
            logits = jnp.exp(params["log_scale"]) * (g @ h.T) / lengths
            directions = [logits, logits.T]
        own = [jnp.log(jnp.exp(a).sum(axis=1)) - jnp.diag(a) for a in directions]
        return 2 * jnp.stack(own).mean()

    def found(params):
        losses = (model.loss(params, state, batch, KEY)[0] for model in (weighted, without))
        return next(losses) - next(losses)

    (value, slopes), (other, others) = jax.jit(
        lambda params: [jax.value_and_grad(f)(params) for f in (found, expected)]
    )(params)
    assert float(value) == pytest.approx(float(other), rel=1e-4)
    for part in params:
        pairs = zip(*map(jax.tree.leaves, (slopes[part], others[part])), strict=True)
        for a, b in pairs:
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-5)
        sizes = [float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(slopes[part])]
        assert (max(sizes) > 1e-3) == (part != "decoder"), part


def test_no_estimate_is_above_the_logarithm_of_the_batch():
    rng = np.random.default_rng(1)
    for spread in (0.0, 1.0, 100.0):
        q = posterior(rng, spread)
        loss = float(whose(densities(q, q.sample(KEY))))
        assert loss >= 0 and np.log(B) - loss <= np.log(B)
    assert loss < 1e-3  # means so far apart that every code is known


def test_a_collapsed_encoder_leaves_the_critic_to_guess():
    q = Gaussian(jnp.full((B, Z), 0.3), jnp.full((B, Z), -0.7))
    assert float(whose(densities(q, q.sample(KEY)))) == pytest.approx(np.log(B), rel=1e-6)


def test_its_estimate_rises_with_the_batch_to_the_known_information():
    """x ~ N(0, 1), q(z|x) = N(x, s²): I(x; z) = ½ log(1 + 1/s²)."""
    s2 = 0.25
    truth = 0.5 * np.log(1 + 1 / s2)
    x = jax.random.normal(jax.random.key(1), (8_192, 1))
    noise = jax.random.normal(jax.random.key(2), x.shape)
    found = []
    for size in (4, 32, 256):

        def estimate(x, noise, size=size):
            q = Gaussian(x, jnp.full(x.shape, jnp.log(s2)))
            return np.log(size) - whose(densities(q, x + s2**0.5 * noise))

        parts = (a.reshape(-1, size, 1) for a in (x, noise))
        found.append(float(jax.jit(jax.vmap(estimate))(*parts).mean()))
    assert found == sorted(found) and found[0] < truth - 0.1
    assert truth - 0.03 < found[-1] < truth + 0.01


@pytest.mark.parametrize("critic", CRITICS)
def test_without_weight_it_is_the_vae_bit_by_bit(critic, batch):
    def gradient(model):  # not compiled as a whole, which would round as it sees fit
        state = init(model, batch)
        return jax.value_and_grad(model.loss, has_aux=True)(state.params, state, batch, KEY)

    settings = {"network": "mlp", "latents": Z}
    (vae, _), expected = gradient(BetaVAE(beta=1, **settings))
    (own, _), found = gradient(CriticVAE(lambda_critic=0, critic=critic, **settings))
    assert own == vae
    encoder = found["encoder"]["params"]
    assert (encoder.pop("critic", None) is not None) == (critic == "hybrid")
    for name in ("encoder", "decoder"):
        for a, b in zip(*map(jax.tree.leaves, (expected[name], found[name])), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("critic", ["neural", "hybrid"])
def test_no_network_starts_with_the_key_of_another(critic, batch, monkeypatch):
    handed, init_of = [], nn.Module.init

    def init(module, key, *inputs, **options):
        handed.append(key)
        return init_of(module, key, *inputs, **options)

    monkeypatch.setattr(nn.Module, "init", init)
    CriticVAE(critic=critic, network="linear", latents=Z).init(KEY, batch)
    assert len(handed) == (4 if critic == "neural" else 3)
    keys = jnp.stack(handed)
    # Nor with one that is made of it.
    made = jax.vmap(lambda key: jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(4)))(keys)
    both = jax.random.key_data(jnp.concatenate([keys, made.reshape(-1)]))
    assert len(np.unique(both, axis=0)) == len(both)


def test_critics_keep_codes_alive_that_a_strong_decoder_lets_die():
    """λ = 0, which is the negative control, collapses; information rises with λ."""
    dataset = DigitsBinary()
    data = dataset.load()
    weights = np.float32([0, 0.3, 3])
    settings = {"network": "made", "latents": 4, "learning_rate": 2e-3}
    models = [CriticVAE(lambda_critic=weight, **settings) for weight in weights]
    stacked = jax.tree.map(lambda *leaves: np.float32(leaves), *models)

    @jax.jit
    @jax.vmap
    def information(model):
        def inputs(step):
            return train.step_inputs(model, 7, step, dataset, data, 64)

        def step(i, state):
            return model.update(state, *inputs(i))[0]

        state = model.init(jax.random.key(0), inputs(0)[0])
        state = jax.lax.fori_loop(0, 400, step, state)
        x = dataset.observe(data, jnp.arange(0, dataset.size, 4), KEY)
        q = model.encode(state, x)
        estimate = np.log(len(x)) - whose(densities(q, q.sample(KEY)))
        return estimate, q.kl().mean(), q.mean.var(axis=0)

    found, kl, variance = map(np.asarray, information(stacked))
    assert kl[0] < 0.1 and found[0] < 0.1
    assert (np.diff(found) > 0.3).all() and found[1] > 1
    assert variance[0].max() < 0.05 < 0.2 < variance[1].max()
