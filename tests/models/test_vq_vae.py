"""VQ-VAE: its loss and its averages against numpy, what the gradient passes, and bad input."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.benchmark import train
from soberlook.datasets import ClassTree, MiniSprites
from soberlook.models import VQVAE
from soberlook.models.quantized import Quantized, straight_through
from soberlook.registry import BadInput

B, Z, K = 12, 6, 5
SMALL = {"latents": Z, "positions": 2, "codebook": K, "network": "linear"}
BATCH = {"images": jax.random.uniform(jax.random.key(1), (B, 4, 4, 1))}


def model_and_state(**settings):
    """With codes near what is encoded, and the last far away."""
    model = VQVAE(**SMALL | settings)
    state = jax.jit(model.init)(jax.random.key(0), BATCH)
    book = model.encoded(state, BATCH["images"]).reshape(-1, Z // 2)[:K]
    book += 0.02 * jax.random.normal(jax.random.key(2), book.shape)
    book = book.at[-1].set(10)
    if model.learns == "gradient":
        return model, state.replace(params=state.params | {"codebook": book})
    return model, state.replace(extra=state.extra | {"codes": book})


def in_numpy(model, state):
    """z_e [b, positions, z / positions], which code is nearest [b, positions], the codes."""
    encoded = np.float64(model.encoded(state, BATCH["images"])).reshape(B, 2, Z // 2)
    book = np.float64(model.book(state))
    index = np.zeros((B, 2), int)
    for i, p in np.ndindex(B, 2):
        index[i, p] = np.argmin([np.linalg.norm(encoded[i, p] - e) for e in book])
    return encoded, index, book


@pytest.mark.parametrize("learns", ["gradient", "average"])
def test_loss(learns):
    model, state = model_and_state(learns=learns, commitment=0.3)
    encoded, index, book = in_numpy(model, state)
    assert len(np.unique(index)) > 2
    codes = book[index]
    q = model.encode(state, BATCH["images"])
    np.testing.assert_array_equal(q.index, index)
    np.testing.assert_array_equal(q.mean, np.float32(codes.reshape(B, Z)))
    reconstruction = -model.decode(state, q.mean).log_prob(BATCH["images"])
    weight = 0.3 + (learns == "gradient")
    expected = np.float64(reconstruction).mean()
    expected += weight * np.square(encoded - codes).sum(axis=(1, 2)).mean()
    _, logs = jax.jit(model.update)(state, BATCH, jax.random.key(3))
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-6)
    assert float(logs["reconstruction"]) == pytest.approx(float(reconstruction.mean()), rel=1e-6)


def test_codes_pass_to_the_bit_and_gradients_pass_unchanged():
    model, state = model_and_state()
    q = model.encode(state, BATCH["images"])
    assert (np.abs(q.encoded - q.mean) > 0.01).any()
    np.testing.assert_array_equal(straight_through(q.encoded, q.mean), q.mean)

    def reconstruction(z):
        return -model.decode(state, z).log_prob(BATCH["images"]).sum()

    of_encoded = jax.grad(lambda z: reconstruction(straight_through(z, q.mean)))(q.encoded)
    np.testing.assert_array_equal(of_encoded, jax.grad(reconstruction)(q.mean))
    assert np.abs(of_encoded).max() > 0
    of_codes = jax.grad(lambda e: reconstruction(straight_through(q.encoded, e)))(q.mean)
    assert not of_codes.any()


def test_what_moves_a_code_is_the_distance_to_those_it_is_nearest_to():
    model, state = model_and_state()
    encoded, index, book = in_numpy(model, state)
    expected = np.zeros_like(book)
    for i, p in np.ndindex(B, 2):
        expected[index[i, p]] += 2 * (book[index[i, p]] - encoded[i, p]) / B
    grads = jax.grad(lambda p: model.loss(p, state, BATCH, jax.random.key(3))[0])(state.params)
    np.testing.assert_allclose(grads["codebook"], expected, rtol=1e-5, atol=1e-6)


def test_nothing_is_pulled_where_encodings_are_codes():
    model, _ = model_and_state()
    codes = jax.random.normal(jax.random.key(4), (B, Z))
    pull = partial(model.pull, commitment=0.3)
    assert not pull(codes, codes).any()
    grads = jax.grad(lambda *pair: pull(*pair).sum(), argnums=(0, 1))(codes, codes)
    assert not any(grad.any() for grad in grads)


def test_averages():
    model, state = model_and_state(learns="average", decay=0.7)
    encoded, index, book = in_numpy(model, state)
    after, logs = jax.jit(model.update)(state, BATCH, jax.random.key(3))
    counts = 0.7 + 0.3 * np.bincount(index.ravel(), minlength=K)
    sums = 0.7 * book
    for i, p in np.ndindex(B, 2):
        sums[index[i, p]] += 0.3 * encoded[i, p]
    np.testing.assert_allclose(after.extra["counts"], counts, rtol=1e-6)
    np.testing.assert_allclose(model.book(after), sums / counts[:, None], rtol=1e-5)
    share = 0.7 / K + 0.3 * np.bincount(index.ravel(), minlength=K) / index.size
    expected = np.exp(-(share * np.log(share)).sum())
    assert float(logs["perplexity"]) == pytest.approx(expected, rel=1e-5)

    # On one batch for ever, codes become the means of what is nearest to them.
    still = VQVAE(**SMALL, learns="average", decay=0.5, learning_rate=0)
    state = jax.lax.fori_loop(
        0, 60, lambda _, s: still.update(s, BATCH, jax.random.key(3))[0], state
    )
    encoded, index, book = in_numpy(still, state)
    for k in np.unique(index):
        np.testing.assert_allclose(book[k], encoded[index == k].mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_a_code_that_is_never_taken_stays_where_it_is(decay):
    """Also when its count is 0 by underflow; and then it moves as soon as it is taken."""
    model, state = model_and_state(learns="average", decay=decay)

    @jax.jit
    def trained(state):
        return jax.lax.fori_loop(
            0, 2000, lambda _, s: model.update(s, BATCH, jax.random.key(3))[0], state
        )

    after = trained(state)
    assert after.extra["counts"][-1] < 1e-8
    np.testing.assert_array_equal(model.book(after)[-1], 10)
    encoded = model.encoded(after, BATCH["images"]).reshape(-1, Z // 2)
    again = after.extra["codes"].at[:-1].set(1e3)  # all are nearest to the dead one now
    again, _ = model.update(
        after.replace(extra=after.extra | {"codes": again}), BATCH, jax.random.key(3)
    )
    np.testing.assert_allclose(model.book(again)[-1], encoded.mean(axis=0), rtol=0.05)


def test_dead_codes_are_those_that_are_hardly_ever_taken():
    model, state = model_and_state(decay=0.5, learning_rate=0)
    _, index, _ = in_numpy(model, state)
    unused = K - len(np.unique(index))
    assert unused == 1
    update = jax.jit(model.update)
    for step in range(20):
        state, logs = update(state, BATCH, jax.random.key(3))
        assert step or logs["dead_codes"] == 0  # not before there was time to be taken
    assert logs["dead_codes"] == unused
    share = np.bincount(index.ravel(), minlength=K) / index.size
    entropy = -(share[share > 0] * np.log(share[share > 0])).sum()
    assert float(logs["perplexity"]) == pytest.approx(np.exp(entropy), rel=1e-3)


def test_the_divergence_from_even_codes_is_log_k_a_position():
    q = Quantized(jnp.zeros((B, Z)), jnp.zeros((B, Z)), jnp.ones((B, 2, K)))
    np.testing.assert_allclose(q.kl(), 2 * np.log(K), rtol=1e-6)
    np.testing.assert_allclose(q.log_ratio(q.mean), -2 * np.log(K), rtol=1e-6)
    assert q.kl_per_latent().shape == (B, Z)


@pytest.mark.parametrize("learns", ["gradient", "average"])
def test_it_learns_the_classes_of_data_that_are_nothing_else(learns):
    # Of four classes and little noise: what codes do not explain is next to nothing.
    dataset = ClassTree(depth=2, noise=0.1)
    rates = {"learning_rate": 3e-3, "decay": 0.9}
    settings = {"network": "mlp", "likelihood": "gaussian", "learns": learns} | rates
    model, data = VQVAE(codebook=16, **settings), dataset.load()

    @jax.jit
    def run(data):
        def inputs(step):
            return train.step_inputs(model, 0, step, dataset, data, 64)

        def update(step, now):
            return model.update(now[0], *inputs(step))

        first = model.update(model.init(jax.random.key(0), inputs(0)[0]), *inputs(0))
        return first[1], jax.lax.fori_loop(1, 200, update, first)[1]

    # The mean squared error of 64 values: 1.01 by their mean.
    untrained, trained = (logs["reconstruction"] / 32 - np.log(2 * np.pi) for logs in run(data))
    assert untrained > 0.8 and trained < 0.05


def test_bad_input():
    with pytest.raises(BadInput, match="latents must be a multiple of positions, found 10 and 3"):
        VQVAE(positions=3)
    with pytest.raises(BadInput, match="codebook must be ≤ 6144, .*found 7000"):
        VQVAE(codebook=7000).check(MiniSprites())
    held_out = MiniSprites(training={"name": "held_out", "share": 0.5})
    with pytest.raises(BadInput, match="codebook must be ≤ 3072, .*found 4000"):
        VQVAE(codebook=4000).check(held_out)
    VQVAE(codebook=4000).check(MiniSprites())
