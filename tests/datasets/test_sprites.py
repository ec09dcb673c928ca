import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import make

SPRITES = make("sprites")
FIXED = (16, 16)  # a position


@pytest.fixture(scope="module")
def observe():
    """Images [..., 64, 64] of factors that broadcast to [...]."""
    draw = jax.jit(lambda cells: SPRITES.observe((), cells, jax.random.key(0)))

    def observe(*factors):
        cells = np.ravel_multi_index(np.broadcast_arrays(*factors), SPRITES.factor_sizes)
        return np.asarray(draw(jnp.asarray(cells.ravel()))).reshape(*cells.shape, 64, 64)

    return observe


@pytest.fixture(scope="module")
def outlines(observe):
    """All shapes, scales and orientations in one place, [3, 6, 40, 64, 64]."""
    return observe(*np.indices((3, 6, 40)), *FIXED).astype(bool)


def drawn_by_other_means(shape, scale, orientation, x, y):
    """The same image in float64: sides of a square, foci of an ellipse, the cubic root of a
    heart, points turned back as complex numbers."""
    pixels = np.arange(64) + 0.5
    points = (pixels - 16 - x)[None] + 1j * (pixels - 16 - y)[:, None]
    p = points * np.exp(-2j * np.pi * orientation / 40) / (12.14 * np.linspace(0.5, 1, 6)[scale])
    if shape == 0:
        corners = np.exp(1j * np.pi * np.array([1, 3, 5, 7]) / 4)
        sides = zip(corners, np.roll(corners, -1), strict=True)
        return np.all([((b - a).conjugate() * (p - a)).imag >= 0 for a, b in sides], axis=0)
    if shape == 1:
        focus = np.sqrt(1 - 1 / 4)
        return abs(p - focus) + abs(p + focus) <= 2
    u, v = 1.25 * p.real, 0.1 - 1.25 * p.imag
    return u**2 + v**2 - 1 <= np.cbrt(u**2) * v


def test_every_outline_is_the_definitions(outlines):
    for factors in np.ndindex(3, 6, 40):
        expected = drawn_by_other_means(*factors, *FIXED)
        np.testing.assert_array_equal(outlines[factors], expected, err_msg=str(factors))


def test_images_anywhere_are_the_definitions(observe):
    factors = np.random.default_rng(0).integers(SPRITES.factor_sizes, size=(50, 5))
    images = observe(*factors.T)
    for image, values in zip(images, factors, strict=True):
        np.testing.assert_array_equal(image, drawn_by_other_means(*values))


def test_only_the_shapes_own_symmetries_repeat(outlines):
    found = outlines.reshape(3, 6, 40, -1)
    for shape, period in ((0, 10), (1, 20), (2, 40)):
        np.testing.assert_array_equal(found[shape], np.roll(found[shape], period, axis=1))
    different = np.unique(found.reshape(720, -1), axis=0)
    assert len(different) == 6 * (10 + 20 + 40)


def test_positions_are_a_pixel_apart_and_inside(observe):
    for shape in range(3):
        moved = observe(shape, 5, np.arange(40)[:, None], [0, 31], [0, 31])
        assert not moved[..., [0, -1], :].any() and not moved[..., [0, -1]].any()
    places = observe(2, 3, 4, np.arange(32)[:, None], np.arange(32)[None])
    for x, y in ((0, 0), (31, 0), (5, 31)):
        expected = np.roll(places[0, 0], (y, x), axis=(0, 1))
        np.testing.assert_array_equal(places[x, y], expected)
    assert len(np.unique(places.reshape(1024, -1), axis=0)) == 1024


def test_images_are_black_and_white_in_dsprites_proportion(outlines, observe):
    assert set(np.unique(observe(np.arange(3), 2, 3, 4, 5))) == {0, 1}
    assert abs(outlines.mean() - 0.0425) < 0.001
    area = outlines.sum(axis=(-2, -1)).mean(axis=-1)
    assert (np.diff(area, axis=1) > 0).all()
    radius = 12.14 * np.linspace(0.5, 1, 6)
    np.testing.assert_allclose(area[:2], np.outer([2, np.pi / 2], radius**2), rtol=0.02)
