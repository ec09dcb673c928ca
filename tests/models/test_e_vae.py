"""eVAE: its operators against what is known of them, and training as a β-VAE's that evolves."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import MiniSprites
from soberlook.models import EVAE, BetaVAE
from soberlook.registry import BadInput

SMALL = {"latents": 3, "network": "linear", "learning_rate": 0.01}


@jax.jit
def updated(model, state, batch, key):
    """One program for all models of one structure."""
    return model.update(state, batch, key)


@jax.jit
def judged(model, members, x, key):
    return jax.vmap(model.judge, (0, None, None))(members, x, key)


@jax.jit
def trained_apart(model, members, batch, key):
    """Every member after an update of its own, and its logs."""
    return jax.vmap(super(EVAE, model).update, in_axes=(0, None, None))(members, batch, key)


def batches(n):
    x = jax.random.uniform(jax.random.key(1), (n, 2, 8, 4, 4, 1))
    return [
        ({"images": a, "second_images": b}, jax.random.key(10 + i)) for i, (a, b) in enumerate(x)
    ]


def leaves_equal(a, b):
    return all((x == y).all() for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


def test_crossover_keeps_the_parents_mean_and_spreads_as_it_says():
    first, second = jnp.asarray(np.random.default_rng(0).uniform(0.1, 9, (2, 20_000)), jnp.float32)
    model = EVAE(crossover=1, eta=2)
    children = np.float64(model.crossed(jax.random.key(0), first, second))
    np.testing.assert_allclose(children.sum(axis=0), np.float64(first + second), rtol=1e-6)
    g = np.abs(children[0] - children[1]) / np.abs(np.float64(first - second))
    for u, expected in ((0.25, 0.5 ** (1 / 3)), (0.5, 1), (0.75, 2 ** (1 / 3))):
        assert np.quantile(g, u) == pytest.approx(expected, rel=0.02)
    kept = EVAE(crossover=0).crossed(jax.random.key(0), first, second)
    np.testing.assert_array_equal(kept, jnp.stack([first, second]))
    some = EVAE(crossover=0.3).crossed(jax.random.key(0), first, second)
    assert (some[0] != first).mean() == pytest.approx(0.3, abs=0.02)


def test_half_of_all_mutations_are_smaller_than_the_scale():
    wide = {"beta_min": 1.0, "beta_max": 1e6}  # which hardly anything is reflected into
    betas = jnp.full(20_000, 5e5)
    mutated = EVAE(mutation=1, scale=200, **wide).mutated(jax.random.key(0), betas)
    assert np.median(np.abs(mutated - betas)) == pytest.approx(200, rel=0.05)
    kept = EVAE(mutation=0, **wide).mutated(jax.random.key(0), betas)
    np.testing.assert_array_equal(kept, betas)
    some = EVAE(mutation=0.1, scale=200, **wide).mutated(jax.random.key(0), betas)
    assert (some != betas).mean() == pytest.approx(0.1, abs=0.01)


def test_what_leaves_the_bounds_is_reflected():
    model = EVAE(beta_min=1, beta_max=4)
    betas = jnp.array([1, 2.3, 4, 0.5, 4.5, -2.5, 7.5, 10.5, -1e6])
    expected = [1, 2.3, 4, 1.5, 3.5, 3.5, 1.5, 3.5]
    np.testing.assert_allclose(model.reflected(betas)[:-1], expected, rtol=1e-6)
    np.testing.assert_array_equal(model.reflected(betas)[:3], betas[:3])  # bit by bit
    assert 1 <= model.reflected(betas)[-1] <= 4
    np.testing.assert_array_equal(EVAE(beta_min=2, beta_max=2).reflected(betas), jnp.full(9, 2.0))


@partial(jax.jit, static_argnames="evolution")
def evolve(best, evolution, key):
    """The mean β of generations 60 to 80 where the fitness is −(b − best)²."""
    model = EVAE(population=8, evolution=evolution, mutation=0.3, scale=0.05)

    def generation(i, carry):
        betas, total = carry
        fitness = -jnp.square(betas - best)
        betas, _ = model.next_generation(jax.random.fold_in(key, i), betas, fitness)
        return betas, total + (i >= 60) * jnp.median(betas) / 20

    start = jnp.geomspace(1e-3, 10, 8)
    return jax.lax.fori_loop(0, 80, generation, (start, 0.0))[1]


def test_the_population_converges_to_the_fittest_weight_and_without_selection_it_does_not():
    keys = jax.random.split(jax.random.key(0), 20)
    for best in (0.5, 2.0, 6.0):
        for evolution, converges in (("evolved", True), ("drift", False), ("random", False)):
            found = jax.vmap(evolve, (None, None, 0))(best, evolution, keys)
            miss = np.median(np.abs(found - best))
            assert miss < 0.1 if converges else miss > 0.1, (best, evolution, miss)


def test_one_member_that_never_changes_is_the_beta_vae_bit_by_bit():
    settings = {"crossover": 0, "mutation": 0, "beta_min": 3, "beta_max": 3, "segment": 3}
    model, beta_vae = EVAE(population=1, **settings, **SMALL), BetaVAE(beta=3, **SMALL)
    batch, _ = batches(1)[0]
    state, reference = (m.init(jax.random.key(0), batch) for m in (model, beta_vae))
    for batch, key in batches(8):
        state, logs = updated(model, state, batch, key)
        reference, expected = updated(beta_vae, reference, batch, key)
        assert leaves_equal(state.params, reference.params)
        assert all(logs[name] == value for name, value in expected.items())


@pytest.fixture(scope="module")
def runs():
    """For both kinds of inheritance: the states after 0, 1, … 4 updates; segments are of two."""
    found = {}
    for inherited in ("joint", "beta_only"):
        model = EVAE(population=3, inherited=inherited, segment=2, target=1, **SMALL)
        states = [model.init(jax.random.key(0), batches(1)[0][0])]
        logs = []
        for batch, key in batches(4):
            state, own = updated(model, states[-1], batch, key)
            states.append(state)
            logs.append(own)
        found[inherited] = model, states, logs
    return found


@pytest.mark.parametrize("inherited", ["joint", "beta_only"])
def test_members_train_for_a_segment_and_then_inherit(runs, inherited):
    model, states, _ = runs[inherited]
    assert model.copies == 3
    betas = [np.asarray(state.extra["members"].extra) for state in states]
    np.testing.assert_allclose(betas[0], 1e-3 * 1e4 ** (np.array([1, 3, 5]) / 6), rtol=1e-5)
    np.testing.assert_array_equal(betas[0], betas[1])
    np.testing.assert_array_equal(betas[2], betas[3])
    assert (betas[2] != betas[0]).any() and betas[2][0] in betas[0]  # the elite is first

    def alike(state):
        """Whether all members have the parameters and the moments of the first."""
        members = state.extra["members"]
        return leaves_equal(
            (members.params, members.opt),
            jax.tree.map(lambda x: jnp.stack([x[0]] * 3), (members.params, members.opt)),
        )

    assert alike(states[0]) and not alike(states[1]) and not alike(states[3])
    assert alike(states[2]) == alike(states[4]) == (inherited == "joint")
    for state in states[1:]:
        first = jax.tree.map(lambda x: x[0], state.extra["members"].params)
        assert leaves_equal(state.params, first)


@pytest.mark.parametrize("inherited", ["joint", "beta_only"])
def test_the_fittest_wins(runs, inherited):
    model, states, logs = runs[inherited]
    (batch, key), before = batches(2)[1], states[1].extra
    assert not before["before"].any()
    members, own = trained_apart(model, before["members"], batch, key)
    elbo, kl = judged(model, members, batch["second_images"], jax.random.fold_in(key, 2))
    fitness = elbo - 0.1 * jnp.abs(kl - 1)
    winner = int(jnp.argmax(fitness))
    assert np.ptp(fitness) > 0.01
    after = states[2].extra
    assert after["members"].extra[0] == before["members"].extra[winner]
    for a, b in zip(*map(jax.tree.leaves, (after["members"].params, members.params)), strict=True):
        np.testing.assert_allclose(a[0], b[winner], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after["before"][0], elbo[winner], rtol=1e-5)
    np.testing.assert_allclose(logs[1]["fitness"], fitness[0], rtol=1e-4)
    # In the loss it is each member's own β that counts.
    weighted = own["reconstruction"] + before["members"].extra * own["kl"]
    np.testing.assert_allclose(own["loss"], weighted, rtol=1e-5)


def test_fitness_has_no_noise_between_members_and_no_weight_in_it():
    model = EVAE(population=3, **SMALL)
    batch, key = batches(1)[0]
    members = model.init(jax.random.key(0), batch).extra["members"]
    assert len(np.unique(members.extra)) == 3  # equal but for their β
    found = judged(model, members, batch["images"], key)
    assert all((values == values[0]).all() for values in found)
    # By its own loss the one with the smallest weight would win.
    losses = trained_apart(model, members, batch, key)[1]["loss"]
    assert int(jnp.argmin(losses)) == int(jnp.argmin(members.extra)) == 0


def test_without_selection_all_start_in_the_middle():
    """The first is reported, and where there is no elite it would be that with the smallest β."""
    batch, _ = batches(1)[0]
    for evolution in ("evolved", "random", "drift"):
        model = EVAE(population=3, evolution=evolution, beta_min=0.01, beta_max=1, **SMALL)
        betas = model.init(jax.random.key(0), batch).extra["members"].extra
        if evolution == "drift":
            np.testing.assert_allclose(betas, 0.1, rtol=1e-5)
        else:
            assert (np.diff(betas) > 0).all()


def test_a_diverged_member_is_replaced():
    model = EVAE(population=3, segment=1, **SMALL)
    batch, key = batches(1)[0]
    state = model.init(jax.random.key(0), batch)
    members = state.extra["members"]
    broken = jax.tree.map(lambda x: x.at[0].set(jnp.nan), members.params)
    state = state.replace(extra=state.extra | {"members": members.replace(params=broken)})
    after, _ = updated(model, state, batch, key)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(after))


def trained(models, updates=200):
    """KL and β of the elite over the last 50 updates, of these models [n]."""
    dataset = MiniSprites()
    data = dataset.load()

    def train(model):
        def draw(step):
            keys = jax.random.split(jax.random.fold_in(jax.random.key(3), step), 3)
            cells = [jax.random.randint(k, (64,), 0, dataset.size) for k in keys[:2]]
            first, second = (dataset.observe(data, c, keys[0]) for c in cells)
            return {"images": first, "second_images": second}, keys[2]

        def update(step, carry):
            state, total = carry
            state, logs = model.update(state, *draw(step))
            late = (step >= updates - 50) / 50
            return state, total + late * jnp.stack([logs["kl"], logs["beta"]])

        start = model.init(jax.random.key(0), draw(0)[0]), jnp.zeros(2)
        return jax.lax.fori_loop(0, updates, update, start)[1]

    return np.asarray(jax.jit(jax.vmap(train))(jax.tree.map(lambda *x: jnp.float32(x), *models)))


def test_the_rate_follows_its_target_and_without_kappa_it_does_not():
    """The negative control is fitness without the distance to C; a target out of reach, too."""
    settings = {"segment": 10, "network": "linear", "learning_rate": 3e-3}
    cases = [(6, 10), (10, 10), (6, 0), (10, 0), (1e6, 10)]
    found = trained([EVAE(target=c, kappa=k, **settings) for c, k in cases])
    (low, high, low_free, high_free, beyond), betas = found[:, 0], found[:, 1]
    assert low == pytest.approx(6, abs=1) and high == pytest.approx(10, abs=2.5)
    assert low_free == high_free > 12.5
    assert np.isfinite(beyond) and beyond > 2 * high and 1e-3 <= betas[-1] < 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta_min": 2, "beta_max": 1}, "e_vae: beta_min must be ≤ beta_max, 1.0, found 2.0"),
        ({"segment": 2.5}, "e_vae: segment must be a whole number, found 2.5"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(BadInput) as error:
        EVAE(**settings).check(MiniSprites())
    assert str(error.value) == message
