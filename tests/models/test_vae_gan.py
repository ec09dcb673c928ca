"""VAE/GAN: whose gradient comes from where, who rests, and what the losses are."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.models import VAEGAN, BetaVAE, networks
from soberlook.models.posteriors import Gaussian
from soberlook.registry import BadInput

NAMES = ("encoder", "decoder", "discriminator")
SHAPE, B, Z = (4, 4, 1), 6, 3
BATCH = {"images": jax.random.uniform(jax.random.key(1), (B, *SHAPE))}
KEY = jax.random.key(2)
MODEL = VAEGAN(latents=Z, network="mlp", beta=2, reconstruction_weight=0.3, layer=2)


@pytest.fixture(scope="module")
def state():
    return jax.jit(MODEL.init)(jax.random.key(0), BATCH)


@jax.jit
def losses_and_gradients(model, state):
    """(losses, logs) and for each loss its gradient by every network's parameters."""

    def losses(params):
        return model.losses(params, state, BATCH, KEY)

    jacobian = jax.jacrev(lambda params: losses(params)[0])(state.params)
    return losses(state.params), jacobian


def step(model, state):
    """The parameters after an update, and its logs."""
    after, logs = jax.jit(type(model).update)(model, state, BATCH, KEY)
    return after.params, logs


def same(a, b):
    return all((x == y).all() for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


def changed(**settings):
    return dataclasses.replace(MODEL, **settings)


def dense(params, x):
    """The discriminator's (logits, hidden layers) in float64 from its weights alone."""
    h, layers = np.float64(x).reshape(len(x), -1), []
    for i in range(len(params["params"])):
        weights = np.float64(params["params"][f"Dense_{i}"]["weights"])
        h = h @ weights[:-1] + weights[-1]
        layers.append(h := np.where(h > 0, h, 0.2 * h) if i < 2 else h)
    return h[:, 0], layers


def test_losses_against_their_formulas(state):
    (losses, logs), _ = losses_and_gradients(MODEL, state)
    q, z = MODEL.infer(state, BATCH["images"], KEY)
    z_p = jax.random.normal(jax.random.fold_in(KEY, 1), (B, Z))
    x, made, prior = BATCH["images"], MODEL.decode(state, z).mean, MODEL.decode(state, z_p).mean
    (l_x, d_x), (l_z, d_z), (l_p, _) = (
        dense(state.params["discriminator"], images) for images in (x, made, prior)
    )
    variance = d_x[1].var(axis=0).mean() + 1e-6
    similarity = 0.5 * np.square(d_x[1] - d_z[1]).sum(axis=1).mean() / variance
    d = [1 / (1 + np.exp(-logits)) for logits in (l_x, l_z, l_p)]
    gan = (np.log(d[0]) + 0.5 * np.log(1 - d[1]) + 0.5 * np.log(1 - d[2])).mean()
    mean, log_var = map(np.float64, q)
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    x, p = np.float64(x), np.float64(made)
    pixels = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=(1, 2, 3)).mean()
    expected = {
        "encoder": 2 * kl + similarity,
        "decoder": 0.3 * similarity + 0.7 * gan,
        "discriminator": -gan,
    }
    assert jax.tree.map(float, losses) == pytest.approx(expected, rel=1e-5)
    assert float(logs["reconstruction"]) == pytest.approx(pixels, rel=1e-5)
    assert float(logs["loss"]) == pytest.approx(expected["encoder"], rel=1e-5)


def test_features_are_compared_in_units_of_their_own_spread(state):
    """However large a layer's numbers are; and no gradient flows through the unit."""

    def similarity(scale):
        layers = jax.tree.map(lambda p: scale * p, state.params["discriminator"]["params"])
        params = state.params | {"discriminator": {"params": layers}}
        return losses_and_gradients(MODEL, state.replace(params=params))[0][1]["similarity"]

    # s² has 1e-6 added: of the layers' numbers, whose variance is about .02.
    assert float(similarity(3.0)) == pytest.approx(float(similarity(1.0)), rel=1e-3)
    (losses, _), gradients = losses_and_gradients(changed(beta=0, layer=1), state)
    # By the discriminator's first layer L_l has the derivative of |D_l(x) − D_l(x̃)|² alone, which
    # is of degree 2 in its weights w (leaky ReLU): ⟨w, dL/dw⟩ = 2 L, and 0 if s² were derived too.
    first = "params", "Dense_0"
    w, g = (t["discriminator"][first[0]][first[1]] for t in (state.params, gradients["encoder"]))
    found = sum(float((a * b).sum()) for a, b in zip(*map(jax.tree.leaves, (w, g)), strict=True))
    assert found == pytest.approx(2 * float(losses["encoder"]), rel=1e-4)


def test_an_update_takes_from_each_loss_the_gradient_of_its_own_network(state):
    """By Adam's first moment after one update, which is a tenth of the gradient."""
    _, gradients = losses_and_gradients(MODEL, state)
    after, _ = jax.jit(VAEGAN.update)(MODEL, state, BATCH, KEY)
    for name in NAMES:
        for m, g in zip(
            *map(jax.tree.leaves, (after.opt[name].mu, gradients[name][name])), strict=True
        ):
            np.testing.assert_allclose(m, 0.1 * g, rtol=1e-3, atol=1e-6)


def test_the_encoders_update_does_not_depend_on_the_adversary(state):
    few, many = (step(changed(reconstruction_weight=w), state)[0] for w in (1e-4, 0.9))
    assert same(few["encoder"], many["encoder"])
    assert same(few["discriminator"], many["discriminator"])
    assert not same(few["decoder"], many["decoder"])


def test_the_discriminators_update_does_not_depend_on_what_it_is_used_to_compare(state):
    """Neither L_l nor the KL move it: here of another layer, and of another weight."""
    plain = step(MODEL, state)[0]
    for other in (changed(layer=1), changed(beta=50)):
        params, _ = step(other, state)
        assert same(plain["discriminator"], params["discriminator"])
        assert not same(plain["encoder"], params["encoder"])


def test_a_reconstruction_weight_of_1_leaves_the_decoder_the_reconstruction_alone(state):
    _, gradients = losses_and_gradients(changed(reconstruction_weight=1), state)
    # The encoder's loss is β KL + L_l, of which the decoder moves L_l.
    for a, b in zip(
        *map(jax.tree.leaves, (gradients["decoder"]["decoder"], gradients["encoder"]["decoder"])),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-8)
    _, other = losses_and_gradients(MODEL, state)
    assert not same(gradients["decoder"]["decoder"], other["decoder"]["decoder"])


def test_without_a_reconstruction_the_decoder_is_the_discriminators_adversary(state):
    """What one descends the other ascends, and a step of the decoder makes that cost rise."""
    model = changed(reconstruction_weight=0)
    (_, logs), gradients = losses_and_gradients(model, state)
    decoder, discriminator = (gradients[name]["decoder"] for name in ("decoder", "discriminator"))
    for a, b in zip(*map(jax.tree.leaves, (decoder, discriminator)), strict=True):
        np.testing.assert_allclose(a, -b, rtol=1e-5, atol=1e-8)
    moved = jax.tree.map(lambda p, g: p - 0.1 * g, state.params["decoder"], decoder)
    (_, after), _ = losses_and_gradients(
        model, state.replace(params=state.params | {"decoder": moved})
    )
    assert after["cost_made"] > logs["cost_made"]


class Identity:
    """A discriminator whose every layer is the image."""

    def init(self, key, x):
        return {"scale": jnp.ones(())}

    def apply(self, params, x):
        flat = params["scale"] * x.reshape(len(x), -1)
        return 0.0 * flat.sum(axis=1), [flat] * 3


@pytest.mark.parametrize("pixels", [False, True], ids=["identity", "layer 0"])
def test_with_the_identity_for_features_it_is_the_vae(pixels, monkeypatch, state):
    """Loss, and parameters after an update, of the VAE with a Gaussian likelihood."""
    own = {"reconstruction_weight": 1, "likelihood": "gaussian", "margin": 9, "network": "linear"}
    # Images of pixels with a variance of 1.
    batch = {"images": BATCH["images"] / jnp.sqrt(BATCH["images"].var(axis=0).mean())}
    if not pixels:
        monkeypatch.setattr(networks, "image_discriminator", lambda *_: Identity())
    model = changed(**own, layer=0 if pixels else 2)
    vae = BetaVAE(beta=2, latents=Z, network="linear", likelihood="gaussian")
    start = model.init(jax.random.key(0), BATCH)
    params = {name: start.params[name] for name in ("encoder", "decoder")}
    vae_state = vae.init(jax.random.key(0), BATCH).replace(params=params)
    after, logs = jax.jit(model.update)(start, batch, KEY)
    expected, vae_logs = jax.jit(vae.update)(vae_state, batch, KEY)
    constant = 0 if pixels else 8 * np.log(2 * np.pi)  # of a Gaussian of 16 pixels
    assert float(logs["loss"]) + constant == pytest.approx(float(vae_logs["loss"]), rel=3e-6)
    assert float(logs["reconstruction"]) == pytest.approx(float(vae_logs["reconstruction"]))
    for name in params:
        for a, b in zip(
            *map(jax.tree.leaves, (after.params[name], expected.params[name])), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("real", "made", "discriminator", "decoder"),
    [
        (0.68, 0.68, True, True),
        (0.27, 0.68, False, True),  # it knows the real ones already
        (0.68, 0.27, False, True),
        (0.68, 1.09, True, False),  # it takes the made ones for real
        (1.09, 0.68, True, False),
        (0.27, 1.09, True, True),  # both would rest
        (0.29, 1.07, True, True),
    ],
)
def test_who_rests(real, made, discriminator, decoder):
    found = MODEL.players(jnp.float32(real), jnp.float32(made))
    expected = {"encoder": True, "decoder": decoder, "discriminator": discriminator}
    assert jax.tree.map(bool, found) == expected


def test_who_rests_stays_as_it_is(state):
    """With the costs of a fresh discriminator, about log 2, an equilibrium decides who is above."""
    for equilibrium, resting in ((3.0, "discriminator"), (0.0, "decoder")):
        model = changed(equilibrium=equilibrium, margin=0.01)
        after, logs = jax.jit(VAEGAN.update)(model, state, BATCH, KEY)
        for name in NAMES:
            assert same(after.params[name], state.params[name]) == (name == resting)
            assert same(after.opt[name], state.opt[name]) == (name == resting)
            assert logs[f"{name}_plays"] == (name != resting)


@jax.jit
def judged(model, params, state, key):
    """The gradient of the discriminator's loss by its parameters, and logs."""
    batch = {"images": jax.random.uniform(key, (4096, *SHAPE))}

    def loss(own):
        found, logs = model.losses({"discriminator": own}, state, batch, key)
        return found["discriminator"], logs

    return jax.grad(loss, has_aux=True)(params)


class Copy(NamedTuple):
    """A decoder that makes what the data is made of, whatever the code."""

    mean: jax.Array

    def log_prob(self, x):
        return jnp.zeros(len(x))


def test_a_discriminator_of_equal_distributions_learns_to_say_one_half(monkeypatch, state):
    def decode(self, state, z):
        key = jax.random.key((1e6 * jnp.abs(z).sum()).astype(jnp.int32))
        return Copy(jax.random.uniform(key, (len(z), *SHAPE)))

    def infer(self, state, x, key):
        mean = jnp.zeros((len(x), Z))
        return Gaussian(mean, mean), jax.random.normal(key, mean.shape)

    monkeypatch.setattr(VAEGAN, "decode", decode)
    monkeypatch.setattr(VAEGAN, "infer", infer)
    model = changed(network="linear", layer=0)
    params = model._discriminator(SHAPE).init(jax.random.key(0), jnp.zeros((1, *SHAPE)))
    for i in range(150):
        grads, logs = judged(model, params, state, jax.random.key(i))
        params = jax.tree.map(lambda p, g: p - 0.5 * g, params, grads)
    d = jax.nn.sigmoid(model.discriminate(params, BATCH["images"])[0])
    np.testing.assert_allclose(d, 0.5, atol=0.06)
    for cost in ("cost_real", "cost_made"):
        assert float(logs[cost]) == pytest.approx(np.log(2), abs=0.03)


def test_the_discriminator_has_the_encoders_layers():
    dense, conv = (networks.image_discriminator(n, (16, 16, 3)) for n in ("mlp", "conv"))
    assert dense.widths == (128, 128) and (conv.features, conv.widths) == ((32, 64), (256,))
    for network, widths in ((dense, (768, 128, 128)), (conv, (768, 8 * 8 * 32, 4 * 4 * 64, 256))):
        x = jnp.zeros((2, 16, 16, 3))
        params = jax.eval_shape(network.init, jax.random.key(0), x)
        logit, layers = jax.eval_shape(network.apply, params, x)
        assert logit.shape == (2,) and tuple(layer.shape[1] for layer in layers) == widths
        assert network.hidden == len(widths) - 1


@pytest.mark.parametrize(("network", "hidden"), [("mlp", 2), ("conv", 3), ("linear", 0)])
def test_a_layer_that_the_discriminator_does_not_have(network, hidden):
    with pytest.raises(BadInput, match=f"layer must be .* to {hidden} .*, found {hidden + 1}"):
        VAEGAN(network=network, layer=hidden + 1).resolved((16, 16, 1))
    assert VAEGAN(network=network, layer=hidden).resolved((16, 16, 1)).network == network


@pytest.mark.parametrize(("network", "layer"), [("mlp", 1), ("conv", 2), ("linear", 0)])
def test_which_layer_auto_is(network, layer):
    """The last convolution, the first dense layer, or pixels where there is none."""
    assert VAEGAN(network=network).resolved((16, 16, 1)).layer == layer
    with pytest.raises(BadInput, match="layer must be one of 'auto', 0, 1"):
        VAEGAN(layer=-1)


def test_a_decoder_that_draws_pixel_by_pixel_has_no_images_to_judge():
    with pytest.raises(BadInput, match="network must draw images at once, found 'made'"):
        VAEGAN(network="made").resolved((16, 16, 1))
