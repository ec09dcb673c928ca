"""Likelihoods that see beyond a pixel: Michlo, Klein & James, "Overlooked Implications of the
Reconstruction Loss for VAE Disentanglement", IJCAI 2023.

    L_aug(x, x̂) = w |x − x̂|² + v |k∗x − k∗x̂|²

A loss by pixels cannot order images in which nothing overlaps; blurred by a kernel k they overlap.
½ L_aug is a Gaussian's: K being the matrix that blurs, p(x|z) = N(x̂, Λ⁻¹), Λ = w I + v KᵀK,

    log p(x|z) = ½ log det Λ − ½ D log 2π − ½ L_aug(x, x̂)

and w = 1, v = 0 is the unit Gaussian. The paper leaves out the first two terms, which move no
network but make losses of several w and v comparable: here they count.

k sums to 1 and images are continued by zeros, as in the authors' code. Its radius is 31 and v = 63²
for 64×64 pixels; radii here are such for any side, ½ side − 1, and v is in units of 1 / Σ k², which
is 63² for that box: where v is 1, white noise weighs as much blurred as it does by pixels.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Kernel(NamedTuple):
    """A separable kernel for images of one size: k∗x = R x C for every channel."""

    rows: Float[Array, "h h"]  # R
    columns: Float[Array, "w w"]  # C, symmetric like R
    unit: Float[Array, ""]  # 1 / Σ k², of a box the number of its entries
    spectrum: Float[Array, "h w"]  # the eigenvalues of KᵀK

    def blur(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """k∗x. Two products, which cost less than an FFT does and can be mapped over members."""
        return jnp.einsum("ih,bhwc,wj->bijc", self.rows, x, self.columns)


class Blurred(NamedTuple):
    """N(mean, Λ⁻¹) with Λ = w I + v KᵀK: errors count by pixels, and once more blurred."""

    mean: Float[Array, "b h w c"]
    kernel: Kernel
    pixel_weight: Float[Array, ""]  # w
    blur_weight: Float[Array, ""]  # v, in units of the kernel's

    def log_prob(self, x: Float[Array, "b h w c"]) -> Float[Array, " b"]:
        """log p(x|z) in nats, the sum over pixels and channels, constants included."""
        w, v = self.pixel_weight, self.blur_weight * self.kernel.unit
        pixels, blurred = squared_errors(x - self.mean, self.kernel)
        log_det = x.shape[-1] * jnp.log(w + v * self.kernel.spectrum).sum()
        size = math.prod(x.shape[1:])
        return 0.5 * (log_det - size * math.log(2 * math.pi) - w * pixels - v * blurred)


def squared_errors(error: Float[Array, "b h w c"], kernel: Kernel):
    """|e|² and |k∗e|², both [b]: k∗x − k∗x̂ is k∗(x − x̂)."""
    return tuple(jnp.square(e).sum(axis=(1, 2, 3)) for e in (error, kernel.blur(error)))


def blurred(profile: str, mean: Float[Array, "b h w c"], pixel_weight=1.0, blur_weight=1.0):
    """The likelihood around these images, with the paper's weights where none are given."""
    return Blurred(mean, kernel(profile, *mean.shape[1:3]), pixel_weight, blur_weight)


@lru_cache
def kernel(profile: str, height: int, width: int) -> Kernel:
    """The kernel of this profile along either axis, for images of this size."""
    (rows, row_unit), (columns, column_unit) = (_axis(profile, n) for n in (height, width))
    along_rows, along_columns = (np.square(np.linalg.eigvalsh(m)) for m in (rows, columns))
    spectrum = along_rows[:, None] * along_columns
    unit = row_unit * column_unit
    return Kernel(*map(np.float32, (rows, columns, unit, spectrum)))


def _axis(profile, side):
    """The matrix [side, side] that blurs along an axis, and 1 / Σ k² along it."""
    radius = max(side // 2 - 1, 0)
    weights = PROFILES[profile](np.arange(-radius, radius + 1), radius)
    weights = weights / weights.sum()
    far = np.arange(side) - np.arange(side)[:, None]
    inside = np.abs(far) <= radius
    matrix = np.where(inside, weights[np.clip(far + radius, 0, 2 * radius)], 0)
    return matrix, 1 / np.square(weights).sum()


PROFILES = {
    "box": lambda at, radius: np.ones(len(at)),  # the paper's
    "gaussian": lambda at, radius: np.exp(-2 * np.square(at / max(radius, 1))),  # σ = ½ radius
}
