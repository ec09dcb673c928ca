import colorsys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import Solids, make
from soberlook.datasets import solids as scene

SOLIDS = Solids()
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def maps():
    return np.asarray(SOLIDS.load())


@pytest.fixture(scope="module")
def mini():
    """mini_solids and all its images [*grid, 16, 16, 3]."""
    dataset = make("mini_solids")
    cells = jnp.arange(dataset.size)
    images = jax.jit(dataset.observe)(dataset.load(), cells, jax.random.key(0))
    return dataset, np.asarray(images).reshape(*dataset.grid, 16, 16, 3)


def length(a):
    return np.sqrt((a**2).sum(axis=-1))


def distances(p, shape, size):
    """From points [n, 3] to floor, walls and object, [n, 3], in another way than by rays."""
    x, y, z = p.T
    walls = np.minimum(2.2 - y - x, 2.2 - y + x) / np.sqrt(2)
    if shape == 0:
        out = np.abs(p - [0, 0, 0.4 * size]) - 0.4 * size
        solid = length(np.maximum(out, 0)) + np.minimum(out.max(axis=1), 0)
    elif shape == 1:
        out = np.stack([np.hypot(x, y) - 0.42 * size, np.abs(z - 0.45 * size) - 0.45 * size], 1)
        solid = length(np.maximum(out, 0)) + np.minimum(out.max(axis=1), 0)
    elif shape == 2:
        solid = length(p - [0, 0, 0.5 * size]) - 0.5 * size
    else:
        nearest = np.clip(z, 0.32 * size, 0.88 * size)
        solid = length(np.stack([x, y, z - nearest], 1)) - 0.32 * size
    return np.stack([z, walls, solid], axis=1)


def marched(p, direction, distance, steps=150):
    """Points [n, 3] after going along as far as nothing can be, again and again."""
    for _ in range(steps):
        p = p + np.clip(distance(p), 0, 50)[:, None] * direction
    return p


@pytest.mark.parametrize("shape, degrees", [(0, 20), (1, 30), (2, 10), (3, 25), (2, -30)])
def test_points_are_as_bright_as_marching_along_distance_fields_says(shape, degrees):
    count, size, azimuth = 400, 1.1, np.radians(degrees)
    at = RNG.uniform(-1, 1, size=(count, 2))
    found = jax.vmap(lambda a, b: scene.surfaces(size, shape, azimuth, a, b))
    found = np.asarray(jax.jit(found)(*jnp.asarray(at, jnp.float32).T))
    # A camera behind the origin looking along y, lowered by 24°, then turned about the z axis.
    tilt, turn = np.radians(24), azimuth
    across, down = np.tan(np.radians(14.5)) * at.T
    d = np.stack([across, np.ones(count), -down], axis=1)
    d /= length(d)[:, None]
    lower = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    around = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    rotation = np.array(around) @ lower
    d = d @ rotation.T
    eye = np.tile([0, 0, 0.55] + rotation @ [0, -5, 0], (count, 1))

    p = marched(eye, d, lambda p: distances(p, shape, size).min(axis=1))
    which = distances(p, shape, size).argmin(axis=1)
    h = 1e-5 * np.eye(3)
    field = lambda p: distances(p, shape, size)[np.arange(count), which]  # noqa: E731
    normal = np.stack([field(p + e) - field(p - e) for e in h], axis=1) / 2e-5
    light = np.array([-0.25, -0.7, 0.9])
    light /= length(light)
    lit = np.maximum(normal @ light, 0)
    # The way to the light, from a little above the surface: does it come near the object?
    steps = p[None] + 1e-3 * normal + np.linspace(0, 3, 600)[:, None, None] * light
    way = np.stack([distances(q, shape, size)[:, 2] for q in steps]).min(axis=0)
    expected = 0.25 + 0.75 * np.where((way < 0) & (which < 2), 0, lit)
    clear = (np.sort(distances(p, shape, size), axis=1)[:, 1] > 0.02) & (np.abs(way) > 0.01)
    clear |= (which == 2) & (np.abs(length(normal) - 1) < 1e-3) & (p[:, 2] > 0.02)
    smooth = np.abs(length(normal) - 1) < 1e-3
    clear &= smooth
    agree = np.abs(found - expected[:, None] * np.eye(3)[which]).max(axis=1) < 5e-3
    assert clear.mean() > 0.85 and np.bincount(which[clear], minlength=3).min() > 20
    # A silhouette passes between a ray and its neighbour in float32 for a few at most.
    assert agree[clear].mean() > 0.99
    if degrees > 0:  # from the other side the shadow lies behind the object
        assert (way[(which == 0) & clear] < 0).any()


def test_maps_share_the_light_of_a_pixel(maps):
    assert maps.shape == (480, 64, 64, 3) and maps.dtype == np.uint8
    total = maps.sum(axis=-1, dtype=int)
    assert total.max() <= 255 and total.min() >= round(0.25 * 255) - 2
    assert (maps.max(axis=(1, 2)) > 100).all()  # all three are seen well in every geometry


def test_no_two_geometries_are_alike_even_in_one_colour(maps):
    grey = maps.sum(axis=-1, dtype=np.int16).reshape(480, -1)
    for i in range(479):
        assert np.abs(grey[i + 1 :] - grey[i]).max(axis=1).min() > 0.05 * 255


def test_every_step_moves_pixels_in_any_colours(maps):
    colours = scene.rainbow(10)
    grid = maps.reshape(8, 4, 15, -1, 3) / np.float32(255)
    chosen = [(h, h, h) for h in (0, 3)] + list(RNG.integers(10, size=(6, 3)))
    for axis in range(3):
        step = np.diff(grid, axis=axis)
        for hues in chosen:
            assert np.abs(step @ colours[list(hues)]).max(axis=(-2, -1)).min() > 0.05
    # And a step of a hue moves the pixels that show its surface.
    apart = np.abs(np.diff(colours, axis=0)).max(axis=1).min()
    assert apart * maps.max(axis=(1, 2)).min() > 0.05 * 255


def test_images_are_maps_times_colours(maps):
    cells = RNG.integers(SOLIDS.size, size=20)
    x = jax.jit(SOLIDS.observe)(jnp.asarray(maps), jnp.asarray(cells), jax.random.key(0))
    for image, factors in zip(
        np.asarray(x), np.transpose(np.unravel_index(cells, SOLIDS.grid)), strict=True
    ):
        *hues, scale, shape, azimuth = factors
        colours = [colorsys.hsv_to_rgb(hue / 10, 1, 1) for hue in hues]
        expected = maps[(scale * 4 + shape) * 15 + azimuth] / 255 @ np.array(colours)
        np.testing.assert_allclose(image, expected, atol=1e-6)


def test_factors_mean_what_they_are_called(maps):
    grid = maps.reshape(8, 4, 15, 64, 64, 3).astype(float)
    floor, wall, solid = np.moveaxis(grid, -1, 0)
    assert (floor[..., 60:, :] > 0).mean() > 0.95 and (wall[..., :6, :] > 0).all()
    assert (solid[:, :, :, 30:36, 30:34] > 0).all()
    area = (solid > 0).sum(axis=(-2, -1))
    assert (np.diff(area, axis=0) > 0).all()
    np.testing.assert_allclose(area[-1] / area[0], (1.25 / 0.75) ** 2, rtol=0.2)
    # Balls and upright solids look alike from everywhere but for light; cubes turn.
    wide = (solid > 0).any(axis=-2).sum(axis=-1)
    assert np.ptp(wide[:, 1:], axis=-1).max() <= 1 and (np.ptp(wide[:, 0], axis=-1) >= 4).all()
    # Where the walls meet: the largest step of brightness along the upper row.
    edge = np.abs(np.diff(wall[..., 0, :], axis=-1)).argmax(axis=-1)
    assert (np.diff(edge, axis=-1) > 0).all() and np.ptp(edge, axis=(0, 1)).max() == 0


def test_mini_solids_has_no_two_images_alike_and_visible_steps(mini):
    dataset, images = mini
    assert dataset.size == 6144
    assert len(np.unique(images.reshape(6144, -1), axis=0)) == 6144
    for axis in range(6):
        step = np.abs(np.diff(images, axis=axis)).max(axis=(-3, -2, -1))
        assert step.min() > 0.05, axis


def test_mini_solids_is_the_same_scene(maps, mini):
    dataset, images = mini
    grid = maps.reshape(8, 4, 15, 16, 4, 16, 4, 3).mean(axis=(4, 6)) / 255
    colours = np.array([colorsys.hsv_to_rgb(hue / 4, 1, 1) for hue in (0, 1, 2)])
    for shape in range(4):
        for (small, large), (left, right) in (((0, 0), (0, 0)), ((3, 7), (5, 14))):
            apart = np.abs(
                images[0, 1, 2, small, shape, left] - grid[large, shape, right] @ colours
            )
            # 64 rays a pixel, and 256: an edge can pass between a row of rays and the next.
            assert apart.max() < 1 / 16 and apart.mean() < 2e-3
