"""ML-VAE and GVAE: aggregates by hand, the objective in float64, and what reaches what."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from soberlook.benchmark import train
from soberlook.benchmark.evaluate import parts_of
from soberlook.datasets import Digits, MiniSprites, make_view
from soberlook.metrics import Representation, Trained, content, swap
from soberlook.models import GVAE, MLVAE, BetaVAE
from soberlook.models.aggregation import average, product
from soberlook.models.posteriors import Gaussian
from soberlook.registry import BadInput

B, G, Z, CONTENT = 3, 4, 5, 2
GROUPS = {"latents": Z, "content": CONTENT, "members": G, "beta": 3}


def gaussian(mean, variance):
    """Posteriors [n, 1] of so many members."""
    return Gaussian(jnp.float32(mean)[:, None], jnp.log(jnp.float32(variance))[:, None])


def test_a_product_by_hand():
    mean, log_var = product(gaussian([1, 3], [1, 0.5]), axis=0)
    assert float(mean[0]) == pytest.approx(7 / 3, rel=1e-6)
    assert float(jnp.exp(log_var[0])) == pytest.approx(1 / 3, rel=1e-6)


def test_an_average_by_hand():
    mean, log_var = average(gaussian([1, 3], [1, 0.5]), axis=0)
    assert float(mean[0]) == pytest.approx(2) and float(jnp.exp(log_var[0])) == pytest.approx(0.75)


@pytest.mark.parametrize("aggregate", [product, average])
def test_one_member_is_itself_and_n_identical_ones_are_n_times_as_sure_at_most(aggregate):
    q = gaussian([1.5], [0.3])
    for count, variance in ((1, 0.3), (4, 0.3 / 4 if aggregate is product else 0.3)):
        mean, log_var = aggregate(jax.tree.map(lambda a, n=count: jnp.tile(a, (n, 1)), q), axis=0)
        assert float(mean[0]) == pytest.approx(1.5, abs=1e-6)
        assert float(jnp.exp(log_var[0])) == pytest.approx(variance, abs=1e-6)


@pytest.mark.parametrize("aggregate", [product, average])
def test_members_have_no_order_and_a_product_no_brackets(aggregate):
    q = Gaussian(*jax.random.normal(jax.random.key(0), (2, 4, 3)))
    together = aggregate(q, axis=0)
    other = aggregate(jax.tree.map(lambda a: a[::-1], q), axis=0)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), together, other)
    if aggregate is product:
        first = product(jax.tree.map(lambda a: a[:3], q), axis=0)
        both = jax.tree.map(lambda a, b: jnp.stack([a, b[3]]), first, q)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), together, product(both, 0)
        )


def in_numpy(model, mean, log_var):
    """q [n, z] with the content of each group aggregated, and the KL of all groups together."""
    mean, variance = np.float64(mean).copy(), np.exp(np.float64(log_var))
    kl = 0
    for start in range(0, len(mean), G):
        own = slice(start, start + G)
        m, v = mean[own, :CONTENT], variance[own, :CONTENT]
        if isinstance(model, GVAE):
            m, v = m.mean(axis=0), v.mean(axis=0)
        else:
            m, v = (m / v).sum(axis=0) / (1 / v).sum(axis=0), 1 / (1 / v).sum(axis=0)
        mean[own, :CONTENT], variance[own, :CONTENT] = m, v
        kl += 0.5 * (m**2 + v - np.log(v) - 1).sum()
        m, v = mean[own, CONTENT:], variance[own, CONTENT:]
        kl += 0.5 * (m**2 + v - np.log(v) - 1).sum()
    return mean, variance, kl


@pytest.fixture
def batch():
    return {"groups": {"images": jax.random.uniform(jax.random.key(1), (B, G, 4, 4, 1))}}


@pytest.mark.parametrize("model", [MLVAE(**GROUPS), GVAE(**GROUPS)], ids=lambda m: m.name)
def test_the_objective(model, batch):
    key = jax.random.key(2)
    state = jax.jit(model.init)(jax.random.key(0), batch)
    x = batch["groups"]["images"].reshape(B * G, 4, 4, 1)
    mean, variance, kl = in_numpy(model, *jax.jit(model.encode)(state, x))
    q, z = jax.jit(model.infer)(state, x, key)
    np.testing.assert_allclose(q.mean, mean, atol=1e-5)
    np.testing.assert_allclose(np.exp(q.log_var), variance, atol=1e-5)
    # One sample of content for a group, one of style for every image.
    content, style = np.split(np.asarray(z).reshape(B, G, Z), [CONTENT], axis=2)
    assert (content == content[:, :1]).all() and len(np.unique(content)) == B * CONTENT
    assert len(np.unique(style)) == style.size
    logits = np.float64(jax.jit(model.decode)(state, z).logits)
    reconstruction = (np.logaddexp(0, logits) - np.float64(x) * logits).sum()
    loss, logs = jax.jit(model.loss)(state.params, state, batch, key)
    assert float(loss) == pytest.approx((reconstruction + 3 * kl) / (B * G), rel=1e-5)
    assert float(logs["kl"]) == pytest.approx(kl / (B * G), rel=1e-4)


@pytest.fixture
def transparent(monkeypatch):
    """Models whose images are the mean and log-variance of their posterior."""
    for cls in (MLVAE, GVAE):
        monkeypatch.setattr(cls, "encode", lambda self, state, x: Gaussian(*jnp.split(x, 2, 1)))


@pytest.mark.parametrize("noise", [1, 0.5, 0])
def test_content_is_drawn_from_its_posterior(transparent, noise):
    model = MLVAE(**GROUPS, content_noise=noise)
    x = jnp.concatenate([jnp.full((8_000, Z), 2.0), jnp.full((8_000, Z), jnp.log(0.36))], axis=1)
    _, z = jax.jit(model.infer)(None, x, jax.random.key(0))
    content, style = z[::G, :CONTENT], z[:, CONTENT:]
    assert content.mean() == pytest.approx(2, abs=0.03) == style.mean()
    assert content.std() == pytest.approx(noise * np.sqrt(0.36 / G), abs=0.01)
    assert style.std() == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("cls", [MLVAE, GVAE])
def test_content_reaches_the_others_of_its_group_and_style_no_one(transparent, cls):
    model = cls(**GROUPS)
    x = jax.random.normal(jax.random.key(0), (B * G, 2 * Z))
    jacobian = jax.jit(jax.jacobian(lambda x: model.infer(None, x, jax.random.key(1))[1]))(x)
    reaches = (np.asarray(jacobian) != 0).any(axis=1)  # z of image i by the posterior of image j
    same, itself = np.kron(np.eye(B), np.ones((G, G))) == 1, np.eye(B * G) == 1
    for k in range(2 * Z):
        np.testing.assert_array_equal(reaches[:, :, k], same if k % Z < CONTENT else itself)


@pytest.mark.parametrize("cls", [MLVAE, GVAE])
def test_reconstruction_alone_teaches_the_content_head(cls, batch):
    model = cls(**GROUPS | {"beta": 0})
    state = jax.jit(model.init)(jax.random.key(0), batch)
    gradient = jax.jit(jax.grad(model.loss, has_aux=True))
    grads, _ = gradient(state.params, state, batch, jax.random.key(2))
    for head in ("mean", "log_var"):
        found = np.abs(grads["encoder"]["params"][head]["weights"]).sum(axis=0)
        assert (found > 1e-6).all()  # of all columns, content's first


def test_bad_groups_are_one_line_before_training():
    with pytest.raises(BadInput, match="ml_vae: members must be a whole number ≥ 2, found 1"):
        MLVAE(members=1)
    with pytest.raises(BadInput, match="gvae: content must be ≤ 10, the latents, found 11"):
        GVAE(content=11).check(None)
    MLVAE(content=10).check(None)
    with pytest.raises(BadInput, match="did you mean 'digit'"):
        make_view(MLVAE(factor="digits").needs[0]).check(Digits())


def learnt(model, updates=1_000):
    """The numbers of a short run on digits."""
    dataset = Digits()
    data = dataset.load()
    draw = partial(train.step_inputs, model, 0, dataset=dataset, data=data, batch_size=32)

    @jax.jit
    def run():
        state = model.init(jax.random.key(0), draw(0)[0])
        return jax.lax.fori_loop(0, updates, lambda i, s: model.update(s, *draw(i))[0], state)

    state, nothing = run(), np.zeros((dataset.size, 1))
    trained = Trained(
        Representation(nothing, nothing, nothing[:, 0], (10,), None, dataset.nuisance_sizes),
        partial(dataset.observe, data),
        partial(model.encode, state),
        lambda z: model.decode(state, z).mean,
        None,
        parts_of(model, dataset),
    )
    asked = trained, np.random.default_rng(0)
    with threadpool_limits(1, "blas"):
        return content(*asked, groups=300) | swap(*asked, pairs=256)


def test_groups_teach_what_content_is_and_shuffled_ones_do_not():
    """On digits, in a thousand updates; the shuffled groups are the negative control."""
    settings = {"network": "mlp", "learning_rate": 1e-3}
    matched, shuffled = (learnt(MLVAE(matched=own, **settings)) for own in (True, False))
    assert matched["swap_accuracy"] > 0.7 and matched["swap_leak"] < 0.1
    assert shuffled["swap_accuracy"] < 0.1 and shuffled["swap_leak"] > 0.7
    assert matched["content_accuracy_8"] > matched["content_accuracy_1"] > 0.85
    assert shuffled["content_accuracy_1"] < 0.7
    assert matched["style_accuracy_1"] < 0.5 < 0.8 < shuffled["style_accuracy_1"]


def test_the_code_says_which_factor_its_parts_hold():
    dataset = MiniSprites()
    assert parts_of(MLVAE(content=3), dataset) == {0: slice(0, 3)}
    assert parts_of(GVAE(factor="scale"), dataset) == {1: slice(0, 5)}
    assert parts_of(BetaVAE(), dataset) == {}
