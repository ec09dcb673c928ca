import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import MiniSprites

SPRITES = MiniSprites()


@pytest.fixture(scope="module")
def images():
    return np.asarray(SPRITES.load())


def test_every_cell_has_an_image_of_its_own(images):
    assert images.shape == (6144, 16, 16, 1) and images.dtype == np.uint8
    assert SPRITES.size == len(images) == len(np.unique(images.reshape(6144, -1), axis=0))


def test_every_step_of_every_factor_moves_pixels(images):
    grid = images.reshape(*SPRITES.factor_sizes, -1).astype(int)
    for axis in range(len(SPRITES.factor_names)):
        assert np.abs(np.diff(grid, axis=axis)).max(axis=-1).min() >= 16  # of 255 grey levels


def test_factors_mean_what_they_are_called(images):
    grid = images.reshape(*SPRITES.factor_sizes, 16, 16).astype(float)
    mass = grid.sum(axis=(-2, -1))
    assert (np.diff(mass.mean(axis=(0, 2, 3, 4))) > 0).all()  # larger scale, more white
    pixels = np.arange(16) + 0.5
    x = (grid.sum(axis=-2) @ pixels) / mass
    y = (grid.sum(axis=-1) @ pixels) / mass
    np.testing.assert_allclose(np.diff(x, axis=3), 8 / 7, atol=0.1)
    np.testing.assert_allclose(np.diff(x, axis=4), 0, atol=0.1)
    np.testing.assert_allclose(np.diff(y, axis=4), 8 / 7, atol=0.1)
    # The ellipse's long axis turns through a quarter, the last step left out.
    dx, dy = pixels - x[1, 3, :, 4, 4, None], pixels - y[1, 3, :, 4, 4, None]
    ellipse = grid[1, 3, :, 4, 4] / mass[1, 3, :, 4, 4, None, None]
    xx = np.einsum("kyx,kx->k", ellipse, dx**2)
    yy = np.einsum("kyx,ky->k", ellipse, dy**2)
    xy = np.einsum("kyx,kx,ky->k", ellipse, dx, dy)
    angle = np.degrees(np.arctan2(2 * xy, xx - yy) / 2)
    np.testing.assert_allclose(angle, 11.25 * np.arange(8), atol=2)
    # Sprites stay inside the image: their white does not depend on where they are, but for the
    # eighth of a pixel that points on a grid can miss along the sides of an upright square.
    np.testing.assert_allclose(mass, mass[..., 3:4, 3:4] * np.ones((8, 8)), rtol=0.08)


def test_area_is_that_of_the_shape(images):
    grid = images.reshape(*SPRITES.factor_sizes, -1)
    area = grid.sum(axis=-1).mean(axis=(2, 3, 4)) / 255
    radius = 2.2 + 0.6 * np.arange(4)
    np.testing.assert_allclose(area[0], 2 * radius**2, rtol=0.01)
    np.testing.assert_allclose(area[1], np.pi / 2 * radius**2, rtol=0.01)


def test_observing_reads_the_cell(images):
    cells = jnp.array([0, 17, 6143])
    x = SPRITES.observe(jnp.asarray(images), cells, jax.random.key(0))
    assert x.dtype == jnp.float32 and x.shape == (3, 16, 16, 1)
    np.testing.assert_allclose(x, images[np.array(cells)] / 255, rtol=1e-6)
    factors = SPRITES.factors(cells)
    assert factors.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 2, 1], [2, 3, 7, 7, 7]]
