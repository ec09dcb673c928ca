"""The PI controller: the values it must give, its memory, and its bounds."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.models.controller import Controller

OF_ALPHA = Controller(target=10.0, kp=0.1, ki=1e-4, low=0.0, high=1.0)
OF_BETA = OF_ALPHA._replace(target=30.0)
OF_GAMMA = OF_ALPHA._replace(target=0.1, low=1.0, high=1e6)


def weights(control, measured):
    """Weight, integral and whether it is at a bound, after each measurement."""
    found, memory = [], control.start()
    for value in measured:
        memory = control.step(memory, jnp.float32(value))
        found.append([control.weight(memory), memory.integral, control.saturated(memory)])
    return np.array(found, np.float64).T


@pytest.mark.parametrize(
    ("control", "measured", "expected"),
    [
        (OF_BETA, 30, 0.05),  # K_p / 2
        (OF_BETA, 60, 0.103),  # K_p + 30 K_i
        (OF_BETA, 5, 0.0),  # −25 K_i, clipped
        (OF_BETA, 31, 0.1 / (1 + math.exp(-1)) + 1e-4),
        (OF_GAMMA, 0.02, 1 + 0.1 / (1 + math.exp(0.08)) - 0.08e-4),
    ],
)
def test_first_values(control, measured, expected):
    assert weights(control, [measured])[0, 0] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_integral_grows_by_the_same_until_the_bound_and_then_not():
    control = OF_BETA._replace(ki=1e-3)  # e = −110: .11 at every update
    weight, integral, saturated = weights(control, [140.0] * 12)
    np.testing.assert_allclose(integral[:9], 0.11 * np.arange(1, 10), rtol=1e-5)
    np.testing.assert_allclose(weight[:8], 0.1 + integral[:8], rtol=1e-5)
    np.testing.assert_array_equal(weight[8:], 1)
    np.testing.assert_array_equal(integral[9:], integral[8])
    np.testing.assert_array_equal(saturated, weight == 1)


def test_a_set_point_out_of_reach_saturates_and_says_so():
    weight, integral, saturated = weights(OF_BETA, [1.0] * 100)
    assert (weight[1:] == 0).all() and saturated[1:].all()
    assert integral.min() > -0.01  # and not −100 · 29 K_i: it does not wind up


def test_it_comes_back_from_a_bound():
    control = Controller(target=18.0, kp=0.01, ki=0.001, low=1.0, high=100.0)
    away = [0.0] * 50  # e = 18: I falls below −K_p at once, and P alone can never make up for it
    weight, integral, saturated = weights(control, away + [40.0] * 50)
    assert weight[49] == 1 and integral[49] < -control.kp and saturated[49]
    assert weight[-1] > 1.5 and not saturated[-1]
    # And from the upper bound.
    weight, _, saturated = weights(control._replace(high=1.2), [100.0] * 50 + [0.0] * 50)
    assert weight[49] == np.float32(1.2) and saturated[49] and weight[-1] == 1


def test_equal_bounds_fix_the_weight():
    weight, _, saturated = weights(OF_BETA._replace(low=-3.0, high=-3.0), [0, 30, 100, 1e4])
    assert (weight == -3).all() and saturated.all()


def test_a_weight_is_a_constant_for_gradients():
    @jax.grad
    def slope(measured):
        memory = OF_BETA.step(OF_BETA.start(), measured)
        return OF_BETA.weight(memory) + memory.integral

    assert slope(31.0) == 0


def test_set_points_may_be_traced():
    targets = jnp.array([10.0, 30.0, 50.0])
    stacked = jax.vmap(lambda c: OF_BETA._replace(target=c).step(OF_BETA.start(), 31.0).raw)
    alone = [weights(OF_BETA._replace(target=float(c)), [31.0])[0, 0] for c in targets]
    np.testing.assert_allclose(np.maximum(stacked(targets), 0), alone, rtol=1e-6)
