"""gp_curves: functions drawn from a Gaussian process, on fixed points.

What methods that learn a prior over functions are trained on (πVAE: Mishra et al., 2022; PriorVAE:
Semenova et al., 2022, section 3: an RBF kernel on a grid, 10⁵ draws). The process has mean 0,
variance 1 and, at distance r for a length scale l,

    rbf         exp(−r² / 2l²)
    matern12    exp(−r / l)
    matern32    (1 + s) exp(−s)             s = √3 r / l
    matern52    (1 + s + s² / 3) exp(−s)    s = √5 r / l

and 10⁻⁹ more variance at each point, so that rounding leaves the matrix positive definite.
"""

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import setting

from .dataset import Dataset, register

JITTER = 1e-9

KERNELS = {
    "rbf": lambda s: np.exp(-(s**2) / 2),
    "matern12": lambda s: np.exp(-s),
    "matern32": lambda s: (1 + np.sqrt(3) * s) * np.exp(-np.sqrt(3) * s),
    "matern52": lambda s: (1 + np.sqrt(5) * s + 5 * s**2 / 3) * np.exp(-np.sqrt(5) * s),
}


@register("gp_curves")
class GPCurves(Dataset):
    """100,000 draws of a Gaussian process on points of [−1, 1]; unbounded, standard normal each.

    Values are real and not in [0, 1], which is for Gaussian likelihoods.
    """

    kernel: str = setting("rbf", choices=tuple(KERNELS))
    length_scale: float = setting(0.2, low=0.01, high=10.0, real=True)
    points: int = setting(100, low=2, high=1000)

    factor_names = ("curve",)
    factor_sizes = (100_000,)
    has_factors = False
    bounded = False

    @property
    def image_shape(self):
        return (self.points,)

    @property
    def locations(self) -> np.ndarray:
        """Where curves are observed, [points], float64: evenly from −1 to 1."""
        return np.linspace(-1, 1, self.points)

    def covariance(self) -> np.ndarray:
        """The covariance of a curve's values [points, points], float64."""
        distances = np.abs(self.locations[:, None] - self.locations[None])
        return KERNELS[self.kernel](distances / self.length_scale) + JITTER * np.eye(self.points)

    def load(self):
        root = jnp.asarray(np.linalg.cholesky(self.covariance()), jnp.float32)
        return jax.random.normal(jax.random.key(0), (self.size, self.points)) @ root.T

    def observe(self, data, cells, key):
        return data[cells]
