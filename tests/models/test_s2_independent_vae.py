import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.models import BetaVAE, S2IndependentVAE

B, F, Z = 16, 2, 3

# The model is an argument, so that what differs in numbers only is compiled once.
init = jax.jit(lambda model, batch: model.init(jax.random.key(0), batch))
loss_of = jax.jit(lambda model, state, batch, key: model.loss(state.params, state, batch, key))
gradient = jax.jit(
    lambda model, state, *inputs: jax.grad(model.loss, has_aux=True)(state.params, state, *inputs)[
        0
    ]
)
update = jax.jit(lambda model, state, batch, key: model.update(state, batch, key))
information = jax.jit(lambda model, *inputs: model.information(*inputs))


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    sizes = np.array([3, 5])
    x, x_labelled = rng.uniform(size=(2, B, 4, 4, 1))
    labels = {
        "images": jnp.array(x_labelled, jnp.float32),
        "labels": jnp.array(rng.integers(sizes, size=(B, F)), jnp.int32),
        "sizes": jnp.broadcast_to(jnp.array(sizes, jnp.int32)[None], (B, F)),
    }
    return {"images": jnp.array(x, jnp.float32), "labels": labels}


def small(cls, **settings):
    return cls(latents=Z, network="linear", **settings)


def started(model, batch):
    state = init(model, batch)
    mine = jax.tree.map(lambda w: 3 * w + 0.1, state.extra["mine"])  # not as it starts
    return state.replace(extra=state.extra | {"mine": mine})


def in_numpy(model, state, batch, key, mu=None):
    """Î [f, z] from the weights alone; of other means of the codes, if they are given."""
    y = np.asarray(batch["labels"]["labels"])
    sizes = np.asarray(batch["labels"]["sizes"])
    if mu is None:
        mu = np.float64(model.encode(state, batch["labels"]["images"]).mean)
    order = np.asarray(jax.random.permutation(key, B))
    layers = [np.float64(layer["weights"]) for layer in state.extra["mine"]["params"].values()]
    found = np.zeros((F, Z))
    for f in range(F):
        for j in range(Z):

            def t(y, f=f, j=j):
                h = np.stack([mu[:, j], y, np.ones(B)], axis=1) @ layers[0][f, j]
                return np.maximum(h, 0) @ layers[1][f, j][:-1, 0] + layers[1][f, j][-1, 0]

            seen = (y[:, f] >= 0) & (y[:, f] < sizes[:, f])
            both = seen & seen[order]
            if both.any():
                apart = t(y[order, f])[both]
                found[f, j] = t(y[:, f])[seen].mean() - np.log(np.exp(apart).mean())
    return found


@pytest.mark.parametrize("unknown", [(), (1, 3, 4)])
def test_information_and_objective_against_their_formulas(unknown, batch):
    y = batch["labels"]["labels"].at[jnp.array(unknown, int), 0].set(-1)
    batch["labels"]["labels"] = y
    model = small(S2IndependentVAE, beta=2, gamma_sup=5)
    state, key = started(model, batch), jax.random.key(3)
    found = information(model, state.extra["mine"], state, batch, key)
    expected = in_numpy(model, state, batch, key)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    expected = in_numpy(model, state, batch, jax.random.fold_in(key, 1))  # the objective's own
    penalty = sum(expected[f, j] ** 2 for f in range(F) for j in range(Z) if f != j)
    loss, logs = loss_of(model, state, batch, key)
    plain, _ = loss_of(small(BetaVAE, beta=2), state, batch, key)
    assert float(logs["supervision"]) == pytest.approx(penalty, rel=1e-4)
    assert float(loss) == pytest.approx(float(plain) + 5 * penalty, rel=1e-5)
    assert float(logs["information"]) == pytest.approx(expected[0, 0] + expected[1, 1], rel=1e-4)


def test_the_penalty_moves_the_encoder_by_its_slope(batch):
    weighted, without = (small(S2IndependentVAE, gamma_sup=weight) for weight in (5, 0))
    state, key = started(weighted, batch), jax.random.key(3)
    found, before = (
        gradient(model, state, batch, key)["encoder"]["params"] for model in (weighted, without)
    )

    def penalty(mu):
        own = in_numpy(weighted, state, batch, jax.random.fold_in(key, 1), mu)
        return sum(own[f, j] ** 2 for f in range(F) for j in range(Z) if f != j)

    x = np.float64(batch["labels"]["images"]).reshape(B, -1)
    x = np.concatenate([x, np.ones((B, 1))], axis=1)
    mu = x @ np.float64(state.params["encoder"]["params"]["mean"]["weights"])
    slope, step = np.zeros((B, Z)), 1e-5
    for at in np.ndindex(B, Z):
        moved = np.zeros((B, Z))
        moved[at] = step
        slope[at] = (penalty(mu + moved) - penalty(mu - moved)) / (2 * step)
    assert np.abs(slope).max() > 1e-3
    difference = found["mean"]["weights"] - before["mean"]["weights"]
    np.testing.assert_allclose(difference, 5 * x.T @ slope, rtol=1e-3, atol=1e-4)
    same = found["log_var"]["weights"], before["log_var"]["weights"]  # of means it is, not of z
    np.testing.assert_allclose(*same, rtol=1e-5, atol=1e-6)


def test_without_weight_it_is_beta_vae(batch):
    model, key = (
        small(S2IndependentVAE, beta=2, gamma_sup=0),
        jax.random.key(3),
    )
    state = started(model, batch)
    expected = float(loss_of(small(BetaVAE, beta=2), state, batch, key)[0])
    found = float(loss_of(model, state, batch, key)[0])
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_factor_without_labels_has_no_effect(batch):
    batch["labels"]["labels"] = batch["labels"]["labels"].at[:, 1].set(-1)
    model = small(S2IndependentVAE)
    state, key = started(model, batch), jax.random.key(3)
    assert (information(model, state.extra["mine"], state, batch, key)[1] == 0).all()
    after, logs = update(model, state, batch, key)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((after.params, logs)))
    for a, b in zip(*(jax.tree.leaves(s.extra["mine"]) for s in (state, after)), strict=True):
        assert (a[1] == b[1]).all() and (a[0] != b[0]).any()


def test_the_networks_and_the_model_take_steps_of_their_own(batch):
    for rate, mine_rate in ((1e-3, 0), (0, 1e-2)):
        model = small(S2IndependentVAE, learning_rate=rate, mine_learning_rate=mine_rate)
        state = started(model, batch)
        after, _ = update(model, state, batch, jax.random.key(1))
        moved = [
            any((a != b).any() for a, b in zip(*map(jax.tree.leaves, pair), strict=True))
            for pair in ((state.params, after.params), (state.extra["mine"], after.extra["mine"]))
        ]
        assert moved == [rate > 0, mine_rate > 0]


def test_the_networks_learn_what_codes_know(batch):
    """Codes that say the factor of their number: up to log 4 nats, and of the other one nothing."""
    y = np.random.default_rng(5).integers(4, size=(256, 2))
    labels = {"images": y[:, :, None, None] / 3, "labels": y, "sizes": np.full((256, 2), 4)}
    batch = {"labels": jax.tree.map(jnp.asarray, labels), "images": jnp.zeros((256, 2, 1, 1))}
    model = S2IndependentVAE(latents=2, network="linear", learning_rate=0)
    state = init(model, batch)
    weights = jnp.concatenate([3 * jnp.eye(2), jnp.zeros((1, 2))])
    state.params["encoder"]["params"]["mean"]["weights"] = weights

    @jax.jit
    def trained(state):
        def step(i, state):
            return model.update(state, batch, jax.random.fold_in(jax.random.key(1), i))[0]

        return jax.lax.fori_loop(0, 300, step, state)

    state = trained(state)
    found = information(model, state.extra["mine"], state, batch, jax.random.key(9))
    assert (np.diag(found) > 0.5).all() and (np.diag(found) < np.log(4) + 0.2).all()
    assert abs(found[0, 1]) < 0.1 and abs(found[1, 0]) < 0.1
