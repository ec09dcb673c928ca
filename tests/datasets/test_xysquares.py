"""The exact definition and the exact distances of arXiv 2202.13341."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import make
from soberlook.registry import BadInput

RNG = np.random.default_rng(0)


def observe(spacing, factors):
    """factors [n, 6] → images [n, 64, 64, 3]."""
    dataset = make("xysquares", spacing=spacing)
    assert dataset.factor_sizes == (8,) * 6
    cells = jnp.asarray(np.ravel_multi_index(np.transpose(factors), dataset.factor_sizes))
    images = jax.jit(dataset.observe)((), cells, jax.random.key(0))
    return np.asarray(images)


def squared_error(a, b):
    return ((a - b) ** 2).sum(axis=(1, 2, 3))


@pytest.mark.parametrize("spacing", [8, 5, 1])
def test_images_are_the_definitions(spacing):
    factors = RNG.integers(8, size=(20, 6))
    offset = (64 - (8 + 7 * spacing)) // 2
    for image, values in zip(observe(spacing, factors), factors, strict=True):
        expected = np.zeros((64, 64, 3))
        for channel in range(3):
            x, y = offset + spacing * values[2 * channel : 2 * channel + 2]
            expected[y : y + 8, x : x + 8, channel] = 1
        np.testing.assert_array_equal(image, expected)


def test_mean_and_deviation_are_those_of_the_paper():
    x = np.float64(observe(8, RNG.integers(8, size=(50, 6))))
    np.testing.assert_allclose(x.mean(axis=(1, 2)), 0.015625)
    # Published is the deviation within an image, divided by its 4,096 pixels less one.
    np.testing.assert_allclose(x.std(axis=(1, 2), ddof=1), 0.12403473, rtol=1e-6)


@pytest.mark.parametrize("squares", [1, 2, 3])
def test_at_spacing_8_every_displacement_costs_the_same(squares):
    before = RNG.integers(8, size=(100, 3, 2))
    after = before.copy()
    moved = RNG.permuted(np.tile([0, 1, 2], (100, 1)), axis=1)[:, :squares]
    for i, channels in enumerate(moved):
        for channel in channels:  # along x, along y, or both
            places = [(x, y) for x in range(8) for y in range(8)]
            places.remove(tuple(before[i, channel]))
            after[i, channel] = places[RNG.integers(63)]
    error = squared_error(*(observe(8, f.reshape(-1, 6)) for f in (before, after)))
    np.testing.assert_array_equal(error, 128 * squares)


@pytest.mark.parametrize("spacing", range(1, 9))
def test_distance_grows_until_squares_no_longer_overlap(spacing):
    for axis in range(6):
        factors = np.tile(RNG.integers(8, size=6), (8, 1))
        factors[:, axis] = np.arange(8)
        x = observe(spacing, factors)
        steps = np.arange(8)
        expected = 16 * np.minimum(8, spacing * steps)
        np.testing.assert_array_equal(squared_error(x[:1], x), expected)
    if spacing == 1:
        assert expected.tolist() == [0, 16, 32, 48, 64, 80, 96, 112]
    if spacing == 4:
        assert expected.tolist() == [0, 64] + [128] * 6


@pytest.mark.parametrize("spacing", [0, 9])
def test_spacings_have_bounds(spacing):
    with pytest.raises(BadInput, match="spacing must be a whole number ≥ 1 and ≤ 8"):
        make("xysquares", spacing=spacing)
