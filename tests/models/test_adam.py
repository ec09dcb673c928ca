import jax
import jax.numpy as jnp
import numpy as np
import optax

from soberlook.models.adam import adam


def test_updates_are_those_of_tensorflow_1():
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(7)
    params, m, v = {"a": jnp.float32(theta)}, np.zeros(7), np.zeros(7)
    optimizer = adam(0.01, b1=0.5, b2=0.9, eps=1e-3)  # an epsilon that shows
    state = optimizer.init(params)
    for t in range(1, 6):
        g = rng.standard_normal(7)
        m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g**2
        theta = theta - 0.01 * np.sqrt(1 - 0.9**t) / (1 - 0.5**t) * m / (np.sqrt(v) + 1e-3)
        updates, state = jax.jit(optimizer.update)({"a": jnp.float32(g)}, state)
        params = optax.apply_updates(params, updates)
    np.testing.assert_allclose(params["a"], theta, rtol=1e-5)


def test_it_is_algorithm_1_but_for_epsilon():
    g, params = {"a": jnp.array([1e-9, 1.0])}, {"a": jnp.zeros(2)}
    ours, theirs = (o.update(g, o.init(params))[0]["a"] for o in (adam(0.1), optax.adam(0.1)))
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5)
    assert abs(ours[0]) < 0.5 * abs(theirs[0])
