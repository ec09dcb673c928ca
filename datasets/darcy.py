"""darcy: pressure and flow through a porous square of random permeability.

The data of Jacobsen & Duraisamy (Frontiers in Physics 10:890910, 2022, after Zhu & Zabaras, 2018)
on a small scale. Fluid is fed into one corner of the unit square and drawn from the opposite one:

    u = −K ∇p,   ∇·u = f,   no flow through the boundary,   ∫ p = 0
    f = 10 in [0, 1/8]², −10 in [7/8, 1]², 0 elsewhere
    log K = θ₁ √λ₁ φ₁ + θ₂ √λ₂ φ₂

with the two leading eigenfunctions φ of the covariance exp(−|x − x'| / 0.1) of log K (called
Gaussian in the paper, exponential in its code, as here). The factors are θ₁ and θ₂, each at the 32
quantiles (i + ½) / 32 of its distribution, so that uniform cells are draws of θ:

    bimodal     ½ N(1, ¼²) + ½ N(−1, ¼²)
    gaussian    N(0, 1)

Deviations: the square is divided into 17 × 17 or 33 × 33 cells, not 65 × 65 nodes, and the flow out
of a cell is balanced with the source in it (finite volumes, harmonic means of K between cells), so
that no fluid is lost. φ₂ belongs to a double eigenvalue: here it is the one that is even along y.
"""

from functools import lru_cache
from statistics import NormalDist

import jax.numpy as jnp
import numpy as np

from soberlook.registry import setting

from .dataset import Dataset, register

VALUES = 32  # of each factor
LENGTH = 0.1  # of correlation
WELL = 1 / 8  # side of the squares with sources
RATE = 10.0  # the source in them
# Images show ½ + p / 2 PRESSURE and u / FLOW: larger than any |p| and u of either distribution and
# side. Nothing flows back: u is positive everywhere, and only the boundary's would be 0.
PRESSURE = 0.42
FLOW = 0.75


@register("darcy")
class Darcy(Dataset):
    """Darcy flow fields of two random modes of permeability: pressure, flow along x, along y."""

    side: int = setting(17, choices=(17, 33))
    coefficients: str = setting("bimodal", choices=("bimodal", "gaussian"))

    factor_names = ("theta_1", "theta_2")
    factor_sizes = (VALUES, VALUES)

    @property
    def image_shape(self):
        return (self.side, self.side, 3)

    def thetas(self) -> np.ndarray:
        """The values of either coefficient [32], rising and symmetric about 0."""
        levels = (np.arange(VALUES) + 0.5) / VALUES
        if self.coefficients == "gaussian":
            return np.array([NormalDist().inv_cdf(level) for level in levels])
        # The modes lie 8 deviations apart: each half of the levels is one mode's own quantiles, but
        # for the 3·10⁻⁵ of probability that reach over 0.
        upper = NormalDist(1, 0.25)
        positive = [upper.inv_cdf(2 * level - 1) for level in levels[VALUES // 2 :]]
        return np.concatenate([-np.array(positive)[::-1], positive])

    def log_permeability(self, theta) -> np.ndarray:
        """θ [n, 2] → log K [n, side, side], float64; the first axis of the image is y."""
        return np.einsum("nk,kyx->nyx", theta, modes(self.side))

    def load(self):
        theta = np.stack(np.meshgrid(*[self.thetas()] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
        pressure, flow_x, flow_y = solve(self.log_permeability(theta), source(self.side))
        # A cell's flow is the mean of that through its two sides; none comes through the boundary.
        flow_x = np.pad(flow_x, ((0, 0), (0, 0), (1, 1)))
        flow_y = np.pad(flow_y, ((0, 0), (1, 1), (0, 0)))
        flow_x = (flow_x[:, :, :-1] + flow_x[:, :, 1:]) / 2
        flow_y = (flow_y[:, :-1] + flow_y[:, 1:]) / 2
        fields = [(1 + pressure / PRESSURE) / 2, flow_x / FLOW, flow_y / FLOW]
        return jnp.asarray(np.stack(fields, axis=-1), jnp.float32)

    def observe(self, data, cells, key):
        return data[cells]


@lru_cache(maxsize=2)
def modes(side: int) -> np.ndarray:
    """√λ φ of the two leading eigenfunctions [2, side, side]; positive in the first corner."""
    from scipy.linalg import eigh

    centres = (np.arange(side) + 0.5) / side
    y, x = (axis.ravel() for axis in np.meshgrid(centres, centres, indexing="ij"))
    distance = np.hypot(x[:, None] - x[None], y[:, None] - y[None])
    covariance = np.exp(-distance / LENGTH)
    count = side**2
    # Fields that are even along y are left as they are, odd ones become 0: one of the two
    # eigenfunctions that share the second eigenvalue is left, and no longer a matter of rounding.
    mirrored = covariance.reshape(count, side, side)[:, ::-1].reshape(count, count)
    values, vectors = eigh((covariance + mirrored) / 2, subset_by_index=(count - 2, count - 1))
    leading = (vectors * np.sqrt(values)).T[::-1]
    return (leading * np.sign(leading[:, :1])).reshape(2, side, side)


def source(side: int) -> np.ndarray:
    """f [side, side], the mean over each cell; its sum is 0."""
    covered = np.clip(WELL * side - np.arange(side), 0, 1)  # share of a cell's side in the well
    well = RATE * np.outer(covered, covered)
    return well - well[::-1, ::-1]


def solve(log_k, f):
    """log K [n, s, s] and f [s, s] → p [n, s, s], u along x [n, s, s−1] and along y [n, s−1, s].

    u is the flow between neighbouring cells, per unit of length. float64, solved directly.
    """
    from scipy.linalg import solveh_banded

    side = f.shape[-1]
    resistance = np.exp(-log_k)
    # Conductance between neighbours: the harmonic mean of K over their distance, 1 / side.
    along_x = 2 * side / (resistance[:, :, :-1] + resistance[:, :, 1:])
    along_y = 2 * side / (resistance[:, :-1] + resistance[:, 1:])
    pressures = []
    for gx, gy in zip(along_x, along_y, strict=True):
        right = np.pad(gx, ((0, 0), (0, 1)))
        down = np.pad(gy, ((0, 1), (0, 0)))
        total = right + down
        total[:, 1:] += gx
        total[1:] += gy
        total[0, 0] += side  # fixes p there to 0, and with it the constant that f leaves open
        band = np.zeros((side + 1, side**2))
        band[0], band[1], band[side] = total.ravel(), -right.ravel(), -down.ravel()
        # Flow through a cell's four sides, each 1 / side long, is the source in its area.
        p = solveh_banded(band, f.ravel() / side, lower=True).reshape(side, side)
        pressures.append(p - p.mean())
    p = np.stack(pressures)
    return p, -along_x * np.diff(p, axis=2), -along_y * np.diff(p, axis=1)
