"""Likelihoods that blur, against dense formulas in float64 and the known distances of xysquares."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal, stats

from soberlook.datasets import make
from soberlook.models import MODELS, BetaVAE, BlurVAE
from soberlook.models.blur import Blurred, blurred, kernel, squared_errors
from soberlook.models.blur_vae import beta_in_nats
from soberlook.models.likelihoods import BLURS, LIKELIHOODS, Gaussian
from soberlook.registry import BadInput

RNG = np.random.default_rng(0)


def dense(profile, side):
    """The weights of a kernel along one axis, from its definition."""
    radius = max(side // 2 - 1, 0)
    at = np.arange(-radius, radius + 1.0)
    weights = stats.norm(0, radius / 2).pdf(at) if profile == "gaussian" and radius else at**0
    return weights / weights.sum()


@pytest.mark.parametrize("profile", ["box", "gaussian"])
@pytest.mark.parametrize("shape", [(16, 16, 1), (8, 12, 3), (2, 3, 1)])
def test_it_is_a_convolution_continued_by_zeros(profile, shape):
    x = RNG.random((2, *shape))
    two = np.outer(dense(profile, shape[0]), dense(profile, shape[1]))
    assert two.sum() == pytest.approx(1)
    found = kernel(profile, *shape[:2])
    for image, result in zip(x, found.blur(jnp.float32(x)), strict=True):
        for channel in range(shape[2]):
            # Full, and cut to the image: "same" of scipy is of the larger of the two.
            full = signal.convolve2d(image[..., channel], two)
            top, left = (np.array(two.shape) - 1) // 2
            expected = full[top : top + shape[0], left : left + shape[1]]
            np.testing.assert_allclose(result[..., channel], expected, rtol=1e-5, atol=1e-6)
    assert found.unit == pytest.approx(1 / np.square(two).sum())


def test_the_kernel_of_the_paper():
    found = kernel("box", 64, 64)
    assert found.unit == 3969 and (found.rows > 0).sum(axis=1).max() == 63
    np.testing.assert_allclose(found.rows[found.rows > 0], 1 / 63, rtol=1e-6)


@pytest.mark.parametrize("profile", ["box", "gaussian"])
@pytest.mark.parametrize("weights", [(1, 1), (0.3, 2.5)])
def test_it_is_a_normal_distribution(profile, weights):
    height, width, channels = 6, 8, 2
    x, mean = RNG.standard_normal((2, 3, height, width, channels))
    k = kernel(profile, height, width)
    blur = np.kron(np.kron(np.float64(k.rows), np.float64(k.columns)), np.eye(channels))
    precision = weights[0] * np.eye(len(blur)) + weights[1] * float(k.unit) * blur.T @ blur
    normal = stats.multivariate_normal(np.zeros(len(blur)), np.linalg.inv(precision))
    found = Blurred(jnp.float32(mean), k, *weights).log_prob(jnp.float32(x))
    np.testing.assert_allclose(found, normal.logpdf((x - mean).reshape(3, -1)), rtol=1e-5)


@pytest.mark.parametrize("profile", ["box", "gaussian"])
def test_without_a_blur_it_is_the_unit_gaussian(profile):
    x, mean = jnp.float32(RNG.random((2, 3, 16, 16, 1)))
    found = blurred(profile, mean, 1.0, 0.0)
    np.testing.assert_allclose(found.log_prob(x), Gaussian(mean).log_prob(x), rtol=1e-6)
    assert (found.mean == mean).all()


def images(dataset, *cells):
    cells = jnp.array([np.ravel_multi_index(cell, dataset.grid) for cell in cells])
    return dataset.observe((), cells, jax.random.key(0))


def distances(dataset, *cells, profile="box"):
    """By pixels and blurred, from the first of these cells to the others, in float32."""
    x = images(dataset, *cells)
    k = kernel(profile, *dataset.image_shape[:2])
    pixels, far = squared_errors(x[1:] - x[:1], k)
    return np.asarray(pixels), np.asarray(far * k.unit)


def test_distances_of_xysquares_by_pixels_say_only_how_many_squares_moved():
    squares = make("xysquares")
    origin = (1, 2, 3, 4, 5, 6)
    one = [(7, 2, 3, 4, 5, 6), (1, 3, 3, 4, 5, 6), (2, 7, 3, 4, 5, 6), (1, 2, 3, 4, 0, 6)]
    two = [(0, 2, 3, 4, 5, 7), (1, 2, 7, 0, 0, 0)]
    three = [(0, 2, 4, 4, 5, 7), (7, 7, 7, 7, 7, 7), (0, 0, 0, 0, 0, 0)]
    pixels, _ = distances(squares, origin, *one, *two, *three)
    assert pixels.tolist() == [128] * 4 + [256] * 2 + [384] * 3
    assert pixels[0] / np.prod(squares.image_shape) == pytest.approx(0.0104167, abs=1e-7)


@pytest.mark.parametrize("spacing", range(1, 9))
def test_distances_by_pixels_along_a_factor(spacing):
    steps = [(k, 0, 0, 0, 0, 0) for k in range(8)]
    pixels, _ = distances(make("xysquares", spacing=spacing), *steps)
    assert pixels.tolist() == [16 * min(8, k * spacing) for k in range(1, 8)]
    if spacing == 8:
        assert np.ptp(pixels) == 0  # there is no order to correlate with
    if spacing == 1:
        assert stats.spearmanr(pixels, np.arange(7)).statistic == pytest.approx(1)


def test_blurred_distances_along_a_factor_rise():
    steps = [(k, 0, 0, 0, 0, 0) for k in range(8)]
    pixels, far = distances(make("xysquares"), *steps)
    expected = [0.0154, 0.0384, 0.0614, 0.0872, 0.1102, 0.1332, 0.1561]
    np.testing.assert_allclose(far / 12288, expected, atol=5e-5)
    assert (pixels == 128).all() and (far > pixels).all()
    small = [(k, 0, 0, 0, 0, 0) for k in range(4)]
    for profile in ("box", "gaussian"):
        _, far = distances(make("mini_xysquares"), *small, profile=profile)
        assert (np.diff(far) > 0).all()


def free(model):
    """Whether it needs images alone, and leaves their likelihood to whoever uses it."""
    field = model.__dataclass_fields__.get("likelihood")
    choices = field.metadata["choices"] if field else ()
    return choices == tuple(LIKELIHOODS) and model.needs == ("images",)


@pytest.mark.parametrize("likelihood", ["laplace", *BLURS])
@pytest.mark.parametrize("name", [name for name, cls in sorted(MODELS.items()) if free(cls)])
def test_every_vae_can_have_them(name, likelihood):
    """Shapes alone, without computing."""
    model = MODELS[name](**MODELS[name].trial, likelihood=likelihood).resolved((8, 8, 2))
    batch, key = {"images": jnp.zeros((3, 8, 8, 2))}, jax.random.key(0)
    state = jax.eval_shape(model.init, key, batch)
    after, logs = jax.eval_shape(model.update, state, batch, key)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert logs["loss"].shape == logs["reconstruction"].shape == ()


X = np.float32(RNG.random((6, 8, 8, 2)))
SMALL = {"network": "linear", "latents": 3}


def losses(*models):
    """At the same parameters, with the same key: without a network to compile."""
    batch, key = {"images": jnp.asarray(X)}, jax.random.key(2)
    state = models[0].init(jax.random.key(0), batch)
    return state, key, [float(model.loss(state.params, state, batch, key)[0]) for model in models]


@pytest.mark.parametrize("likelihood", BLURS)
def test_blur_vae_is_a_beta_vae_with_a_likelihood(likelihood):
    *_, (blur, same, neutral, gaussian) = losses(
        BlurVAE(likelihood=likelihood, beta=3, **SMALL),
        BetaVAE(likelihood=likelihood, beta=3, **SMALL),
        BlurVAE(likelihood=likelihood, beta=3, blur_weight=0, **SMALL),
        BetaVAE(likelihood="gaussian", beta=3, **SMALL),
    )
    assert blur == pytest.approx(same, rel=1e-6)
    assert neutral == pytest.approx(gaussian, rel=1e-6)
    assert blur != pytest.approx(gaussian, rel=1e-2)


def test_blur_vae_against_its_formula():
    model = BlurVAE(beta=2, pixel_weight=0.5, blur_weight=3, **SMALL)
    state, key, (found,) = losses(model)
    q, z = model.infer(state, jnp.asarray(X), key)
    error = X - np.float64(model.decode(state, z).mean)
    box = np.full((7, 7), 1 / 49)
    far = [signal.convolve2d(e[..., c], box, mode="same") for e in error for c in range(2)]
    augmented = (0.5 * np.square(error).sum() + 3 * 49 * np.square(far).sum()) / len(X)
    near = np.abs(np.subtract.outer(np.arange(8), np.arange(8))) <= 3
    axis = np.square(np.linalg.eigvalsh(near / 7))
    log_det = 2 * np.log(0.5 + 3 * 49 * np.outer(axis, axis)).sum()
    mean, log_var = map(np.float64, q)
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(axis=1).mean()
    expected = 0.5 * augmented - 0.5 * log_det + 64 * np.log(2 * np.pi) + 2 * kl
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_papers_beta_in_nats():
    # Of squared errors without the half: β · D / d.
    assert 2 * beta_in_nats(0.0316, 12_288, 25) == pytest.approx(15.5, abs=0.05)
    assert 2 * beta_in_nats(0.0001, 12_288, 25) == pytest.approx(0.049, abs=5e-4)
    assert beta_in_nats(0.0316, 12_288, 25, 0.12403473) == pytest.approx(0.12, abs=0.005)
    standardised = beta_in_nats(1, 12_288, 25) / beta_in_nats(1, 12_288, 25, 0.12403473)
    assert standardised == pytest.approx(65, abs=0.05)
    # One objective in two units: the ratio of any two models' losses' differences is kept.
    errors, kls = RNG.random((2, 5))  # ½ Σ (x − x̂)² / σ² · σ², and the sum of KL
    pixels, latents, deviation = 48, 4, 0.2
    means = errors * 2 / deviation**2 / pixels + 0.3 * kls / latents
    nats = errors + beta_in_nats(0.3, pixels, latents, deviation) * kls
    np.testing.assert_allclose(nats, means * pixels * deviation**2 / 2)


@pytest.mark.parametrize("likelihood", BLURS)
def test_what_has_no_rows_and_columns_cannot_be_blurred(likelihood):
    with pytest.raises(BadInput, match=f"likelihood '{likelihood}' needs images .*, found 13: use"):
        BetaVAE(likelihood=likelihood).resolved((13,))


def test_pixels_must_count():
    with pytest.raises(BadInput, match="pixel_weight must be a finite number ≥ 1e-06, found 0"):
        BlurVAE(pixel_weight=0)
    with pytest.raises(BadInput, match="likelihood must be one of 'box_blur', 'gaussian_blur'"):
        BlurVAE(likelihood="bernoulli")
