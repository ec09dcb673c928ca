"""solids: Shapes3D's grid of factors, drawn by a ray caster, nothing downloaded.

These are not the images of Shapes3D (Burgess & Kim, 2018), and scores on them are not scores on it.
The grid is the same, 10 floor hues × 10 wall hues × 10 object hues × 8 scales × 4 shapes × 15
azimuths, in the same order, and so is the kind of image, a solid in the middle of a room, 64×64 in
colour, seen by a camera that turns from −30° to 30°. Different are the room (a corner of two walls,
no end above), the camera, the solids' proportions, the light (one lamp far away, fixed in the room,
and shadows with sharp edges) and the exact hues.

Light adds up: an image is its floor's colour times the brightness with which each pixel shows the
floor, and likewise the walls and the object. These three maps depend on scale, shape and azimuth
only, 480 of them, are drawn once, and are all that is kept.
"""

import math
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from .dataset import Dataset, register
from .ray_caster import ball, camera, capsule, cube, cylinder, lambert, nearest, plane, point

# The unit of length is the height of a ball of scale 1.
CORNER = 2.2  # from the middle of the floor to where the walls meet
DISTANCE, ELEVATION = 5.0, math.radians(24)  # of the camera
TARGET = np.array([0, 0, 0.55])  # it looks at
HALF_ANGLE = math.radians(14.5)  # between the middle and a side of an image
AMBIENT = 0.25
LIGHT = np.array([-0.25, -0.7, 0.9]) / math.sqrt(0.25**2 + 0.7**2 + 0.9**2)
WALLS = np.array([[1, -1, 0], [-1, -1, 0]]) / math.sqrt(2)  # their normals, into the room


@register("solids")
class Solids(Dataset):
    """Shapes3D's factors at their full size, 64×64, ray cast: not the original images."""

    factor_names = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "azimuth")
    factor_sizes = (10, 10, 10, 8, 4, 15)
    image_shape = (64, 64, 3)
    samples: ClassVar[int] = 4  # rays per pixel, in each direction

    def load(self):
        return draw(self)

    def observe(self, data, cells, key):
        *hues, scale, shape, azimuth = jnp.unravel_index(cells, self.grid)
        maps = data[jnp.ravel_multi_index((scale, shape, azimuth), self.grid[3:], mode="clip")]
        colours = jnp.asarray(rainbow(self.grid[0]))[jnp.stack(hues, axis=1)]  # [n, surface, rgb]
        maps = maps / jnp.float32(255)
        # As a product of matrices it takes XLA six times as long on a CPU.
        return sum(maps[..., s : s + 1] * colours[:, None, None, s] for s in range(3))

    def scene(self, geometry):
        """Number of a (scale, shape, azimuth) → size, shape, angle."""
        scale, shape, azimuth = jnp.unravel_index(geometry, self.grid[3:])
        size = 0.75 + 0.5 * scale / (self.grid[3] - 1)
        angle = jnp.radians(60 * azimuth / (self.grid[5] - 1) - 30)
        return size, shape, angle


def rainbow(count: int) -> np.ndarray:
    """Colours [count, 3] of evenly spaced hues from red on, in HSV with the other two at 1."""
    apart = np.abs(6 * np.arange(count)[:, None] / count - np.array([0, 2, 4]))  # from r, g and b
    return np.clip(2 - np.minimum(apart, 6 - apart), 0, 1).astype(np.float32)


def surfaces(size, shape, angle, across, down):
    """How brightly a point of an image shows floor, walls and object, [3] in [0, 1], two of them 0.

    `angle` is the camera's around the room, in radians; `across` and `down` are −1 to 1.
    """
    around = jnp.array([jnp.sin(angle), -jnp.cos(angle), math.tan(ELEVATION)])
    position = TARGET + DISTANCE * math.cos(ELEVATION) * around
    ray = camera(position, TARGET, HALF_ANGLE, across, down)
    floor = plane(position, ray, np.array([0, 0, 1]), 0)
    walls = nearest(*(plane(position, ray, wall, wall[1] * CORNER) for wall in WALLS))
    hits = (floor, walls, solid(size, shape, position, ray))
    # A convex solid casts no shadow on its own sides that face the light.
    behind = point(position, ray, jnp.minimum(floor[0], walls[0]))
    shadow = jnp.isfinite(solid(size, shape, behind, jnp.asarray(LIGHT))[0])
    shadows = (shadow, shadow, jnp.bool_(False))
    brightness = [
        lambert(n, LIGHT, AMBIENT, dark) for (_, n), dark in zip(hits, shadows, strict=True)
    ]
    first = jnp.argmin(jnp.stack([t for t, _ in hits]))
    return jnp.where(first == jnp.arange(3), jnp.stack(brightness), 0)


def solid(size, shape, origin, direction):
    """Where a ray meets the object: a cube, a cylinder, a ball or a capsule of this size."""
    shapes = (
        lambda o, d: cube(o, d, 0.8 * size),
        lambda o, d: cylinder(o, d, 0.42 * size, 0, 0.9 * size),
        lambda o, d: ball(o, d, 0.5 * size, 0.5 * size),
        lambda o, d: capsule(o, d, 0.32 * size, 1.2 * size),
    )
    return jax.lax.switch(shape, shapes, origin, direction)


@jax.jit(static_argnums=0)
def draw(dataset):
    """The maps of every geometry, [geometries, h, w, surface], uint8."""
    pixels, samples = dataset.image_shape[0], dataset.samples
    points = (jnp.arange(pixels * samples) + 0.5) * 2 / (pixels * samples) - 1

    def one(geometry):
        scene = partial(surfaces, *dataset.scene(geometry))
        maps = jax.vmap(lambda down: jax.vmap(lambda across: scene(across, down))(points))(points)
        maps = maps.reshape(pixels, samples, pixels, samples, 3).mean(axis=(1, 3))
        return jnp.round(255 * maps).astype(jnp.uint8)

    return jax.lax.map(one, jnp.arange(math.prod(dataset.grid[3:])))
