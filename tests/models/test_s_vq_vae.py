"""S-VQ-VAE: its loss against numpy, its special cases, its bound, and that it needs its labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.benchmark import train
from soberlook.datasets import Digits, MiniSprites, draw_batch
from soberlook.models import SVQVAE, VQVAE, Terms
from soberlook.models.quantized import straight_through
from soberlook.registry import BadInput

B, Z, K = 12, 6, 4
IMAGES = jax.random.uniform(jax.random.key(1), (B, 4, 4, 1))
LABELS = jnp.stack([jnp.zeros(B, int), jnp.arange(B) % K], axis=1)
BATCH = {"labels": {"images": IMAGES, "labels": LABELS}}
SETTINGS = {"latents": Z, "codebook": K, "factor": 1, "network": "linear"}


def model_and_state(**settings):
    model = SVQVAE(**SETTINGS | settings)
    state = jax.jit(model.init)(jax.random.key(0), BATCH)
    book = jax.random.uniform(jax.random.key(2), (K, Z), minval=-1)
    if model.learns == "gradient":
        return model, state.replace(params=state.params | {"codebook": book})
    return model, state.replace(extra=state.extra | {"codes": book})


@pytest.mark.parametrize("learns", ["gradient", "average"])
def test_loss(learns):
    model, state = model_and_state(learns=learns, commitment=0.3, repulsion=0.2)
    z, e = np.float64(model.encoded(state, IMAGES)), np.float64(model.book(state))
    assert np.abs(z).max() < 1
    codes = learns == "gradient"
    reconstruction = -model.decode(state, jnp.float32(e[LABELS[:, 1]])).log_prob(IMAGES)
    losses, wrong = np.float64(reconstruction), 0
    for i, y in enumerate(LABELS[:, 1]):
        squared = ((z[i] - e) ** 2).sum(axis=1)
        j = np.argmin(squared)
        losses[i] += (codes + 0.3) * squared[y] - (j != y) * (codes + 0.2) * squared[j]
        wrong += j != y
    assert 0 < wrong < B
    _, logs = jax.jit(model.update)(state, BATCH, jax.random.key(3))
    assert float(logs["loss"]) == pytest.approx(losses.mean(), rel=1e-6)
    assert float(logs["reconstruction"]) == pytest.approx(float(reconstruction.mean()), rel=1e-6)
    assert float(logs["accuracy"]) == pytest.approx(1 - wrong / B)


def test_the_labels_code_passes_to_the_bit_and_gradients_pass_unchanged():
    model, state = model_and_state(commitment=0, repulsion=0, learns="average")
    book, seen = model.book(state), []
    spied = SVQVAE(**SETTINGS | {"commitment": 0.0, "repulsion": 0.0, "learns": "average"})
    object.__setattr__(spied, "decode", lambda s, z: seen.append(z) or model.decode(s, z))
    spied.loss(state.params, state, BATCH, jax.random.key(3))
    assert any((z == book[LABELS[:, 1]]).all() for z in seen)  # the other: the nearest code's

    # With nothing else in the loss, the encoder's gradient is the decoder's, at the code.
    def reconstruction(z):
        return -model.decode(state, z).log_prob(IMAGES).mean()

    def through_tanh(params):
        own = state.replace(params=params)
        at_code = jax.grad(reconstruction)(book[LABELS[:, 1]])
        return (model.encoded(own, IMAGES) * at_code).sum()

    found = jax.grad(lambda p: model.loss(p, state, BATCH, jax.random.key(3))[0])(state.params)
    expected = jax.grad(through_tanh)(state.params)
    for a, b in zip(*(jax.tree.leaves(g["encoder"]) for g in (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
        assert np.abs(a).max() > 0


def test_where_every_label_is_nearest_it_is_the_vq_vae():
    model, state = model_and_state()
    q = model.encode(state, IMAGES)
    z = straight_through(q.encoded, q.mean)
    reconstruction = -model.decode(state, z).log_prob(IMAGES)
    nearest = {"labels": {"images": IMAGES, "labels": LABELS.at[:, 1].set(q.index[:, 0])}}
    terms = Terms(state, IMAGES, q, z, reconstruction, nearest, jax.random.key(0))
    plain = VQVAE(latents=Z, codebook=K, network="linear")
    loss, logs = model.objective(terms)
    assert logs["push"].max() == 0 and float(logs["accuracy"].mean()) == 1
    assert float(loss) == pytest.approx(float(plain.objective(terms)[0]), rel=1e-6)
    wrong = model.objective(terms._replace(batch=BATCH))[0]
    assert abs(wrong - loss) > 0.1


def test_the_push_is_bounded():
    # All labels are of one class, and the other codes are only ever pushed, by large steps.
    model = SVQVAE(**SETTINGS | {"learning_rate": 0.3, "repulsion": 50.0})
    state = jax.jit(model.init)(jax.random.key(0), BATCH)
    batch = {"labels": {"images": IMAGES, "labels": jnp.zeros_like(LABELS)}}
    update = jax.jit(model.update)
    for _ in range(40):
        state, logs = update(state, batch, jax.random.key(3))
        assert 0 <= float(logs["push"]) <= 4 * (1 + 50) * Z
    book = model.book(state)
    assert float(jnp.abs(book).max()) == 1


def trained(labels):
    """Digits after 600 updates: the mean squared errors of what every class's code decodes to,
    from the images and from the class's mean; and the accuracy of the nearest code."""
    dataset = Digits()
    data = dataset.load()
    settings = {"codebook": 10, "commitment": 16.0, "likelihood": "gaussian", "network": "mlp"}
    model = SVQVAE(labels=labels, learning_rate=3e-3, **settings)

    @jax.jit
    def run(data):
        def inputs(step):
            return train.step_inputs(model, 0, step, dataset, data, 64)

        state = model.init(train.purpose_key(0, train.INITIALIZATION), inputs(0)[0])
        return jax.lax.fori_loop(0, 600, lambda i, s: model.update(s, *inputs(i))[0], state)

    state = run(data)
    pixels = data["images"] / jnp.float32(16)
    images = np.float64(pixels).reshape(10, -1, 64)
    decoded = np.float64(model.decode(state, model.book(state)).mean).reshape(10, 1, 64)
    index = model.encode(state, pixels).index.reshape(10, -1)
    error, from_mean = (
        np.square(decoded - other).mean() for other in (images, images.mean(1, keepdims=True))
    )
    within = np.square(images - images.mean(axis=1, keepdims=True)).mean()
    return error, from_mean, within, (index == np.arange(10)[:, None]).mean()


def test_a_codes_image_is_the_mean_of_its_class_and_labels_are_what_makes_it_so():
    error, from_mean, within, accuracy = trained("perfect")
    # .04248 for all of scikit-learn's digits, .07333 for one class; in [−1, 1] four times that.
    assert within == pytest.approx(0.0425, abs=3e-4)
    # What is decoded is a function of the class: no error is below the variance within classes.
    assert within <= error < 1.05 * within and from_mean < 0.05 * within
    assert accuracy > 0.85
    error, *_, accuracy = trained("random")
    assert error > 0.07 and accuracy < 0.3


def test_the_images_are_the_batchs_own_with_their_labels():
    dataset = Digits()
    data = dataset.load()
    pixels = data["images"] / jnp.float32(16)
    cells = {np.asarray(image).tobytes(): cell for cell, image in enumerate(pixels)}
    for labels, same in (("perfect", True), ("random", False)):
        needs = (*SVQVAE(labels=labels).needs, "images")
        keys = jax.random.split(jax.random.key(0))
        batch = draw_batch(dataset, data, needs, keys[0], 200, keys[1])
        np.testing.assert_array_equal(batch["labels"]["images"], batch["images"])
        digits = [cells[np.asarray(image).tobytes()] // 174 for image in batch["images"]]
        agree = (batch["labels"]["labels"][:, 0] == np.array(digits)).mean()
        assert agree == 1 if same else agree < 0.2


def test_bad_input():
    dataset = MiniSprites()
    for settings, message in (
        ({"codebook": 7, "factor": 3}, "codebook must be ≥ 8, the values of 'x' of .*, found 7"),
        ({"factor": 5}, "factor must be < 5, the factors of 'mini_sprites', found 5"),
        ({"positions": 2}, "positions must be 1, found 2"),
        ({"codebook": 7000}, "codebook must be ≤ 6144, the training images of"),
        ({"factor": 3, "learns": "average"}, "codebook must be 8, the values of .*, found 16"),
    ):
        with pytest.raises(BadInput, match=message):
            SVQVAE(**settings).check(dataset)
    for learns in ("gradient", "average"):
        SVQVAE(codebook=8, factor=3, learns=learns).check(dataset)
