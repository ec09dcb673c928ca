"""mixed_table: three numeric and two categorical columns that two hidden variables drive.

For methods that fill in missing values. With z ~ N(0, I₂) per row, and ε ~ N(0, 1) and N(0, I₂) of
each column's own,

    number i     Φ((n_i·z + σ ε) / √(1 + σ²))    n_i the unit vectors at 0°, 60° and 120°
    category j   the sector that z + σ ε points to, of 3 and of 4 equal ones

so that a number is uniform on [0, 1], a category as likely as another, and two numbers' normal
scores correlate by n_i·n_j / (1 + σ²). Filling in means errs by √(1/12), the mode by 2/3 and 3/4.
"""

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import setting

from .columns import columns, encode, width
from .dataset import Dataset, register

ANGLES = np.pi * np.array([0, 1, 2], np.float32) / 3
TURNS = (0.0, 0.5)  # by which the sectors of each category are turned, in radians


@register("mixed_table")
class MixedTable(Dataset):
    """A table of 3 numbers and 2 categories that two hidden variables drive.

    `variant` says how its columns hang together: "shared" as above; "independent", where every
    column has hidden variables of its own and nothing can be told from the others; "duplicated",
    where the second number is the first one again.
    """

    noise: float = setting(0.3, low=0.0, high=10.0, real=True)  # σ
    variant: str = setting("shared", choices=("shared", "independent", "duplicated"))

    columns = columns(n1="real", n2="real", n3="real", c1=3, c2=4)
    factor_names = ("row",)
    factor_sizes = (16_384,)
    has_factors = False
    image_shape = (width(columns),)

    def load(self):
        key_hidden, key_numbers, key_sectors = jax.random.split(jax.random.key(0), 3)
        rows = self.factor_sizes
        hidden = list(jax.random.normal(key_hidden, (5, 2, *rows)))  # of each column
        if self.variant != "independent":
            hidden = hidden[:1] * 5
        numbers = [
            self._number(angle, z, noise)
            for angle, z, noise in zip(
                ANGLES, hidden[:3], jax.random.normal(key_numbers, (3, *rows)), strict=True
            )
        ]
        if self.variant == "duplicated":
            numbers[1] = numbers[0]
        categories = [
            _sector(z + self.noise * noise, turn, column.classes)
            for z, noise, turn, column in zip(
                hidden[3:],
                jax.random.normal(key_sectors, (2, 2, *rows)),
                TURNS,
                self.columns[3:],
                strict=True,
            )
        ]
        return encode(self.columns, numbers + categories)

    def observe(self, data, cells, key):
        return data[cells]

    def _number(self, angle, z, noise):
        """The values [n] of the number of this angle, for z [2, n]."""
        score = np.cos(angle) * z[0] + np.sin(angle) * z[1] + self.noise * noise
        return jax.scipy.stats.norm.cdf(score / np.sqrt(1 + self.noise**2))


def _sector(points, turn, count):
    """Which of `count` equal sectors points [2, n] lie in, from 0."""
    angle = jnp.arctan2(points[1], points[0]) - turn
    return jnp.floor(angle / (2 * np.pi / count)).astype(jnp.int32) % count
