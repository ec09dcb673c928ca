import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import gamma, kv

from soberlook.datasets import make
from soberlook.datasets.gp_curves import JITTER


def whittle_matern(r, nu):
    """The general form, by Bessel's function (Rasmussen & Williams, 2006, equation 4.14)."""
    s = np.sqrt(2 * nu) * np.where(r == 0, 1e-9, r)
    return 2 ** (1 - nu) / gamma(nu) * s**nu * kv(nu, s)


EXPECTED = {
    "rbf": lambda r: np.exp(-(r**2) / 2),
    "matern12": lambda r: whittle_matern(r, 1 / 2),
    "matern32": lambda r: whittle_matern(r, 3 / 2),
    "matern52": lambda r: whittle_matern(r, 5 / 2),
}


def curves(dataset):
    cells = jnp.arange(dataset.size)
    return np.asarray(dataset.observe(dataset.load(), cells, jax.random.key(0)), float)


@pytest.mark.parametrize("kernel", EXPECTED)
def test_a_hundred_thousand_draws_have_the_kernels_covariance(kernel):
    dataset = make("gp_curves", kernel=kernel, length_scale=0.3, points=41)
    x = np.linspace(-1, 1, 41)
    expected = EXPECTED[kernel](np.abs(x[:, None] - x) / 0.3)
    np.testing.assert_allclose(dataset.covariance(), expected, atol=2e-8)
    y = curves(dataset)
    assert y.shape == (100_000, 41)
    # A covariance of 10⁵ draws has a standard error of √(1 + ρ²) / √10⁵, 0.0045 at most.
    assert np.abs(y.T @ y / len(y) - expected).max() < 0.02
    assert np.abs(y.mean(axis=0)).max() < 0.015
    assert stats.kstest(y[:, 20], "norm").pvalue > 0.001
    assert abs(np.corrcoef(y[:-1, 0], y[1:, 0])[0, 1]) < 0.015  # draws of their own


@pytest.mark.parametrize(
    "length_scale, dimensions",
    [(0.1, (14, 18, 23)), (0.2, (7, 10, 12)), (0.3, (5, 7, 9)), (0.5, (4, 5, 6))],
)
def test_few_dimensions_hold_a_smooth_process(length_scale, dimensions):
    """How many principal components have 95, 99 and 99.9 % of the variance."""
    covariance = make("gp_curves", length_scale=length_scale).covariance()
    share = np.cumsum(np.linalg.eigvalsh(covariance)[::-1]) / 100
    assert tuple(1 + np.searchsorted(share, [0.95, 0.99, 0.999])) == dimensions


@pytest.mark.parametrize("kernel, power", [("matern12", 1), ("matern32", 3), ("matern52", 4)])
def test_rougher_kernels_have_rougher_curves(kernel, power):
    """E[(y(x − h) − 2 y(x) + y(x + h))²] falls with h as h, h³ and, of smooth curves, h⁴."""
    squares = []
    for points in (201, 401):
        dataset = make("gp_curves", kernel=kernel, length_scale=1.0, points=points)
        k = dataset.covariance() - JITTER * np.eye(points)
        squares.append(6 * k[0, 0] - 8 * k[0, 1] + 2 * k[0, 2])
    assert abs(np.log2(squares[0] / squares[1]) - power) < 0.1


def test_extreme_settings_have_a_root():
    for settings in ({"length_scale": 10.0}, {"points": 500}, {"length_scale": 0.01}):
        dataset = make("gp_curves", **settings)
        covariance = dataset.covariance()
        root = np.linalg.cholesky(covariance)
        np.testing.assert_allclose(root @ root.T, covariance, atol=1e-12)
