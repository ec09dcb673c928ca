"""What every registered model promises. A new model joins by being registered."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.benchmark import train
from soberlook.datasets import MiniSprites
from soberlook.models import MODELS, strength_name, sweep

MEMBERS, BATCH = 3, 32


@pytest.fixture(scope="module")
def data():
    return MiniSprites().load()


@pytest.fixture(params=sorted(MODELS))
def members(request):
    """Three models of one class and their seeds, stacked, and as a list."""
    cls = MODELS[request.param]
    strengths = [{strength_name(cls): value} for value in sweep(cls)[:MEMBERS]] or [{}] * MEMBERS
    models = [cls(learning_rate=1e-3, **cls.trial, **strength) for strength in strengths]
    models = [model.resolved((16, 16, 1)) for model in models]
    seeds = np.arange(5, 5 + MEMBERS, dtype=np.uint32)
    return jax.tree.map(lambda *x: np.float32(x), *models), seeds, models


def losses(model, seed, data, *, updates):
    """The state after 3 updates, and the loss of every update."""
    draw = partial(
        train.step_inputs, model, seed, dataset=MiniSprites(), data=data, batch_size=BATCH
    )
    state = model.init(train.purpose_key(seed, train.INITIALIZATION), draw(0)[0])

    def update(state, step):
        state, logs = model.update(state, *draw(step))
        return state, logs["loss"]

    early, first = jax.lax.scan(update, state, jnp.arange(3))
    _, rest = jax.lax.scan(update, early, jnp.arange(3, updates))
    return early, jnp.concatenate([first, rest])


def test_member_of_a_cohort_equals_the_run_alone(members, data):
    stacked, seeds, models = members
    run = partial(losses, data=data, updates=50)
    states, together = jax.jit(jax.vmap(run))(stacked, seeds)
    for i, model in enumerate(models):
        state, alone = jax.jit(run)(model, seeds[i])
        np.testing.assert_allclose(together[i].mean(), alone.mean(), rtol=1e-4)
        for a, b in zip(jax.tree.leaves(states.params), jax.tree.leaves(state.params), strict=True):
            # Adam gives every parameter steps of one size, also where its gradient is rounding: so
            # one in ten thousand may be off by more, and none by a hundredth of a step.
            close = np.isclose(a[i], b, rtol=1e-4, atol=1e-7)
            assert np.mean(~close) < 1e-4
            np.testing.assert_allclose(a[i], b, rtol=1e-4, atol=0.01 * 1e-3)
            assert np.linalg.norm(a[i] - b) <= 1e-5 * np.linalg.norm(b)
    assert np.isfinite(together).all()
    assert (together[:, -5:].mean(axis=1) < together[:, :5].mean(axis=1)).all()


def test_gradients_are_finite_and_reach_every_parameter(members, data):
    _, seeds, models = members
    model = models[-1]
    batch, key = train.step_inputs(model, seeds[0], 0, MiniSprites(), data, BATCH)
    state = model.init(jax.random.key(0), batch)
    after, logs = jax.jit(model.update)(state, batch, key)
    assert all(np.isfinite(value) for value in logs.values())
    moved = jax.tree.map(lambda a, b: (a != b).any() & jnp.isfinite(b).all(), *params(state, after))
    assert all(jax.tree.leaves(moved))
    assert int(after.step) == 1


def params(*states):
    return (state.params for state in states)


def test_encoding_and_decoding_have_the_shapes_of_the_contract(members, data):
    model = members[2][0]
    x = MiniSprites().observe(data, jnp.arange(4), jax.random.key(0))
    state = model.init(jax.random.key(0), {name: x for name in model.needs})
    posterior = model.encode(state, x)
    assert posterior.mean.shape == posterior.sample(jax.random.key(1)).shape == (4, 10)
    assert posterior.kl_per_latent().shape == (4, 10)
    likelihood = model.decode(state, posterior.mean)
    assert likelihood.mean.shape == x.shape and likelihood.log_prob(x).shape == (4,)


def test_no_key_is_used_twice(members, data):
    model = members[2][0]
    batch, key = train.step_inputs(model, 0, 0, MiniSprites(), data, BATCH)
    with jax.debug_key_reuse(True):
        state = jax.jit(model.init)(jax.random.key(0), batch)
        jax.jit(model.update)(state, batch, jax.random.clone(key))
