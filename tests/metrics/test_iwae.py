"""Models whose log p(x) is known: p(z) = N(0, I), p(x|z) = N(Wz, σ² I)."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from soberlook.metrics import Representation, Trained, iwae
from soberlook.metrics.iwae import log_weights
from soberlook.models.posteriors import Gaussian, Point

SHAPE = (2, 3, 1)
SIGMA = 0.5


def linear_gaussian(w, widen=1.0):
    """A run with decoder W [6, z], and log p(x) [12] of its 12 images.

    Its posterior is the best one with independent codes, of variances `widen` times as large.
    """
    d, z = w.shape
    images = np.random.default_rng(0).standard_normal((12, *SHAPE)).astype(np.float32)
    precision = w.T @ w / SIGMA**2 + np.eye(z)
    to_mean = jnp.asarray(np.linalg.solve(precision, w.T) / SIGMA**2, jnp.float32)
    log_var = jnp.asarray(np.log(widen / np.diag(precision)), jnp.float32)
    w32, table = jnp.asarray(w, jnp.float32), jnp.asarray(images)

    def encode(x):
        mean = x.reshape(-1, d) @ to_mean.T
        return Gaussian(mean, jnp.broadcast_to(log_var, mean.shape))

    def log_likelihood(x, codes):
        squares = jnp.square((x.reshape(-1, d) - codes @ w32.T) / SIGMA).sum(axis=1)
        return -squares / 2 - d / 2 * np.log(2 * np.pi * SIGMA**2)

    nothing = np.zeros((12, z))
    representation = Representation(nothing, nothing, nothing[:, 0], (3, 4))
    trained = Trained(
        representation,
        lambda cells, key: table[cells],
        encode,
        lambda codes: (codes @ w32.T).reshape(-1, *SHAPE),
        log_likelihood,
    )
    evidence = multivariate_normal(np.zeros(d), w @ w.T + SIGMA**2 * np.eye(d))
    return trained, evidence.logpdf(images.reshape(12, d)), precision


def drawn_mean(log_p, cells, seed=0):
    """The mean of log p(x) over the cells that the metric draws first."""
    return log_p[np.random.default_rng(seed).integers(12, size=cells)].mean()


def test_cells_that_were_held_out_have_numbers_of_their_own():
    trained, log_p, _ = linear_gaussian(np.linalg.qr(np.ones((6, 3)) + np.eye(6, 3))[0])
    parts = {"": np.arange(12), "_held_out": np.array([3, 5, 7])}
    trained = trained._replace(
        representation=trained.representation._replace(held_out=parts["_held_out"])
    )
    found = iwae(trained, np.random.default_rng(0), cells=2_000, samples=2)
    for of, cells in parts.items():
        assert found[f"elbo{of}"] == pytest.approx(log_p[cells].mean(), abs=0.15)
    assert abs(found["elbo"] - found["elbo_held_out"]) > 0.3


def test_with_the_true_posterior_every_weight_is_the_evidence():
    w = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 3)))[0] * [1.0, 0.5, 2.0]
    trained, log_p, _ = linear_gaussian(w)
    cells = np.random.default_rng(0).integers(12, size=50)
    log_w = log_weights(trained, np.random.default_rng(1), cells, 20)
    np.testing.assert_allclose(log_w, np.tile(log_p[cells, None], 20), atol=1e-4)
    found = iwae(trained, np.random.default_rng(0), cells=50, samples=20)
    assert found == pytest.approx({"iwae_20": log_p[cells].mean(), "elbo": log_p[cells].mean()})


@pytest.fixture
def entangled():
    return linear_gaussian(0.5 * np.random.default_rng(6).standard_normal((6, 3)))


def test_the_elbo_misses_the_evidence_by_the_gap_of_the_posterior(entangled):
    trained, log_p, precision = entangled
    gap = (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision).logabsdet) / 2
    assert gap > 0.2
    cells = np.random.default_rng(0).integers(12, size=500)
    missing = log_p[cells, None] - log_weights(trained, np.random.default_rng(1), cells, 40)
    error = missing.std() / np.sqrt(missing.size)
    assert missing.mean() == pytest.approx(gap, abs=4 * error) and error < gap / 20
    weights = np.exp(-missing)  # w / p(x), of mean 1
    error = weights.std() / np.sqrt(weights.size)
    assert weights.mean() == pytest.approx(1, abs=4 * error) and error < 0.03


def test_a_wider_posterior_loosens_the_elbo_by_a_known_amount():
    w = np.linalg.qr(np.random.default_rng(1).standard_normal((6, 3)))[0]
    trained, log_p, _ = linear_gaussian(w, widen=2.0)
    found = iwae(trained, np.random.default_rng(0), cells=1_000, samples=30)
    divergence = 3 / 2 * (2 - 1 - np.log(2))  # KL(N(0, 2 s²) ‖ N(0, s²)) in three dimensions
    assert found["elbo"] == pytest.approx(drawn_mean(log_p, 1_000) - divergence, abs=0.02)


def test_more_samples_tighten_the_bound(entangled):
    trained, log_p, _ = entangled
    found = [
        iwae(trained, np.random.default_rng(0), cells=500, samples=k)[f"iwae_{k}"]
        for k in (1, 4, 16, 64)
    ]
    steps = np.diff([*found, drawn_mean(log_p, 500)])
    assert (steps > 0).all() and steps[-1] < 0.1


def test_one_sample_is_the_elbo(entangled):
    found = iwae(entangled[0], np.random.default_rng(0), cells=30, samples=1)
    assert found["iwae_1"] == pytest.approx(found["elbo"], abs=1e-12)
    assert list(iwae(entangled[0], np.random.default_rng(0), cells=3)) == ["iwae_64", "elbo"]


def test_a_posterior_of_other_images_is_worse(entangled):
    trained, *_ = entangled
    wrong = trained._replace(encode=lambda x: trained.encode(x[::-1]))
    found, right = (iwae(t, np.random.default_rng(0)) for t in (wrong, trained))
    assert found["elbo"] < right["elbo"] - 1 and found["iwae_64"] < right["iwae_64"] - 0.1


def test_impossible_images_and_bad_models(entangled):
    trained, *_ = entangled

    def asked(**functions):
        return iwae(trained._replace(**functions), np.random.default_rng(0), cells=20, samples=4)

    never = asked(log_likelihood=lambda x, z: jnp.full(len(x), -jnp.inf))
    assert never == {"iwae_4": -np.inf, "elbo": -np.inf}
    with pytest.raises(ValueError, match="log-likelihoods must be numbers"):
        asked(log_likelihood=lambda x, z: jnp.full(len(x), jnp.nan))
    with pytest.raises(ValueError, match="encoded means must be finite.* column 1"):
        asked(encode=lambda x: Point(jnp.tile(jnp.array([[0, jnp.nan]]), (len(x), 1))))
    with pytest.raises(ValueError, match="posteriors must have a density"):
        asked(encode=lambda x: Gaussian(jnp.zeros((len(x), 3)), jnp.full((len(x), 3), -jnp.inf)))
    with pytest.raises(ValueError, match="posteriors must have a density"):
        asked(encode=lambda x: Point(jnp.zeros((len(x), 3))))
    with pytest.raises(ValueError, match="samples must be one at least, found 0"):
        iwae(trained, np.random.default_rng(0), samples=0)
    with pytest.raises(ValueError, match="cells must be one at least, found 0"):
        iwae(trained, np.random.default_rng(0), cells=0)
