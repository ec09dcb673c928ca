"""What every registered model promises. A new model joins by being registered."""

import re
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.benchmark import train
from soberlook.datasets import MiniSprites
from soberlook.models import MODELS, strength_name, sweep

MEMBERS, BATCH, UPDATES = 3, 32, 50
DATASET = MiniSprites()


class Trained(NamedTuple):
    """A tiny cohort of one class, side by side, and its members alone."""

    models: list
    together: dict  # updates done → (states, loss and reconstruction of every update), stacked
    alone: list  # of members: the same


@pytest.fixture(scope="module")
def data():
    return DATASET.load()


@pytest.fixture(scope="module", params=sorted(MODELS))
def trained(request, data):
    cls = MODELS[request.param]
    strengths = [{strength_name(cls): value} for value in sweep(cls)[:MEMBERS]]
    strengths += [{}] * (MEMBERS - len(strengths))
    models = [cls(**{"learning_rate": 1e-3} | cls.trial | strength) for strength in strengths]
    models = [model.resolved(DATASET.image_shape) for model in models]
    seeds = np.arange(5, 5 + MEMBERS, dtype=np.uint32)
    stacked = jax.tree.map(lambda *x: np.float32(x), *models)

    def run(model, seed, data, updates):
        draw = partial(train.step_inputs, model, seed, dataset=DATASET, data=data, batch_size=BATCH)
        state = model.init(train.purpose_key(seed, train.INITIALIZATION), draw(0)[0])

        def update(step, carry):
            state, kept = carry
            state, logs = model.update(state, *draw(step))
            return state, kept.at[step].set(jnp.stack([logs["loss"], logs["reconstruction"]]))

        return jax.lax.fori_loop(0, updates, update, (state, jnp.zeros((UPDATES, 2))))

    side_by_side = jax.jit(jax.vmap(run, in_axes=(0, 0, None, None)))
    one = jax.jit(run)
    together = {n: side_by_side(stacked, seeds, data, n) for n in (0, 1, 3, UPDATES)}
    alone = [
        {n: one(model, seed, data, n) for n in (3, UPDATES)}
        for model, seed in zip(models, seeds, strict=True)
    ]
    # Whatever the strength and the seed: one program.
    assert side_by_side._cache_size() == one._cache_size() == 1
    return Trained(models, together, alone)


def test_member_of_a_cohort_equals_the_run_alone(trained):
    for i, alone in enumerate(trained.alone):
        mean, mean_alone = (
            logs[:, 0].mean() for logs in (trained.together[50][1][i], alone[50][1])
        )
        np.testing.assert_allclose(mean, mean_alone, rtol=1e-4, atol=1e-6)
        states = trained.together[3][0].params, alone[3][0].params
        for a, b in zip(*map(jax.tree.leaves, states), strict=True):
            # Adam gives every parameter steps of one size, also where its gradient is rounding: so
            # one in ten thousand may be off by more, and none by a hundredth of a step.
            close = np.isclose(a[i], b, rtol=1e-4, atol=1e-7)
            assert np.mean(~close) < 1e-4
            np.testing.assert_allclose(a[i], b, rtol=1e-4, atol=0.01 * 1e-3)
            assert np.linalg.norm(a[i] - b) <= 1e-5 * np.linalg.norm(b)


def test_it_learns_to_reconstruct(trained):
    logs = trained.together[UPDATES][1]
    assert np.isfinite(logs).all()
    reconstruction = logs[..., 1]
    assert (reconstruction[:, -5:].mean(axis=1) < reconstruction[:, :5].mean(axis=1)).all()


def test_gradients_are_finite_and_reach_every_parameter(trained):
    before, after = (trained.together[n][0] for n in (0, 1))
    for a, b in zip(*map(jax.tree.leaves, (before.params, after.params)), strict=True):
        assert np.isfinite(b).all()
        assert all((a[i] != b[i]).any() for i in range(MEMBERS))
    assert (after.step == 1).all()


def test_encoding_and_decoding_have_the_shapes_of_the_contract(trained, data):
    model, state = trained.models[0], trained.alone[0][3][0]

    @jax.jit
    def ask(x, key):
        posterior = model.encode(state, x)
        z = posterior.sample(key)
        likelihood = model.decode(state, posterior.mean)
        kl = posterior.kl_per_latent(), posterior.kl()
        return (
            posterior.mean,
            z,
            posterior.log_ratio(z),
            posterior.sample_prior(jax.random.clone(key)),
            kl,
            likelihood.mean,
            likelihood.log_prob(x),
        )

    x = DATASET.observe(data, jnp.arange(4), jax.random.key(0))
    mean, z, log_ratio, prior, (per_latent, kl), decoded, log_prob = ask(x, jax.random.key(1))
    assert mean.shape == z.shape == prior.shape == (4, model.codes)
    leaves = jax.tree.leaves(model.encode(state, x))
    assert all(leaf.shape[:1] == (4,) for leaf in leaves)  # batch first, so that batches are joined
    assert log_ratio.shape == kl.shape == log_prob.shape == (4,)
    np.testing.assert_allclose(per_latent.sum(axis=1), kl, rtol=1e-5, atol=1e-5)
    assert decoded.shape == x.shape and np.isfinite(decoded).all()


def test_no_key_is_used_twice(trained, data):
    model = trained.models[0]
    batch, key = train.step_inputs(model, 0, 0, DATASET, data, BATCH)
    with jax.debug_key_reuse(True):
        state = jax.jit(model.init)(jax.random.key(0), batch)
        jax.jit(model.update)(state, batch, jax.random.clone(key))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_it_says_where_it_is_from(name):
    cls = MODELS[name]
    assert re.fullmatch(r"\S.*, .*(19|20)\d\d", cls.paper), cls.paper
    assert cls.__doc__.strip().partition("\n")[0].endswith((".", "?"))
