"""mini_sprites: dSprites' factors on a small scale, drawn from definitions, nothing downloaded.

6,144 grey 16×16 images: 3 shapes × 4 scales × 8 orientations × 8 × 8 positions, one white sprite
on black. Edges are antialiased (a pixel is the share of its area inside the sprite), so that every
step of every factor moves pixels. dSprites turns its sprites through 2π, where a square repeats
itself four times and an ellipse twice; here orientation covers a quarter turn, [0, π/2), in which
no shape repeats, so that no two cells have equal images and every factor can be told in full.
"""

import jax
import jax.numpy as jnp

from .dataset import Dataset, register
from .shapes import inside

SAMPLES = 8  # a pixel's share is counted on SAMPLES × SAMPLES points
BLOCK = 128  # cells drawn at a time


@register("mini_sprites")
class MiniSprites(Dataset):
    """dSprites' factors at 16×16: 6,144 antialiased grey sprites, drawn, not downloaded."""

    factor_names = ("shape", "scale", "orientation", "x", "y")
    factor_sizes = (3, 4, 8, 8, 8)
    image_shape = (16, 16, 1)

    def load(self):
        return draw()

    def observe(self, data, cells, key):
        return data[cells] / jnp.float32(255)


def sprite(shape, scale, orientation, x, y):
    """One image [16, 16, 1] in [0, 1] from the five factors' values, scalars."""
    radius = 2.2 + 0.6 * scale  # of the circle around the sprite, in pixels: 2.2 to 4
    angle = orientation * (jnp.pi / 2 / 8)
    centre_x, centre_y = 4 + x * (8 / 7), 4 + y * (8 / 7)  # the circle stays inside the image
    points = (jnp.arange(16 * SAMPLES) + 0.5) / SAMPLES
    dx, dy = (points - centre_x)[None, :] / radius, (points - centre_y)[:, None] / radius
    share = inside(shape, angle, dx, dy).reshape(16, SAMPLES, 16, SAMPLES).mean(axis=(1, 3))
    return share[..., None]


@jax.jit
def draw():
    """All images [n, 16, 16, 1], uint8, in the order of the cells."""
    grid = MiniSprites()
    cells = jnp.arange(grid.size).reshape(-1, BLOCK)
    block = jax.vmap(lambda factors: jnp.round(255 * sprite(*factors)).astype(jnp.uint8))
    images = jax.lax.map(lambda some: block(grid.factors(some)), cells)
    return images.reshape(grid.size, *grid.image_shape)
