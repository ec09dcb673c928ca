"""Rays against the same solids as distance fields, along which NumPy marches in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import ray_caster as rc

RNG = np.random.default_rng(0)


def length(a):
    return np.sqrt((a**2).sum(axis=-1))


def ball(p, radius, height):
    return length(p - [0, 0, height]) - radius


def cylinder(p, radius, low, high):
    out = np.stack([length(p[..., :2]) - radius, np.abs(p[..., 2] - (low + high) / 2)], axis=-1)
    out[..., 1] -= (high - low) / 2
    return length(np.maximum(out, 0)) + np.minimum(out.max(axis=-1), 0)


def cube(p, side):
    out = np.abs(p - [0, 0, side / 2]) - side / 2
    return length(np.maximum(out, 0)) + np.minimum(out.max(axis=-1), 0)


def capsule(p, radius, height):
    nearest = np.clip(p[..., 2], radius, height - radius)
    return length(p - nearest[..., None] * [0, 0, 1]) - radius


def march(distance, origin, direction, steps=200):
    """(t, whether they meet), by going as far as nothing can be, again and again."""
    t = np.zeros(len(origin))
    for _ in range(steps):
        t = np.minimum(t + distance(origin + t[:, None] * direction), 50)
    return t, distance(origin + t[:, None] * direction) < 1e-6


def gradient(distance, p, step=1e-5):
    moves = step * np.eye(3)
    slopes = [distance(p + move) - distance(p - move) for move in moves]
    return np.stack(slopes, axis=-1) / (2 * step)


SOLIDS = [
    (ball, (0.5, 0.5)),
    (ball, (0.3, 1.1)),
    (cylinder, (0.4, 0.0, 0.9)),
    (cylinder, (0.2, 0.3, 1.4)),
    (cube, (0.8,)),
    (capsule, (0.3, 1.2)),
]


def cast(surface, origin, direction, *settings):
    """t [n] and normals [n, 3] of rays of length 1."""
    one = jax.vmap(lambda o, d: surface(o, d, *settings))
    return (np.asarray(a) for a in jax.jit(one)(jnp.asarray(origin), jnp.asarray(direction)))


@pytest.mark.parametrize(
    "field, settings", SOLIDS, ids=lambda value: getattr(value, "__name__", "")
)
def test_rays_meet_solids_where_marching_finds_them(field, settings):
    origin = RNG.normal(size=(2000, 3))
    origin = [0, 0, 0.6] + origin * RNG.uniform(2, 6, size=(2000, 1)) / length(origin)[:, None]
    aimed = RNG.uniform([-0.8, -0.8, -0.2], [0.8, 0.8, 1.6], size=(2000, 3))
    direction = (aimed - origin) / length(aimed - origin)[:, None]
    origin, direction = np.float32(origin), np.float32(direction)

    def distance(p):
        return field(np.float64(p), *settings)

    t, met = march(distance, origin, direction)
    found, normal = cast(getattr(rc, field.__name__), origin, direction, *settings)
    expected = gradient(distance, origin + t[:, None] * direction)
    # Rays that only touch are decided by rounding, and edges have no normal.
    facing = (expected * direction).sum(axis=1)
    clear = met & (facing < -0.05) & (np.abs(length(expected) - 1) < 1e-3)
    missed = ~met & (np.abs(t - 50) < 1e-9)
    assert clear.sum() > 200 and missed.sum() > 200 and (clear | missed).mean() > 0.9
    np.testing.assert_allclose(found[clear], t[clear], atol=2e-4)
    np.testing.assert_allclose(normal[clear], expected[clear], atol=5e-3)
    assert np.isinf(found[missed]).all()
    # Rays away from the solid do not meet it behind them.
    backwards, _ = cast(getattr(rc, field.__name__), origin, -direction, *settings)
    assert np.isinf(backwards).all()


@pytest.mark.parametrize(
    "field, settings", SOLIDS, ids=lambda value: getattr(value, "__name__", "")
)
def test_rays_along_the_axes_are_no_exception(field, settings):
    top = {"ball": settings[0] + settings[-1], "cube": settings[0]}.get(
        field.__name__, settings[-1]
    )
    down = np.array([[0, 0, -1]], np.float32)
    t, normal = cast(
        getattr(rc, field.__name__), np.array([[0.05, 0, 4]], np.float32), down, *settings
    )
    expected, _ = march(lambda p: field(p, *settings), np.array([[0.05, 0, 4.0]]), np.float64(down))
    np.testing.assert_allclose(t, expected, atol=1e-5)
    assert abs(4 - t[0] - top) < 0.01 and normal[0, 2] > 0.9
    t, _ = cast(getattr(rc, field.__name__), np.array([[3.0, 0, 4]], np.float32), down, *settings)
    assert np.isinf(t).all()


def test_planes_are_seen_from_one_side():
    normal = np.array([0.6, 0, 0.8], np.float32)
    origin = np.float32(RNG.normal(size=(500, 3)) + 3 * normal)  # in front: n · p > 1
    direction = np.float32(RNG.normal(size=(500, 3)))
    t, found = cast(rc.plane, origin, direction, normal, 1.0)
    meets = (direction @ normal < 0) & (origin @ normal > 1)
    np.testing.assert_array_equal(np.isfinite(t), meets)
    points = origin[meets] + t[meets, None] * direction[meets]
    np.testing.assert_allclose(points @ normal, 1, atol=1e-3)
    np.testing.assert_array_equal(found, np.tile(normal, (500, 1)))
    assert 100 < meets.sum() < 400


def test_the_camera_looks_at_its_target_with_up_above():
    position, target = np.float32([3, -4, 2]), np.float32([0.5, 0.2, 0.3])
    see = lambda *at: np.asarray(rc.camera(position, target, 0.3, *at))  # noqa: E731
    forward = (target - position) / length(target - position)
    np.testing.assert_allclose(see(0, 0), forward, atol=1e-6)
    for at in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        angle = np.arccos(see(*at) @ forward / length(see(*at)))
        assert angle == pytest.approx(0.3, abs=1e-4)
    assert see(0, -1)[2] > see(0, 1)[2] and see(1, 0)[2] == pytest.approx(see(-1, 0)[2])
    # To the right of where (3, −4) looks from, towards the origin, x grows and so does y.
    assert (see(1, 0) - see(-1, 0))[:2] @ np.array([4, 3]) > 0


def test_lamberts_law():
    light = np.float32([0, 0.6, 0.8])
    for normal, dark, expected in (
        ([0, 0.6, 0.8], False, 1.0),
        ([0, 0, 1], False, 0.25 + 0.75 * 0.8),
        ([1, 0, 0], False, 0.25),
        ([0, -1, 0], False, 0.25),
        ([0, 0, 1], True, 0.25),
    ):
        found = rc.lambert(jnp.asarray(normal, jnp.float32), light, 0.25, jnp.bool_(dark))
        assert float(found) == pytest.approx(expected)
