import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained, total_correlation
from soberlook.models.posteriors import Gaussian, Point

SIZES = (20, 30)
FIRST, SECOND = np.indices(SIZES).reshape(2, -1)


def found(mean, log_var, posterior=Gaussian, **options):
    """Of a run whose image is its cell's number, with these posteriors [600, z]."""
    parts = [jnp.asarray(a, jnp.float32) for a in (mean, log_var)[: len(posterior._fields)]]
    nothing = np.zeros(np.shape(mean))
    trained = Trained(
        Representation(nothing, nothing, nothing[:, 0], SIZES),
        lambda cells, key: jnp.asarray(cells, jnp.float32)[:, None, None, None],
        lambda x: posterior(*(part[x[:, 0, 0, 0].astype(int)] for part in parts)),
        lambda z: z,
        lambda x, z: z,
    )
    return total_correlation(trained, np.random.default_rng(0), **options)["total_correlation"]


def test_codes_of_factors_of_a_grid_are_independent():
    mean = np.stack([np.sin(FIRST), SECOND**2 / 100, 0 * FIRST], axis=1)
    log_var = np.stack([-FIRST / 5, -3 + np.cos(SECOND), 0 * FIRST], axis=1)
    assert found(mean, log_var) == pytest.approx(0, abs=1e-4)


def test_copies_are_worth_what_they_say_of_one_another():
    copies = np.stack([FIRST, FIRST, SECOND], axis=1)
    sharp = np.full(copies.shape, -12.0)
    assert found(copies, sharp) == pytest.approx(np.log(20), abs=1e-3)


def test_gaussian_codes_have_the_closed_form():
    rho = 0.9
    rng = np.random.default_rng(1)
    # 600 means and a variance of their own, so that z is N(0, [[1, ρ], [ρ, 1]]) but for few images.
    own = 0.09
    cholesky = np.linalg.cholesky([[1 - own, rho], [rho, 1 - own]])
    mean = rng.standard_normal((600, 2)) @ cholesky.T
    expected = -0.5 * np.log(1 - rho**2)
    assert found(mean, np.full((600, 2), np.log(own)), samples=600) == pytest.approx(
        expected, abs=0.1
    )
    free = rng.standard_normal((600, 2))
    assert found(free, np.full((600, 2), np.log(own)), samples=600) < 0.4 * expected


def test_points_have_none():
    with pytest.raises(ValueError, match="must be Gaussian, found Point"):
        found(np.zeros((600, 2)), None, Point)


def test_variances_that_are_not_finite_are_refused():
    log_var = np.zeros((600, 2))
    log_var[7, 1] = np.nan
    with pytest.raises(ValueError, match="encoded log_var must be finite, .* in column 1"):
        found(np.zeros((600, 2)), log_var)
