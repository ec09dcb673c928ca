"""GCVAE and ControlVAE: distances, special cases, what gradients see, and set-points reached."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.benchmark import train
from soberlook.datasets import Adult, Digits, MiniSprites
from soberlook.models import GCVAE, BetaVAE, ControlVAE, sweep
from soberlook.models.gcvae import mahalanobis, mmd, precision
from soberlook.registry import BadInput

B, K = 16, 3
ELBO = {"alpha_min": -1, "alpha_max": -1, "beta_min": 1, "beta_max": 1}
NO_DISTANCE = {"gamma_min": 0, "gamma_max": 0}


@pytest.fixture(scope="module")
def codes():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((B, K)) @ rng.standard_normal((K, K)) + 1
    return z.astype(np.float32), rng.standard_normal((B, K)).astype(np.float32)


@pytest.fixture(scope="module")
def step():
    return {"images": jax.random.uniform(jax.random.key(1), (B, 4, 5, 1))}, jax.random.key(2)


def evaluated(model, step):
    """Loss, logs and gradients at its first parameters; all models of this file have the same."""
    state = model.init(jax.random.key(0), step[0])
    value_and_grad = jax.value_and_grad(model.loss, has_aux=True)
    (loss, logs), grads = value_and_grad(state.params, state, *step)
    return float(loss), {k: float(v) for k, v in logs.items()}, jax.flatten_util.ravel_pytree(grads)


def gcvae(**settings):
    return GCVAE(latents=K, network="linear", **settings)


def test_mmd(codes):
    z, other = np.float64(codes)
    total = 0
    for a, b, sign in ((z, z, 1), (other, other, 1), (z, other, -2)):
        for i in range(B):
            for j in range(B):
                total += sign * np.exp(-np.mean((a[i] - b[j]) ** 2) / K) / B**2
    assert mmd(*codes) == pytest.approx(total, rel=1e-5)
    assert mmd(*codes) == pytest.approx(float(mmd(*codes[::-1])), rel=1e-6)
    assert mmd(codes[0], codes[0]) == 0


@pytest.mark.parametrize("scale", [1, 0.01, 100])
def test_mahalanobis_of_codes_to_themselves_is_a_constant(codes, scale):
    z = scale * codes[0]
    assert mahalanobis(z) == pytest.approx(K * (B - 1) / B, rel=1e-4)
    deviations = np.float64(z) - np.float64(z).mean(axis=0)
    own = np.einsum("bi,ij,bj->b", deviations, np.linalg.inv(np.cov(np.float64(z).T)), deviations)
    assert own.mean() == pytest.approx(K * (B - 1) / B)
    # Fewer codes than latents: as many directions as they span.
    assert mahalanobis(z[:3]) == pytest.approx(2 * (3 - 1) / 3, rel=1e-4)


def test_precision_is_the_inverse_covariance(codes):
    np.testing.assert_allclose(precision(codes[0]), np.linalg.inv(np.cov(codes[0].T)), rtol=1e-3)


def test_distances_as_the_objective_sees_them(step):
    """Its gradient with all else weighed 0: none of a constant, some of MMD's, and the values."""
    alone = {"alpha_min": 1, "alpha_max": 1, "beta_min": 0, "beta_max": 0}
    alone |= {"gamma_min": 2, "gamma_max": 2}
    logs, grads = {}, {}
    for name in ("mmd", "mahalanobis", "mah_mmd"):
        loss, logs[name], (grads[name], _) = evaluated(gcvae(distance=name, **alone), step)
        assert loss == pytest.approx(2 * logs[name]["distance"], rel=1e-6)
    assert logs["mahalanobis"]["distance"] == pytest.approx(K * (B - 1) / B, rel=1e-4)
    assert (grads["mahalanobis"] == 0).all()
    assert (grads["mmd"] != 0).any()
    # The precision is a constant: a gradient is MMD's, so many times.
    times = logs["mah_mmd"]["distance"] / logs["mmd"]["distance"]
    assert times > 1.5
    close(grads["mah_mmd"], times * grads["mmd"])
    model = gcvae()
    state = model.init(jax.random.key(0), step[0])
    _, z = model.infer(state, step[0]["images"], step[1])
    inverse = np.linalg.inv(np.cov(np.float64(z).T))
    expected = np.diag(inverse).mean() * logs["mmd"]["distance"]
    assert logs["mah_mmd"]["distance"] == pytest.approx(expected, rel=1e-4)


def close(grads, expected):
    np.testing.assert_allclose(grads, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("beta", [1, 4])
def test_vae_and_beta_vae_are_special_cases(beta, step):
    weights = {"alpha_min": -beta, "alpha_max": -beta, "beta_min": beta, "beta_max": beta}
    loss, _, (grads, _) = evaluated(gcvae(**weights, **NO_DISTANCE), step)
    expected, _, (gradient, _) = evaluated(BetaVAE(beta=beta, latents=K, network="linear"), step)
    assert loss == pytest.approx(expected, rel=1e-6)
    close(grads, gradient)


def test_control_vae_is_a_special_case(step):
    """α = 0 is (1 − w) times a VAE with β = w / (1 − w), and w is ControlVAE's weight."""
    bounds = {"beta_min": 0, "beta_max": 1, "kp": 0.3, "ki": 0.01, "kl_target": 0.2}
    no_alpha = {"alpha_min": 0, "alpha_max": 0}
    loss, logs, (grads, _) = evaluated(gcvae(**bounds, **no_alpha, **NO_DISTANCE), step)
    own, own_logs, (own_grads, _) = evaluated(
        ControlVAE(latents=K, network="linear", kl_rise=1, **bounds), step
    )
    w, reconstruction, kl = logs["beta"], logs["reconstruction"], logs["kl"]
    assert 0 < w < 1 and w == own_logs["beta"]
    assert loss == pytest.approx((1 - w) * reconstruction + w * kl, rel=1e-6)
    assert own == pytest.approx(reconstruction + w * kl, rel=1e-6)
    fixed = BetaVAE(beta=w / (1 - w), latents=K, network="linear")
    close(grads, (1 - w) * evaluated(fixed, step)[2][0])
    # Nor does a gradient flow through the weight.
    close(own_grads, evaluated(BetaVAE(beta=w, latents=K, network="linear"), step)[2][0])


def test_info_vae_is_a_special_case(step):
    weights = {"alpha_min": 0, "alpha_max": 0, "beta_min": 0, "beta_max": 0}
    weights |= {"gamma_min": 500, "gamma_max": 500}
    loss, logs, _ = evaluated(gcvae(**weights), step)
    assert loss == pytest.approx(logs["reconstruction"] + 500 * logs["distance"], rel=1e-6)


def test_loss_and_memories(step):
    """The published weights at a reconstruction, KL and distance that were measured."""
    model = gcvae(kl_target=0.5, reconstruction_target=14.5)
    state = model.init(jax.random.key(0), step[0])
    after, logs = model.update(state, *step)
    again, second = model.update(after, *step)
    e = {k: np.float64(c) for k, c in {"alpha": 14.5, "beta": 0.5, "gamma": 0.1}.items()}
    names = {"alpha": "reconstruction", "beta": "kl", "gamma": "distance"}
    e = {k: e[k] - float(logs[name]) for k, name in names.items()}
    weight = {k: 0.1 / (1 + np.exp(e[k])) - 1e-4 * e[k] + (k == "gamma") for k in e}
    for name, value in weight.items():
        assert float(logs[name]) == pytest.approx(max(value, 0), rel=1e-5, abs=1e-7)
        assert float(after.extra[name].integral) == pytest.approx(-1e-4 * e[name], rel=1e-4)
        target = {"alpha": 14.5, "beta": 0.5, "gamma": 0.1}[name]
        grown = -1e-4 * (e[name] + target - float(second[names[name]]))
        assert float(again.extra[name].integral) == pytest.approx(grown, rel=1e-4)
    expected = (1 - weight["alpha"] - weight["beta"]) * float(logs["reconstruction"])
    expected += weight["beta"] * float(logs["kl"]) + weight["gamma"] * float(logs["distance"])
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-5)


def test_controllers_of_the_released_code_forget(step):
    """The same measurement, the same weight, however often it was made."""
    still = {"learning_rate": 0, "kl_target": 0, "ki": 0.1}
    for memory, same in (("repo_stateless", True), ("stateful", False)):
        model = gcvae(memory=memory, **still)
        state = model.init(jax.random.key(0), step[0])
        after, first = model.update(state, *step)
        _, second = model.update(after, *step)
        assert first["kl"] == second["kl"]
        assert (first["beta"] == second["beta"]) == same


def test_a_bad_reconstruction_is_weighed_less_and_less(step):
    """As published: above its target α grows, and 1 − α − β falls below 0."""
    model = gcvae(learning_rate=0, reconstruction_target=0, ki=0.01, beta_max=0)
    state = model.init(jax.random.key(0), step[0])
    alphas = []
    for _ in range(12):
        state, logs = model.update(state, *step)
        alphas.append(float(logs["alpha"]))
    assert (np.diff(alphas) >= 0).all() and alphas[0] < 0.3 and alphas[-1] == 1
    assert logs["alpha_saturated"] == 1


def test_by_default_the_weight_of_the_reconstruction_stays_above_0():
    """Digits, whose untrained reconstruction is 44 nats, and no training: 300 steps of it."""
    dataset = Digits()
    model = GCVAE(learning_rate=0, network="linear")
    model.check(dataset)
    draw = partial(train.step_inputs, model, 0, dataset=dataset, data=dataset.load(), batch_size=16)
    batch, key = draw(0)

    @jax.jit
    def weights(state, key):
        def update(step, now):
            state, _ = now
            state, logs = model.update(state, batch, jax.random.fold_in(key, step))
            return state, 1 - logs["alpha"] - logs["beta"]

        return jax.lax.fori_loop(0, 300, update, (state, 0.0))[1]

    assert weights(model.init(jax.random.key(0), batch), key) > 0.5


def test_nats_per_row(step):
    """Images of 4 rows of 5 pixels: a quarter of the nats, for the loss and for the controller."""
    fixed = ELBO | NO_DISTANCE
    loss, logs, _ = evaluated(gcvae(reconstruction="per_row", **fixed), step)
    assert loss == pytest.approx(logs["reconstruction"] / 4 + logs["kl"], rel=1e-6)
    target = {"reconstruction_target": logs["reconstruction"] / 4, "kp": 0.3}
    _, logs, _ = evaluated(gcvae(reconstruction="per_row", **target), step)
    assert logs["alpha"] == pytest.approx(0.15, rel=1e-3)


def test_what_cannot_be_trained_is_refused():
    for model in (gcvae(alpha_min=2), gcvae(beta_max=-1), ControlVAE(beta_max=0.5)):
        with pytest.raises(BadInput, match="min ≤ max"):
            model.check(MiniSprites())
    with pytest.raises(BadInput, match="reconstruction 'per_row' needs images, found"):
        gcvae(reconstruction="per_row").check(Adult())
    gcvae().check(Adult())


@pytest.fixture(scope="module")
def trained():
    """ControlVAE on digits, 1,200 updates: two targets in reach, one that β ≥ 1 keeps it from."""
    dataset = Digits()
    shared = {"learning_rate": 1e-3, "network": "mlp", "kl_rise": 1, "latents": 6}
    models = [
        ControlVAE(kl_target=target, beta_min=low, **shared)
        for target, low in ((6, 0), (8, 0), (8, 1))
    ]

    @jax.jit
    @partial(jax.vmap, in_axes=(0, None))
    def run(model, data):
        draw = partial(train.step_inputs, model, 0, dataset=dataset, data=data, batch_size=64)

        def update(state, step):
            state, logs = model.update(state, *draw(step))
            return state, {k: logs[k] for k in ("kl", "beta", "saturated")}

        state = model.init(jax.random.key(0), draw(0)[0])
        return jax.lax.scan(update, state, jnp.arange(1200))[1]

    stacked = jax.tree.map(lambda *x: np.float32(x), *models)
    return jax.tree.map(np.asarray, run(stacked, dataset.load()))


def test_kl_converges_to_its_set_point(trained):
    last = trained["kl"][:, -100:].mean(axis=1)
    assert last[0] == pytest.approx(6, rel=0.05)
    assert last[1] == pytest.approx(8, rel=0.05)
    assert not trained["saturated"][:2, -100:].any()
    assert 1 > trained["beta"][0, -1] > trained["beta"][1, -1] > 0


def test_an_unreachable_set_point_leaves_the_weight_at_its_bound(trained):
    assert (trained["beta"][2, -100:] == 1).all()
    assert (trained["saturated"][2, -100:] == 1).all()
    assert trained["kl"][2, -100:].mean() < 0.5 * 8


def test_the_set_point_rises_to_its_target(step):
    def targets(*steps, **settings):
        model = ControlVAE(latents=K, **settings)
        state = model.init(jax.random.key(0), step[0])
        return [model.controller(state.replace(step=jnp.int32(n))).target for n in steps]

    found = targets(0, 50, 100, 900, kl_target=2.5, kl_start=0.5, kl_rise=0.01)
    np.testing.assert_allclose(found, [0.5, 1.5, 2.5, 2.5], rtol=1e-6)
    assert targets(0, 9, kl_target=0.2) == pytest.approx([0.2, 0.2])  # never above it
    # From the first update on: within half of the study's updates all are at their targets, and
    # after a small study's 2,000 they are not the same.
    for target in sweep(ControlVAE):
        assert targets(150_000, kl_target=target) == pytest.approx([target])
    few, many = (targets(2000, kl_target=target)[0] for target in (8, 16))
    assert many > 1.2 * few
