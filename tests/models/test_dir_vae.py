"""DirVAE and its baselines on the simplex: objectives against independent formulas in float64."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from soberlook.benchmark import train
from soberlook.datasets import Digits
from soberlook.models import BetaVAE, DirVAE, LogisticNormalVAE, SemiDirVAE, StickBreakingVAE
from soberlook.models.dir_vae import by_moments
from soberlook.registry import BadInput

B, Z, C = 6, 4, 3


def fast(function):
    """Compiled as a whole, and with little effort: operation by operation takes far longer."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


@pytest.fixture(scope="module")
def batch():
    key_images, key_labelled, key_labels = jax.random.split(jax.random.key(1), 3)
    x = jax.random.uniform(key_images, (B, 4, 4, 1))
    labels = jax.random.randint(key_labels, (B, 2), 0, C)
    labelled = {"images": jax.random.uniform(key_labelled, (B, 4, 4, 1)), "labels": labels}
    return {"images": x, "labels": labelled}


def started(model, batch):
    return model, fast(model.init)(jax.random.key(0), batch)


@pytest.mark.parametrize("divergence", ["multigamma", "dirichlet"])
def test_dir_vae(divergence, batch):
    model, state = started(
        DirVAE(latents=Z, divergence=divergence, concentration=0.7, beta=3, floor=0.01), batch
    )
    loss, logs = fast(model.loss)(state.params, state, batch, jax.random.key(2))
    a = np.logaddexp(0, np.float64(model.heads_of(state, batch["images"])[0])) + 0.01
    g, psi, b = special.gammaln, special.digamma, 0.7
    kl = (g(b) - g(a) + (a - b) * psi(a)).sum(axis=1)
    if divergence == "dirichlet":
        total = a.sum(axis=1)
        kl = g(total) - g(Z * b) + (g(b) - g(a)).sum(axis=1)
        kl += ((a - b) * (psi(a) - psi(total)[:, None])).sum(axis=1)
    _, z = fast(model.infer)(state, batch["images"], jax.random.key(2))
    reconstruction = -model.decode(state, z).log_prob(batch["images"]).mean()
    assert float(logs["kl"]) == pytest.approx(kl.mean(), rel=1e-4)
    assert float(loss) == pytest.approx(float(reconstruction) + 3 * kl.mean(), rel=1e-5)


def test_the_codes_are_the_inverse_of_the_lower_tail(batch):
    model, state = started(DirVAE(latents=Z), batch)
    posterior, z = fast(model.infer)(state, batch["images"], jax.random.key(2))
    a = np.float64(posterior.concentration)
    key = jax.random.fold_in(jax.random.key(2), 0)
    u = np.float64(jax.random.uniform(key, a.shape, minval=1e-6, maxval=1 - 1e-6))
    v = (u * a * special.gamma(a)) ** (1 / a)
    np.testing.assert_allclose(z, v / v.sum(axis=1, keepdims=True), rtol=1e-4)


@pytest.mark.parametrize("true", [(0.2, 0.5, 1.3), (0.98, 0.98, 0.98), (2.0, 0.1, 5.0)])
def test_the_method_of_moments_finds_a_dirichlet(true):
    a = np.array(true)
    mean, total = a / a.sum(), a.sum()
    second = mean * (a + 1) / (total + 1)
    np.testing.assert_allclose(by_moments(jnp.array(mean), jnp.array(second)), a, rtol=1e-3)
    z = np.random.default_rng(0).dirichlet(a, size=50_000)
    estimate = by_moments(jnp.array(z.mean(axis=0)), jnp.array((z**2).mean(axis=0)))
    np.testing.assert_allclose(estimate, a, rtol=0.04)


def test_a_learned_prior_starts_as_the_fixed_one_and_follows_the_codes(batch):
    model, state = started(DirVAE(latents=Z, prior="learned", memory=0.9), batch)
    fixed = DirVAE(latents=Z)
    np.testing.assert_allclose(by_moments(*state.extra), 0.98, rtol=1e-3)
    losses = [
        fast(m.loss)(state.params, state, batch, jax.random.key(2))[0] for m in (model, fixed)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-4)
    after, logs = fast(model.update)(state, batch, jax.random.key(2))
    _, z = fast(model.infer)(state, batch["images"], jax.random.key(2))
    first, second = (np.float64(z**p).mean(axis=0) for p in (1, 2))
    np.testing.assert_allclose(after.extra[0], 0.9 / Z + 0.1 * first, rtol=1e-5)
    start = 1.98 / (Z * 0.98 + 1) / Z
    np.testing.assert_allclose(after.extra[1], 0.9 * start + 0.1 * second, rtol=1e-5)
    prior = model.encode(after, batch["images"]).prior
    np.testing.assert_array_equal(prior[0], by_moments(*after.extra))
    assert float(logs["concentration"]) == pytest.approx(float(prior[0].mean()), rel=1e-6)
    # Dead and constant codes leave it finite, and within bounds.
    dead = by_moments(jnp.array([0.0, 0.0, 1.0]), jnp.array([0.0, 0.0, 1.0]))
    assert ((dead >= 1e-3) & (dead <= 100)).all()


def test_stick_breaking_and_logistic_normal(batch):
    sticks, state = started(StickBreakingVAE(latents=Z, concentration=5, floor=0.01), batch)
    _, logs = fast(sticks.loss)(state.params, state, batch, jax.random.key(2))
    a, b = (np.logaddexp(0, np.float64(h)) + 0.01 for h in sticks.heads_of(state, batch["images"]))
    kl = (a - 1) / a * (-np.euler_gamma - special.digamma(b) - 1 / b) + np.log(a * b)
    kl += special.betaln(1, 5) - (b - 1) / b
    kl += 4 * sum(b / (m + a * b) * special.beta(m / a, b) for m in range(1, 11))
    assert float(logs["kl"]) == pytest.approx(kl.sum(axis=1).mean(), rel=1e-4)

    normal, state = started(LogisticNormalVAE(latents=Z, concentration=0.3), batch)
    vae = BetaVAE(beta=1, latents=Z)
    _, logs = fast(normal.loss)(state.params, state, batch, jax.random.key(2))
    _, theirs = fast(vae.loss)(state.params, state, batch, jax.random.key(2))
    assert logs["kl"] == theirs["kl"]
    _, z = fast(normal.infer)(state, batch["images"], jax.random.key(2))
    _, y = fast(vae.infer)(state, batch["images"], jax.random.key(2))
    scale = np.sqrt((1 - 1 / Z) / 0.3)
    np.testing.assert_allclose(z, special.softmax(scale * np.float64(y), axis=1), rtol=1e-5)
    # K = 50 and α = .98, as for MNIST, is the standard normal prior.
    wide, state = started(LogisticNormalVAE(latents=50), batch)
    assert float(wide.encode(state, batch["images"]).scale[0, 0]) == pytest.approx(1)


def semi(**settings):
    return SemiDirVAE(latents=Z, classes=C, factor=1, **settings)


def test_semi_supervised(batch):
    """Σ_y q L − H of images, L of labelled ones at their labels, and a times the cross-entropy."""
    model, state = started(semi(classifier_weight=7, beta=2), batch)
    key = jax.random.key(2)
    loss, logs = fast(model.loss)(state.params, state, batch, key)
    x = model.observed(batch)
    posterior = model.encode(state, x)
    q = special.softmax(np.float64(posterior.logits), axis=1)
    z = posterior.given.sample(key)
    bounds = np.empty((2 * B, C))
    for y in range(C):
        codes = jnp.concatenate([z[:, y], jnp.tile(jnp.eye(C)[y : y + 1], (2 * B, 1))], axis=1)
        bounds[:, y] = -model.decode(state, codes).log_prob(x)
    bounds += 2 * np.float64(posterior.given.kl()) + np.log(C)
    labels = np.asarray(batch["labels"]["labels"][:, 1])
    unlabelled = (q * (bounds + np.log(q)))[:B].sum(axis=1)
    labelled = bounds[B:][np.arange(B), labels]
    cross_entropy = -np.log(q[B:][np.arange(B), labels]).mean()
    expected = np.concatenate([unlabelled, labelled]).mean() + 7 * cross_entropy
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert float(logs["cross_entropy"]) == pytest.approx(cross_entropy, rel=1e-5)
    # The KL is that of the codes, without its weight.
    q[B:] = np.eye(C)[labels]
    kl = (q * np.float64(posterior.given.kl())).sum(axis=1).mean()
    assert float(logs["kl"]) == pytest.approx(kl, rel=1e-5)


def test_a_semi_supervised_prior_is_learned_from_the_codes_that_are_trained_on(batch):
    """Those that the decoder was shown, weighed as the bounds are: labelled images by their y."""
    model, state = started(semi(prior="learned", memory=0.0), batch)
    key, shown = jax.random.key(2), []
    spied = semi(prior="learned", memory=0.0)
    object.__setattr__(spied, "decode", lambda s, z: shown.append(z) or model.decode(s, z))
    spied.loss(state.params, state, batch, key)
    z = np.float64(shown[0][:, :Z]).reshape(2 * B, C, Z)
    after, _ = fast(model.update)(state, batch, key)
    q = special.softmax(np.float64(model.encode(state, model.observed(batch)).logits), axis=1)
    q[B:] = np.eye(C)[np.asarray(batch["labels"]["labels"][:, 1])]
    for power, found in enumerate(after.extra, start=1):
        expected = np.einsum("nc,ncz->z", q, z**power) / (2 * B)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def gradient(model, state, batch, part):
    params = {**state.params}
    whole = fast(jax.grad(lambda p: model.loss(p, state, batch, jax.random.key(2))[0]))(params)
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(whole[part])])


def test_labels_reach_what_they_ought_to(batch):
    """A label of another value changes the classifier's gradient, one of another factor nothing;
    and the weight of the classifier is no matter of encoder and decoder."""
    model, state = started(semi(), batch)
    labels = batch["labels"]["labels"]
    columns = (labels.at[0, 1].set((labels[0, 1] + 1) % C), labels.at[:, 0].set(0))
    changed, same = (
        {**batch, "labels": {**batch["labels"], "labels": column}} for column in columns
    )
    plain = gradient(model, state, batch, "classifier")
    assert not np.allclose(plain, gradient(model, state, changed, "classifier"))
    np.testing.assert_array_equal(plain, gradient(model, state, same, "classifier"))
    unweighted = semi(classifier_weight=0)
    assert not np.allclose(plain, gradient(unweighted, state, batch, "classifier"))
    for part in ("encoder", "decoder"):
        a, b = (gradient(m, state, batch, part) for m in (model, unweighted))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def accuracy(labels, *weights, updates=400):
    """Of the class that a model with each of these weights says of digits, after training."""
    digits = Digits()
    data, cells = digits.load(), jnp.arange(digits.size)
    x, truth = digits.observe(data, cells, None), digits.factors(cells)[:, 0]

    def train_one(model):
        draw = partial(train.step_inputs, model, 0, dataset=digits, data=data, batch_size=32)
        state = model.init(jax.random.key(0), draw(0)[0])

        def update(step, state):
            return model.update(state, *draw(step))[0]

        state = jax.lax.fori_loop(0, updates, update, state)
        return jnp.mean(model.encode(state, x).logits.argmax(axis=1) == truth)

    own = {"latents": 5, "network": "mlp", "labels": labels, "learning_rate": 3e-3}
    models = [SemiDirVAE(classifier_weight=weight, **own) for weight in weights]
    return fast(jax.vmap(train_one))(jax.tree.map(lambda *leaf: jnp.array(leaf), *models))


def test_labels_are_learnt_and_random_ones_are_not():
    """Also where the classifier has no term of its own: L(x, y) says the class to the decoder."""
    taught, by_the_bound = accuracy("perfect", 50.0, 0.0)
    (by_chance,) = accuracy("random", 50.0)
    assert taught > 0.7 and by_the_bound > 0.5 and by_chance < 0.3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"concentration": 0}, "dir_vae: concentration must be a finite number ≥ 0.001"),
        ({"concentration": 1e3}, "concentration must be .* found 1000"),
        ({"latents": 1}, "latents must be .*≥ 2, found 1"),
        ({"floor": 0}, "floor must be"),
        ({"divergence": "kl"}, "divergence must be"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(BadInput, match=message):
        DirVAE(**settings)


def test_classes_that_are_not_the_labels():
    SemiDirVAE().check(Digits())
    with pytest.raises(BadInput, match="classes must be 10, the values of 'digit' of .*, found 3"):
        SemiDirVAE(classes=3).check(Digits())
    with pytest.raises(BadInput, match="factor must be < 1, the factors of 'digits', found 1"):
        SemiDirVAE(factor=1).check(Digits())
    with pytest.raises(BadInput, match="concentration must be"):
        StickBreakingVAE(concentration=0)
    with pytest.raises(BadInput, match="latents must be"):
        StickBreakingVAE(latents=1)
