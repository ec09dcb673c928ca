"""The losses of labels against independent formulas in float64, and what must not matter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook import models
from soberlook.datasets import MiniSprites, make_view
from soberlook.models import DIPVAEI, S2VAE, BetaTCVAE, BetaVAE, FactorVAE, S2Supervised
from soberlook.models.label_losses import LOSSES, learned_by
from soberlook.models.semi_supervised import LABELLERS
from soberlook.registry import BadInput

B, F, Z = 12, 2, 3
SIZES = np.array([3, 5])
# The model is an argument, so that what differs in numbers only is compiled once.
init = jax.jit(lambda model, batch: model.init(jax.random.key(0), batch))
loss_of = jax.jit(lambda model, state, batch, key: model.loss(state.params, state, batch, key))
update = jax.jit(lambda model, state, batch, key: model.update(state, batch, key))
METHODS = {
    "s2_vae": BetaVAE,
    "s2_factor_vae": FactorVAE,
    "s2_dip_vae": DIPVAEI,
    "s2_beta_tcvae": BetaTCVAE,
}


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    return {
        "images": jnp.array(rng.uniform(size=(B, 4, 4, 1)), jnp.float32),
        "labels": jnp.array(rng.integers(SIZES, size=(B, F)), jnp.int32),
        "sizes": jnp.broadcast_to(jnp.array(SIZES, jnp.int32)[None], (B, F)),
    }


@pytest.fixture
def batch(labels):
    x = np.random.default_rng(1).uniform(size=(B, 4, 4, 1))
    return {"images": jnp.array(x, jnp.float32), "labels": labels}


@pytest.fixture
def mu():
    return jnp.array(np.random.default_rng(2).standard_normal((B, Z)), jnp.float32)


def learned(name):
    found = learned_by(name, jax.random.key(3), F, 7)
    return jax.tree.map(lambda v: v * 1.3, found)  # not as they start


def value(name, mu, labels):
    of = jax.jit(LOSSES[name])
    return float(of(mu, labels["labels"], labels["sizes"], learned(name)))


def expected(name, mu, y):
    mu, y = np.float64(mu), np.float64(y)
    m, v = mu[:, :F], y / SIZES
    sigmoid = 1 / (1 + np.exp(-m))
    if name == "xent":
        return -(v * np.log(sigmoid) + (1 - v) * np.log(1 - sigmoid)).sum(axis=1).mean()
    if name == "l2":
        return ((1.3 * m - y) ** 2).sum(axis=1).mean()
    if name == "l2_sigmoid":
        return ((sigmoid - v) ** 2).sum(axis=1).mean()
    if name == "cov":
        c = np.cov(mu.T, y.T, bias=True)[:Z, Z:]
        return sum(c[i, j] ** 2 for i in range(Z) for j in range(F) if i != j)
    e, total = np.float64(learned(name)["embedding"]), 0
    for j in range(F):
        p = np.exp(-((1.3 * (m[:, j, None] - e[j, : SIZES[j]])) ** 2))
        total -= np.log(p[np.arange(B), y[:, j].astype(int)] / p.sum(axis=1)).mean()
    return total


@pytest.mark.parametrize("name", LOSSES)
def test_losses_against_their_formulas(name, mu, labels):
    assert value(name, mu, labels) == pytest.approx(expected(name, mu, labels["labels"]), rel=1e-5)


@pytest.mark.parametrize("other", [-1, 100], ids=["not observed", "no class"])
@pytest.mark.parametrize("name", LOSSES)
def test_labels_that_are_no_value_have_no_effect(name, other, mu, labels):
    some = dict(labels, labels=labels["labels"].at[4:, 1].set(other))

    def of(labels, mu):
        return LOSSES[name](mu, labels["labels"], labels["sizes"], learned(name))

    of = jax.jit(jax.value_and_grad(of, argnums=1))
    value, gradient = of(some, mu)
    # Of factor 1 what the first four images say, of factor 0 what all do.
    alone = [dict(labels, labels=labels["labels"].at[:, j].set(-1)) for j in (0, 1)]
    value_0, gradient_0 = of(alone[1], mu)
    value_1, gradient_1 = of({key: v[:4] for key, v in alone[0].items()}, mu[:4])
    assert float(value) == pytest.approx(float(value_0 + value_1), rel=1e-5)
    expected = gradient_0.at[:4].add(gradient_1)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)
    value, gradient = of(dict(labels, labels=jnp.full((B, F), other)), mu)
    assert value == 0 and (gradient == 0).all()


def small(cls, **settings):
    discriminator = {"discriminator_widths": (8,)} if issubclass(cls, FactorVAE) else {}
    return cls(latents=Z, network="linear", **discriminator, **settings)


@pytest.mark.parametrize("name", METHODS)
def test_without_weight_it_is_the_unsupervised_method(name, batch):
    method = small(METHODS[name])
    neutral = small(models.MODELS[name], gamma_sup=0)
    key = jax.random.key(4)
    own = init(method, batch)
    state = init(neutral, batch)
    state = state.replace(params=own.params | {"labels": {}}, extra=own.extra)
    loss = float(loss_of(method, own, batch, key)[0])
    assert float(loss_of(neutral, state, batch, key)[0]) == pytest.approx(loss, rel=1e-6)
    weighted = small(models.MODELS[name], gamma_sup=3)
    found, logs = loss_of(weighted, state, batch, key)
    assert float(found) == pytest.approx(loss + 3 * float(logs["supervision"]), rel=1e-5)
    mu = weighted.encode(state, batch["labels"]["images"]).mean
    assert float(logs["supervision"]) == pytest.approx(value("xent", mu, batch["labels"]), rel=1e-6)


@pytest.mark.parametrize(
    ("annealing", "steps", "shares"),
    [
        ("fixed", (0, 50, 500), (1, 1, 1)),
        ("anneal", (0, 50, 500), (0, 0.5, 1)),
        ("fine_tune", (100, 101, 500), (0, 1, 1)),
    ],
)
def test_annealing(annealing, steps, shares):
    model = S2VAE(annealing=annealing, threshold=100, gamma_sup=4)
    found = [float(model.gamma_at(jnp.int32(step))) for step in steps]
    assert found == pytest.approx([4 * share for share in shares])


@pytest.mark.parametrize("name", ["l2", "embed"])
def test_what_a_loss_learns_is_trained(name, batch):
    model = small(S2VAE, label_loss=name, learning_rate=1e-2, values=7)
    state = init(model, batch)
    after, _ = update(model, state, batch, jax.random.key(1))
    before, now = (jax.tree.leaves(s.params["labels"]) for s in (state, after))
    assert before and all((a != b).any() for a, b in zip(before, now, strict=True))


def test_the_labeller_is_what_the_model_is_fed():
    for labeller in LABELLERS:
        model = S2VAE(labelled=7, labeller=labeller, wrong=1, bins=3, known=1)
        (need,) = (need for need in model.needs if need != "images")
        view = make_view(need)
        assert (view.name, view.count, view.kind) == ("labels", 7, labeller)
        assert (view.noise, view.bins, view.observed) == (1, 3, 1)
    assert "images" in S2VAE().needs
    both = models.S2FactorVAE(shuffled="second_batch").needs
    assert both[:2] == ("images", "second_images") and both[2][0] == "labels"


def test_bad_input_is_one_clear_line():
    with pytest.raises(BadInput, match="s2_vae: latents must be ≥ 5, one for each factor of"):
        S2VAE(latents=4).check(MiniSprites())
    with pytest.raises(BadInput, match="values must be ≥ 8, the most that a factor of"):
        S2VAE(label_loss="embed", values=7).check(MiniSprites())
    S2VAE(values=7).check(MiniSprites())  # which no other loss reads
    with pytest.raises(BadInput, match="wrong must be a finite number ≥ 0 and ≤ 1, found 1.5"):
        S2VAE(wrong=1.5)
    with pytest.raises(BadInput, match="one of 'perfect'"):
        S2VAE(labeller="lazy")


def test_the_supervised_decoder_does_not_teach_the_encoder(batch):
    model = small(S2Supervised)
    state = init(model, batch)

    @jax.jit
    def gradients(batch):
        return jax.grad(lambda p: model.loss(p, state, batch, jax.random.key(1))[0])(state.params)

    one, other = gradients(batch), gradients(batch | {"images": 1 - batch["images"]})
    same = jax.tree.map(lambda a, b: bool((a == b).all()), one, other)
    assert jax.tree.all(same["encoder"]) and not jax.tree.all(same["decoder"])


def test_few_labels_teach_codes_and_noise_does_not():
    """Images of two bars; their lengths are the factors, of which 64 images tell."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(0, 8, size=(256, 2))
    x = np.zeros((256, 8, 2, 1), np.float32)
    for j in range(2):
        x[:, :, j, 0] = np.arange(8) < lengths[:, j, None]
    model = S2VAE(latents=2, network="mlp", learning_rate=3e-3, beta=1, gamma_sup=50)

    @jax.jit
    def trained(batch):
        def update(step, state):
            return model.update(state, batch, jax.random.fold_in(jax.random.key(1), step))[0]

        return jax.lax.fori_loop(0, 200, update, model.init(jax.random.key(0), batch))

    def correlation(y):
        labels = {"images": x[:64], "labels": y, "sizes": np.full((64, 2), 8)}
        batch = jax.tree.map(jnp.asarray, {"images": x, "labels": labels})
        state = trained(batch)
        codes = model.encode(state, batch["images"]).mean[64:]
        return min(np.corrcoef(codes[:, j], lengths[64:, j])[0, 1] for j in range(2))

    assert correlation(lengths[:64]) > 0.9
    assert correlation(rng.integers(0, 8, size=(64, 2))) < 0.5
