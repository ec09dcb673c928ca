import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained, aggregate_posterior
from soberlook.models.posteriors import Gaussian, Point

SIZES = (20, 30)


def run(mean, log_var):
    """A run whose image is its cell's number, with these posteriors [600, z]."""
    mean, log_var = jnp.asarray(mean, jnp.float32), jnp.asarray(log_var, jnp.float32)
    nothing = np.zeros(mean.shape)
    return Trained(
        Representation(nothing, nothing, nothing[:, 0], SIZES),
        lambda cells, key: jnp.asarray(cells, jnp.float32)[:, None, None, None],
        lambda x: Gaussian(mean[x[:, 0, 0, 0].astype(int)], log_var[x[:, 0, 0, 0].astype(int)]),
        lambda z: z,
        lambda x, z: z,
    )


def found(mean, log_var, **options):
    return aggregate_posterior(run(mean, log_var), np.random.default_rng(0), **options)


def test_a_collapsed_posterior_knows_nothing_and_is_the_prior():
    zeros = np.zeros((600, 3))
    assert found(zeros, zeros) == pytest.approx({"information_xz": 0, "aggregate_kl": 0}, abs=1e-6)


def test_a_shifted_collapsed_posterior_is_as_far_from_the_prior_as_its_mean_says():
    mean, log_var = np.full((600, 2), 1.5), np.zeros((600, 2))
    value = found(mean, log_var)
    assert value["information_xz"] == pytest.approx(0, abs=1e-6)
    error = 1.5 * np.sqrt(2 / 600)  # the standard deviation of z · mean over the samples
    assert value["aggregate_kl"] == pytest.approx(1.5**2, abs=4 * error)


@pytest.mark.parametrize("cells", [100, 600, 1_000])
def test_images_that_are_told_apart_are_worth_the_logarithm_of_their_number(cells):
    mean = np.arange(600)[:, None] * np.array([[1.0, 0.0]])
    value = found(mean, np.full((600, 2), -12.0), cells=cells)
    assert value["information_xz"] == pytest.approx(np.log(min(cells, 600)), abs=1e-6)


def test_both_parts_are_the_kl_term():
    rng = np.random.default_rng(1)
    mean, log_var = 0.7 * rng.standard_normal((600, 4)), np.full((600, 4), np.log(0.5))
    trained = run(mean, log_var)
    draws = [aggregate_posterior(trained, np.random.default_rng(seed)) for seed in range(10)]
    information, aggregate = np.mean([list(draw.values()) for draw in draws], axis=0)
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    error = 0.05 / np.sqrt(10)
    assert information + aggregate == pytest.approx(kl, abs=4 * error)
    # q(z) is close to N(0, 1): .7² + .5 = .99. What is left is that 600 codes are few.
    assert aggregate < 0.1 and 0.5 < information < kl + 4 * error


def test_codes_of_noise_say_nothing():
    rng = np.random.default_rng(2)
    mean, log_var = 0.01 * rng.standard_normal((600, 2)), np.zeros((600, 2))
    assert found(mean, log_var)["information_xz"] == pytest.approx(0, abs=0.01)


def test_points_have_no_density():
    points = run(np.zeros((600, 2)), np.zeros((600, 2)))
    points = points._replace(encode=lambda x: Point(jnp.zeros((len(x), 2))))
    with pytest.raises(ValueError, match="posteriors must have a density"):
        aggregate_posterior(points, np.random.default_rng(0))
