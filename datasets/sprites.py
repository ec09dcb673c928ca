"""sprites: dSprites' grid of factors at its full size, drawn from definitions as it is needed.

These are not the images of dSprites (Matthey et al., 2017), and scores on them are not scores on
it. The grid is the same, 3 shapes × 6 scales × 40 orientations × 32 × 32 positions, in the same
order, and so are the kind of image, one white sprite on black with hard edges, 64×64, the scales,
½ to 1, and about the share of white (4.2 %, there 4.25 %). Different are the outlines, the angles
and the places:

- Orientation k is the angle 2πk/40. In dSprites angles 0 and 39 coincide; here none do, but a
  square still repeats itself after 10 of the 40 and an ellipse after 20, as it must: 430,080 of the
  737,280 images differ, and no metric can find orientation in full.
- Positions are one pixel apart, and the sprite never leaves the image.

Nothing is kept: an image is a function of its five factors.
"""

import jax
import jax.numpy as jnp
import numpy as np

from .dataset import Dataset, register
from .shapes import inside

# Of the circle around the largest sprite, in pixels. Among the radii that give dSprites' share of
# white this one leaves no centre of a pixel closer than 2e-4 radii to an outline in any of the 720
# shapes, scales and orientations, so that rounding decides no pixel.
RADIUS = 12.14


@register("sprites")
class Sprites(Dataset):
    """dSprites' factors at their full size, 64×64: drawn as needed; not the original images."""

    factor_names = ("shape", "scale", "orientation", "x", "y")
    factor_sizes = (3, 6, 40, 32, 32)
    image_shape = (64, 64, 1)

    def load(self):
        return ()

    def observe(self, data, cells, key):
        return jax.vmap(lambda factors: sprite(*factors))(self.factors(cells))


def sprite(shape, scale, orientation, x, y):
    """One image [64, 64, 1] of zeros and ones from the five factors' values, scalars."""
    radius = RADIUS * (0.5 + 0.1 * scale)
    angle = orientation * (2 * jnp.pi / 40)
    centres = np.arange(64) + 0.5
    dx = (centres - (16 + x))[None, :] / radius
    dy = (centres - (16 + y))[:, None] / radius
    # Roots are operations that XLA does once; a drawing without one it repeats in every place that
    # reads the image, which costs a twentieth of an update. Of 0 and 1 they are exact.
    return jnp.sqrt(inside(shape, angle, dx, dy)[..., None].astype(jnp.float32))
