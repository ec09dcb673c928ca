"""The sprites' shapes: a square, an ellipse and a heart, each inside the unit circle.

Points are (u, v), v pointing down, arrays that broadcast together.
"""

import jax.numpy as jnp
import numpy as np


def square(u, v):
    """Inscribed in the unit circle."""
    return jnp.maximum(jnp.abs(u), jnp.abs(v)) <= np.sqrt(0.5)


def ellipse(u, v):
    """Twice as long as wide."""
    return u**2 + (2 * v) ** 2 <= 1


def heart(u, v):
    """The sextic (x² + y² − 1)³ ≤ x² y³, point down, scaled into the unit circle."""
    x, y = 1.25 * u, 0.1 - 1.25 * v
    return (x**2 + y**2 - 1) ** 3 <= x**2 * y**3


def inside(shape, angle, dx, dy):
    """Which points (dx, dy) lie in shape 0, 1 or 2 (in the order above), turned by `angle`."""
    u = jnp.cos(angle) * dx + jnp.sin(angle) * dy
    v = jnp.cos(angle) * dy - jnp.sin(angle) * dx
    round_ones = jnp.where(shape == 1, ellipse(u, v), heart(u, v))
    return jnp.where(shape == 0, square(u, v), round_ones)
