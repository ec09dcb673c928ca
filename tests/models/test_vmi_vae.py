"""VMI-VAE: both its objectives in float64, the game between VAE and reader, and what it is for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from soberlook.datasets import MiniSprites
from soberlook.models import VMIVAE, BetaVAE, JointVMIVAE
from soberlook.registry import BadInput

B, Z, M, K = 6, 3, 2, 4
SMALL = {"latents": Z, "network": "linear"}


@pytest.fixture
def step():
    x = jax.random.uniform(jax.random.key(1), (B, 4, 4, 1))
    return {"images": x}, jax.random.key(2)


@jax.jit
def updated(model, state, batch, key):
    """One program for all models of one structure."""
    return model.update(state, batch, key)


@jax.jit
def losses(model, params, state, batch, key):
    return model.loss(params, state, batch, key)


@jax.jit
def gradients(model, params, state, batch, key):
    return jax.grad(model.loss, has_aux=True)(params, state.replace(params=params), batch, key)[0]


def linear(params, name, h):
    """A layer of a network without hidden ones, in float64."""
    weights = np.float64(params["params"][name]["weights"])
    return np.concatenate([np.float64(h).reshape(len(h), -1), np.ones((len(h), 1))], 1) @ weights


def decoded(state, z):
    return 1 / (1 + np.exp(-linear(state.params["decoder"], "Dense_0", z)))


def unread(reader, z, x):
    """−log Q of the first M codes [n]."""
    mean, log_std = (linear(reader, name, x) for name in ("mean", "log_std"))
    log_std = np.logaddexp(log_std, -6)  # which is −6 + log(1 + exp(log_std + 6))
    return -stats.norm(mean, np.exp(log_std)).logpdf(z[:, :M]).sum(axis=1)


@pytest.mark.parametrize("log_std", [-1e4, -20.0, -6.0, 0.0, 3.0])
def test_what_is_read_has_a_lower_bound_and_a_slope(log_std):
    model = VMIVAE(informative=M, **SMALL)
    z, said = jnp.full((1, Z), 0.5), jnp.full((1, M), log_std)

    def loss(error, said):
        return model.unread_continuous(z[:, :M] + error, said, z)[0]

    value, slopes = jax.value_and_grad(loss, argnums=(0, 1))(0.0, said)
    sharpest = M * (0.5 * np.log(2 * np.pi) + np.logaddexp(log_std, -6))
    assert float(value) == pytest.approx(sharpest, rel=1e-5)
    assert all(np.isfinite(slope).all() for slope in slopes)
    if log_std in (-20.0, -6.0):  # an error is a reason to be less sure
        assert (jax.grad(loss, argnums=1)(0.1, said) < 0).all()


def test_the_loss_is_the_formula(step):
    batch, key = step
    model = VMIVAE(beta=1.5, information=0.7, **SMALL)
    state = model.init(jax.random.key(0), batch)
    loss, logs = losses(model, state.params, state, batch, key)

    mean, log_var = (
        linear(state.params["encoder"], n, batch["images"]) for n in ("mean", "log_var")
    )
    eps = np.float64(jax.random.normal(jax.random.fold_in(key, 0), (B, Z)))
    z = mean + np.exp(log_var / 2) * eps
    p, x = decoded(state, z), np.float64(batch["images"]).reshape(B, -1)
    reconstruction = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    z_prior = np.float64(jax.random.normal(jax.random.fold_in(key, 1), (B, Z)))
    z = np.concatenate([z, z_prior])
    both = unread(state.extra["reader"], z, decoded(state, z)).mean()
    assert float(loss) == pytest.approx(reconstruction + 1.5 * kl + 0.7 * both, rel=1e-5)
    assert float(logs["unread"]) == pytest.approx(both, rel=1e-5)


def test_the_joint_loss_is_the_formula(step):
    batch, key = step
    settings = {"information": 3.0, "information_continuous": 0.7, "temperature": 0.8}
    model = JointVMIVAE(beta=1.5, choices=K, **settings, **SMALL)
    state = model.init(jax.random.key(0), batch)
    loss, _ = losses(model, state.params, state, batch, key)

    heads = ("mean", "log_var", "logits")
    mean, log_var, logits = (linear(state.params["encoder"], n, batch["images"]) for n in heads)
    log_pi = np.log(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    # What is relaxed, and how, is the posterior's; the rest is written out from its sample.
    q, z = model.infer(state, batch["images"], key)
    z = np.float64(z)
    np.testing.assert_allclose(q.relaxed(jax.random.fold_in(key, 0), 0.8), z, rtol=1e-5, atol=1e-6)
    p, x = decoded(state, z), np.float64(batch["images"]).reshape(B, -1)
    reconstruction = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    kl += (np.exp(log_pi) * (log_pi + np.log(K))).sum(axis=1).mean()
    reader = state.extra["reader"]
    said = linear(reader, "logits", p)
    log_said = said - np.log(np.exp(said).sum(axis=1, keepdims=True))
    choice = -(z[:, Z:] * log_said).sum(axis=1).mean()
    expected = reconstruction + 1.5 * kl + 3 * choice + 0.7 * unread(reader, z, p).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    # Q's own loss has no weights.
    total = model.reader_loss(
        reader, jnp.asarray(z, jnp.float32), jnp.asarray(p.reshape(B, 4, 4, 1))
    )
    assert float(total) == pytest.approx(choice + unread(reader, z, p).mean(), rel=1e-5)


def test_without_information_it_is_the_beta_vae(step):
    batch, key = step
    model = VMIVAE(beta=2.5, information=0, **SMALL)
    state = model.init(jax.random.key(0), batch)
    found, expected = (
        float(losses(m, state.params, state, batch, key)[0])
        for m in (model, BetaVAE(beta=2.5, **SMALL))
    )
    assert found == pytest.approx(expected, rel=1e-6)


def test_by_default_a_choice_that_is_always_the_same_is_no_bargain():
    """What it saves of −log Q, λ log K at most, is no more than what its KL costs, β log K."""
    model = JointVMIVAE()
    assert model.information <= model.beta


def test_as_published_the_temperature_stays_and_as_intended_it_falls(step):
    batch, key = step
    published = JointVMIVAE(choices=K, **SMALL)
    intended = JointVMIVAE(choices=K, temperature_rate=0.1, temperature_min=0.5, **SMALL)
    state = published.init(jax.random.key(0), batch)
    for at, temperature in ((0, 1.0), (4, np.exp(-0.4)), (10_000, 0.5)):
        now = state.replace(step=jnp.int32(at))
        q, z = intended.infer(now, batch["images"], key)
        own = jax.random.fold_in(key, 0)
        np.testing.assert_allclose(z, q.relaxed(own, temperature), rtol=1e-4, atol=1e-6)
        z = published.infer(now, batch["images"], key)[1]
        np.testing.assert_allclose(z, q.relaxed(own, 1.0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cls", [VMIVAE, JointVMIVAE])
def test_each_network_is_moved_by_its_own_optimizer_alone(cls, step):
    batch, key = step
    rates = {"learning_rate": 0.01, "reader_learning_rate": 0.01}
    state = cls(**rates, **SMALL).init(jax.random.key(0), batch)

    def moved(**changed):
        after, _ = updated(cls(**rates | changed, **SMALL), state, batch, key)
        return after.params, after.extra["reader"]

    def same(a, b):
        return jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), a, b))

    params, reader = moved()
    assert not same(params, state.params) and not same(reader, state.extra["reader"])
    params_still, _ = moved(learning_rate=0)
    assert same(params_still, state.params)
    params_alone, reader_still = moved(reader_learning_rate=0)
    assert same(params_alone, params) and same(reader_still, state.extra["reader"])


@pytest.mark.parametrize(
    ("cls", "kind", "head"),
    [
        (VMIVAE, "information", "mean"),
        (JointVMIVAE, "information_continuous", "mean"),
        (JointVMIVAE, "information", "logits"),
    ],
)
def test_the_information_reaches_the_decoder_and_through_the_codes_the_encoder(
    cls, kind, head, step
):
    batch, key = step
    nothing = {name: 0 for name in ("information", "information_continuous") if hasattr(cls, name)}
    models = [cls(**nothing | {kind: weight}, **SMALL) for weight in (0, 1)]
    state = models[0].init(jax.random.key(0), batch)
    # A decoder that ignores its codes: what is left reaches the encoder by c itself.
    blind = state.params | {"decoder": jax.tree.map(jnp.zeros_like, state.params["decoder"])}

    def moved(params, part):
        without, found = (gradients(m, params, state, batch, key)[part] for m in models)
        difference = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), without, found)
        return {name: layer["weights"] for name, layer in difference["params"].items()}

    assert all(size > 1e-4 for size in moved(state.params, "decoder").values())
    assert moved(blind, "encoder")[head] > 1e-4


def test_the_reader_is_fed_samples_of_the_updated_model(step):
    batch, key = step
    model = VMIVAE(learning_rate=0.1, **SMALL)
    state = model.init(jax.random.key(0), batch)
    after, logs = updated(model, state, batch, key)
    _, key_infer, key_prior = jax.random.split(key, 3)
    _, z = model.infer(after, batch["images"], key_infer)
    z, x = model.decoded(after, z, key_prior)
    assert z.shape == (2 * B, Z)
    expected = unread(state.extra["reader"], np.float64(z), np.float64(x)).mean()
    assert float(logs["reader_loss"]) == pytest.approx(expected, rel=1e-5)


def test_only_with_information_the_chosen_codes_can_be_read():
    """The negative control is the same model with λ = 0."""
    dataset = MiniSprites()
    data = dataset.load()

    @jax.jit
    def train(model):
        def draw(step):
            key, key_update = jax.random.split(jax.random.fold_in(jax.random.key(3), step))
            cells = jax.random.randint(key, (64,), 0, dataset.size)
            return {"images": dataset.observe(data, cells, key)}, key_update

        def update(step, carry):
            state, total = carry
            state, logs = model.update(state, *draw(step))
            return state, total + (step >= 450) * logs["unread"] / 50

        state = model.init(jax.random.key(0), draw(0)[0])
        return jax.lax.fori_loop(0, 500, update, (state, 0.0))[1]

    rates = {"learning_rate": 3e-3, "reader_learning_rate": 3e-3, "network": "linear"}
    without, read = (float(train(VMIVAE(information=w, beta=1, **rates))) for w in (0.0, 5.0))
    # Nothing can be read where −log Q is the entropy of two normal codes.
    assert read < without - 0.5 and read < 2 * 0.5 * np.log(2 * np.pi * np.e) - 1


@pytest.mark.parametrize(
    ("cls", "settings", "message"),
    [
        (VMIVAE, {"informative": 4}, "vmi_vae: informative must be ≤ latents, 3, found 4"),
        (
            VMIVAE,
            {"network": "made"},
            "vmi_vae: network must decode all pixels at once, found 'made', which has no mean of "
            "images to read: use 'mlp'",
        ),
        (
            JointVMIVAE,
            {"temperature": 0.3},
            "vmi_vae_joint: temperature must be ≥ temperature_min, 0.5, found 0.3",
        ),
    ],
)
def test_bad_settings(cls, settings, message):
    with pytest.raises(BadInput) as error:
        cls(**SMALL | settings).resolved((4, 4, 1))
    assert str(error.value) == message
    cls(**SMALL | {"informative": 3}).resolved((4, 4, 1))
