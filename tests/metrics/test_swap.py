"""Bars of one of four heights at one of eight places: decoders that mind, or do not, what they are
told."""

import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained, swap
from soberlook.metrics.swap import _of_other_values
from soberlook.models.posteriors import Point

SIZES = (4, 8)  # height, place


def draw(height, place):
    """Images [b, 8, 8, 1] of a bar."""
    row, column = jnp.arange(8)[None, :, None], jnp.arange(8)[None, None, :]
    on = (row <= 2 * height[:, None, None]) & (column == place[:, None, None])
    return on[..., None].astype(jnp.float32)


def run(decode, parts=None, sizes=SIZES):
    """A run whose code is (height, place)."""
    height, place = (jnp.asarray(axis) for axis in np.indices(SIZES).reshape(2, -1))
    table = draw(height, place)

    def encode(images):
        light = images[..., 0].sum(axis=1)
        return Point(jnp.stack([(light.max(axis=1) - 1) / 2, light.argmax(axis=1)], axis=1))

    nothing = np.zeros((32, 2))
    return Trained(
        Representation(nothing, nothing, nothing[:, 0], sizes),
        lambda cells, key: table[cells],
        encode,
        lambda z: decode(z[:, 0], z[:, 1]),
        None,
        {0: slice(0, 1)} if parts is None else parts,
    )


def found(trained):
    accuracy, leak, reconstruction = swap(trained, np.random.default_rng(0)).values()
    return accuracy, leak, reconstruction


def test_a_perfect_model():
    assert found(run(draw)) == (1, 0, 1)
    assert found(run(draw, {0: slice(0, 1), 1: slice(1, 2)})) == (1, 0, 1)


def test_the_part_that_is_named_is_what_is_given():
    assert found(run(draw, {0: slice(1, 2)})) == (0, 1, 1)  # the place is no height


def test_a_decoder_of_style_alone():
    def of_place(height, place):
        return draw(place // 2, place)

    assert found(run(of_place)) == pytest.approx((0.25,) * 3, abs=0.06)


def test_a_decoder_that_knows_the_value_only():
    accuracy, leak, reconstruction = found(run(lambda height, place: draw(height, 0 * place)))
    assert (accuracy, leak, reconstruction) == (1, 0, 1)


def test_a_decoder_that_averages():
    numbers = found(run(lambda height, place: (draw(height, place) + draw(place, place)) / 2))
    assert all(0 <= number <= 1 for number in numbers) and numbers[2] < 1


def test_no_pair_shares_its_value_and_all_others_come():
    values = np.random.default_rng(0).integers(5, size=50)
    cells = np.repeat(np.arange(50), 400)
    others = _of_other_values(np.random.default_rng(1), values, cells)
    assert (values[others] != values[cells]).all()
    seen = np.bincount(others[cells == 0], minlength=50) > 0
    np.testing.assert_array_equal(seen, values != values[0])


def test_bad_runs():
    with pytest.raises(ValueError, match="codes must have parts"):
        found(run(draw, {}))
    with pytest.raises(ValueError, match="values must be two at least"):
        found(run(draw, sizes=(1, 32)))
    with pytest.raises(ValueError, match="decoded images must be finite"):
        found(run(lambda height, place: draw(height, place) * jnp.nan))
