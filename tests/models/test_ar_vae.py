import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr

from soberlook.datasets import Digits, MiniSprites
from soberlook.models import ARVAE, AttriVAE, BetaVAE
from soberlook.models.ar_vae import cross_entropy, order_mismatch
from soberlook.registry import BadInput

B, A, Z = 32, 2, 4

# The model is an argument, so that what differs in numbers only is compiled once.
init = jax.jit(lambda model, batch: model.init(jax.random.key(0), batch))
loss_of = jax.jit(lambda model, state, batch, key: model.loss(state.params, state, batch, key))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def batch(rng):
    return {
        "images": jnp.array(rng.uniform(size=(B, 4, 4, 1)), jnp.float32),
        "attributes": jnp.array(rng.standard_normal((B, A)), jnp.float32),
        "labels": {"labels": jnp.array(rng.integers(3, size=(B, 2)), jnp.int32)},
    }


def small(cls, **settings):
    return cls(latents=Z, network="linear", **settings)


def mismatch(z, a, delta):
    z, a = (jnp.asarray(v, jnp.float32).reshape(-1, 1) for v in (z, a))
    return float(order_mismatch(z, a, delta)[0])


def test_penalty_against_its_formula(rng):
    z, a = rng.standard_normal((2, 7, A))
    a[3] = a[5]  # a tie
    expected = np.zeros(A)
    for j in range(A):
        for i in range(7):
            for k in range(7):
                sign = np.sign(a[i, j] - a[k, j])
                expected[j] += abs(np.tanh(3 * (z[i, j] - z[k, j])) - sign) / 49
    found = order_mismatch(jnp.float32(z), jnp.float32(a), 3.0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_penalty_of_known_orders(rng):
    a = rng.standard_normal(B)
    assert mismatch(a**3, a, 1e6) == pytest.approx(0, abs=1e-6)
    assert mismatch(-np.exp(a), a, 1e6) == pytest.approx(2 * (1 - 1 / B), abs=1e-5)
    nothing = [mismatch(*rng.standard_normal((2, B)), 1e6) for _ in range(50)]
    assert np.mean(nothing) == pytest.approx(1 - 1 / B, abs=0.03)


def test_penalty_sees_the_order_of_attributes_and_differences_of_codes(rng):
    z, a = np.float32(rng.standard_normal((2, B)))
    assert mismatch(z, np.exp(a), 2.0) == mismatch(z, a, 2.0)
    assert mismatch(z + 5, a, 2.0) == pytest.approx(mismatch(z, a, 2.0), rel=1e-5)
    tied = np.abs(np.tanh(2 * (z[:, None] - z))).mean()
    assert mismatch(z, np.zeros(B), 2.0) == pytest.approx(tied, rel=1e-5)


def test_penalty_moves_the_latents_of_attributes_and_no_others(batch):
    model = small(ARVAE)
    state = init(model, batch)
    gradient = jax.grad(lambda z: order_mismatch(z[:, :A], batch["attributes"], 1.0).sum())
    moved = np.abs(gradient(model.encode(state, batch["images"]).mean)).sum(axis=0)
    assert (moved[:A] > 0).all() and (moved[A:] == 0).all()


def loss(model, batch, state=None):
    state = state or init(model, batch)
    found, logs = loss_of(model, state, batch, jax.random.key(2))
    return float(found), {name: float(value) for name, value in logs.items()}


def test_objective_against_its_formula(batch):
    weights = {"beta": 3, "capacity": 100, "gamma": 5, "delta": 2, "alpha": 7}
    model = small(AttriVAE, classes=3, label=1, **weights)
    state = init(model, batch)
    total, logs = loss(model, batch, state)
    x, y = batch["images"], np.asarray(batch["labels"]["labels"][:, 1])
    q, z = model.infer(state, x, jax.random.key(2))
    mean, log_var = np.float64(q.mean), np.float64(q.log_var)
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    (logits,) = model._head.apply(state.params["head"], z)
    p = np.exp(np.float64(logits))
    p /= p.sum(axis=1, keepdims=True)
    ce = -np.log(p[np.arange(B), y]).mean()
    order = float(order_mismatch(z[:, :A], batch["attributes"], 2.0).sum())
    reconstruction = -float(model.decode(state, z).log_prob(x).mean())
    assert total == pytest.approx(reconstruction + 3 * (100 - kl) + 5 * order + 7 * ce, rel=1e-5)
    assert logs["cross_entropy"] == pytest.approx(ce, rel=1e-5)
    assert logs["order_mismatch"] == pytest.approx(order, rel=1e-5)


def test_without_attributes_and_classifier_it_is_beta_vae(batch):
    expected, _ = loss(small(BetaVAE, beta=3), batch)
    state = init(small(BetaVAE), batch)
    assert loss(small(ARVAE, beta=3, gamma=0), batch, state)[0] == pytest.approx(expected, rel=1e-6)
    attri = small(AttriVAE, beta=3, gamma=0, alpha=0)
    head = init(attri, batch).params["head"]
    state = state.replace(params=state.params | {"head": head})
    assert loss(attri, batch, state)[0] == pytest.approx(expected, rel=1e-6)


def test_the_classifier_teaches_the_encoder(batch):
    settings = {"latents": 8, "network": "linear", "classes": 3, "gamma": 0, "beta": 0}
    state = init(AttriVAE(**settings), batch)

    @jax.jit
    def gradients(model):
        own = jax.grad(lambda p: model.loss(p, state, batch, jax.random.key(2))[0])
        return own(state.params)

    without, taught = (gradients(AttriVAE(alpha=alpha, **settings)) for alpha in (0, 5))
    for part, changes in {"encoder": True, "decoder": False, "head": True}.items():
        a, b = (
            np.concatenate([x.ravel() for x in jax.tree.leaves(g[part])]) for g in (without, taught)
        )
        assert (not np.allclose(a, b)) == changes
    assert all((x == 0).all() for x in jax.tree.leaves(without["head"]))


def test_labels_that_are_no_class_have_no_effect(rng):
    logits, y = jnp.float32(rng.standard_normal((6, 3))), jnp.array([0, -1, 2, 3, 1, -1])
    value, gradient = jax.value_and_grad(cross_entropy)(logits, y)
    known = np.array([0, 2, 4])
    assert float(value) == pytest.approx(float(cross_entropy(logits[known], y[known])), rel=1e-6)
    assert (gradient[np.array([1, 3, 5])] == 0).all()
    value, gradient = jax.value_and_grad(cross_entropy)(logits, jnp.full(6, -1))
    assert value == 0 and (gradient == 0).all()


def test_bad_input_is_one_clear_line():
    with pytest.raises(BadInput, match="ar_vae: latents must be ≥ 5, one for each attribute of"):
        ARVAE(latents=4).check(MiniSprites())
    ARVAE(latents=2, attributes=("x", "y")).check(MiniSprites())
    ARVAE(latents=4).check(Digits())  # area, height, width and slant
    with pytest.raises(BadInput, match="classes must be ≥ 10, the values of 'digit' of 'digits'"):
        AttriVAE(classes=9).check(Digits())
    with pytest.raises(BadInput, match="label must be < 5, the factors of"):
        AttriVAE(label=5).check(MiniSprites())


def test_it_learns_the_order_and_shuffled_attributes_teach_nothing():
    """Images of two bars; their lengths are the attributes."""
    lengths = np.random.default_rng(1).integers(1, 9, size=(256, 2))
    x = np.zeros((256, 8, 2, 1), np.float32)
    for j in range(2):
        x[:, :, j, 0] = np.arange(8) < lengths[:, j, None]
    a = jnp.asarray((lengths - 4.5) / 2.3, jnp.float32)
    model = ARVAE(latents=2, network="mlp", learning_rate=3e-3, beta=1, gamma=20)

    @jax.jit
    def trained(batch):
        def update(step, state):
            return model.update(state, batch, jax.random.fold_in(jax.random.key(1), step))[0]

        return jax.lax.fori_loop(0, 200, update, model.init(jax.random.key(0), batch))

    def correlation(a):
        batch = {"images": jnp.array(x), "attributes": a}
        state = trained(batch)
        codes = model.encode(state, batch["images"]).mean
        return min(spearmanr(codes[:, j], lengths[:, j])[0] for j in range(2))

    assert correlation(a) > 0.9
    assert correlation(a[np.random.default_rng(2).permutation(256)]) < 0.5
