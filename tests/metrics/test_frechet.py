import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import METRICS, Representation, Trained, frechet
from soberlook.metrics.frechet import frechet_distance, kernel_distance
from soberlook.metrics.random_features import (
    FEATURES,
    HASHES,
    random_features,
    weights,
    weights_hash,
)
from soberlook.models.posteriors import Gaussian, Point

F = 5
RECORDED = [0.707224, -0.400649, 0.092549]  # the first three features of a ramp


def test_normal_distributions():
    zero, eye = np.zeros(F), np.eye(F)
    a = np.array([1.0, -2, 0, 0.5, 3])
    assert frechet_distance(zero, eye, zero, eye) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(zero, eye, a, eye) == pytest.approx(a @ a)
    for s in (0.0, 0.5, 3.0):
        assert frechet_distance(zero, s**2 * eye, zero, eye) == pytest.approx(F * (s - 1) ** 2)
    rng = np.random.default_rng(0)
    u, v = rng.random(F), rng.random(F)
    q = np.linalg.qr(rng.standard_normal((F, F)))[0]
    turned = [q * d @ q.T for d in (u, v)]  # they commute: Σ (√u − √v)²
    expected = np.square(np.sqrt(u) - np.sqrt(v)).sum()
    assert frechet_distance(zero, turned[0], zero, turned[1]) == pytest.approx(expected)


def test_it_is_symmetric_where_covariances_do_not_commute_and_where_they_are_singular():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, F, F))
    second[:, 0] = 0
    pair = [(m, c @ c.T) for m, c in ((rng.random(F), first), (rng.random(F), second))]
    there, back = frechet_distance(*pair[0], *pair[1]), frechet_distance(*pair[1], *pair[0])
    assert there == pytest.approx(back, rel=1e-6) and there > 0.1


def test_the_kernel_distance_of_points_is_exact():
    a, b = np.array([1.0, 2, 0, 0, 0]), np.array([0.0, 1, 1, 0, 0])

    def k(x, y):
        return (x @ y / F + 1) ** 3

    found = kernel_distance(np.tile(a, (3, 1)), np.tile(b, (700, 1)))
    assert found == pytest.approx(k(a, a) + k(b, b) - 2 * k(a, b))
    x, y = np.random.default_rng(0).standard_normal((2, 4, F))
    own = [np.mean([k(s[i], s[j]) for i in range(4) for j in range(4) if i != j]) for s in (x, y)]
    cross = np.mean([k(u, v) for u in x for v in y])
    assert kernel_distance(x, y) == pytest.approx(sum(own) - 2 * cross)


def test_the_kernel_distance_of_equal_distributions_has_mean_0():
    rng = np.random.default_rng(0)
    equal = [kernel_distance(*rng.standard_normal((2, 20, F))) for _ in range(2_000)]
    assert abs(np.mean(equal)) < 4 * np.std(equal) / np.sqrt(len(equal))
    assert min(equal) < 0
    wider = [
        kernel_distance(*(rng.standard_normal((2, 20, F)) * [[[1]], [[2]]])) for _ in range(99)
    ]
    assert np.mean(wider) > 4 * np.std(wider) / np.sqrt(len(wider))


@pytest.mark.parametrize("shape", HASHES)
def test_the_weights_are_those_of_the_name(shape):
    assert weights_hash(shape) == HASHES[shape]
    assert all(w.dtype == np.float32 for w in weights(shape))


@pytest.mark.parametrize("shape", [(16, 16, 1), (64, 64, 3), (28, 20, 1), (4, 4, 2)])
def test_features_are_of_one_length_for_all_images(shape):
    rng = np.random.default_rng(0)
    images = rng.random((3, *shape), dtype=np.float32)
    features = random_features(jnp.asarray(images), weights(shape))
    assert features.shape == (3, FEATURES)
    assert 0.05 < float(jnp.std(features)) < 5  # neither vanishing nor exploding
    assert (np.abs(features[0] - features[1]) > 0).any()


def test_features_that_are_recorded():
    ramp = jnp.linspace(0, 1, 256).reshape(1, 16, 16, 1)
    features = random_features(ramp, weights((16, 16, 1)))
    np.testing.assert_allclose(features[0, :3], RECORDED, atol=1e-5)


SPOTS = (2, 6, 7)  # dark or bright, x, y
Y, X = np.mgrid[:16, :16]


def spots():
    brightness, x, y = np.indices(SPOTS).reshape(3, -1, 1, 1)
    return ((0.5 + brightness / 2) * np.exp(-((X - 3 - 2 * x) ** 2 + (Y - 2 - 2 * y) ** 2) / 2))[
        ..., None
    ].astype(np.float32)


def normal(mean):
    return Gaussian(mean, jnp.zeros_like(mean))


def run(change=lambda images: images, prior=lambda codes: codes, posterior=normal):
    """Codes are pixels: reconstructions are changed images, samples what `prior` makes of noise."""
    table = jnp.asarray(spots())
    nothing = np.zeros((len(table), 256))
    return Trained(
        Representation(nothing, nothing, nothing[:, 0], SPOTS),
        lambda cells, key: table[cells],
        lambda images: posterior(change(images).reshape(-1, 256) + 100),
        lambda z: jnp.where(z[:, :1] > 50, z - 100, prior(z)).reshape(-1, 16, 16, 1),
        None,
    )


def found(trained, cells=500):
    return frechet(trained, np.random.default_rng(0), cells=cells)


def test_a_perfect_autoencoder_has_the_distance_of_two_draws():
    numbers = found(run())
    names = ("frechet_distance_random_features", "kernel_distance_random_features")
    assert set(numbers) == {name + of for name in names for of in ("", "_reconstruction")}
    assert 0 < numbers["frechet_distance_random_features_reconstruction"] < 4
    assert abs(numbers["kernel_distance_random_features_reconstruction"]) < 0.05
    more = found(run(), cells=2_000)
    assert (
        more["frechet_distance_random_features_reconstruction"]
        < numbers["frechet_distance_random_features_reconstruction"] / 2
    )


def test_of_fewer_images_it_is_the_same_number_with_another_bias():
    few = METRICS["frechet_1000"].function(run(), np.random.default_rng(0))
    assert few == found(run(), cells=1_000) and METRICS["frechet_1000"].suffix == "_1000"


def test_samples_of_the_prior_that_are_images_of_the_dataset():
    """A decoder that looks a code up: its first entries say which image."""
    table = jnp.asarray(spots()).reshape(-1, 256)

    def look_up(codes):
        uniform = jnp.clip(jnp.argsort(codes[:, : len(table)], axis=1)[:, 0], 0, len(table) - 1)
        return table[uniform]

    numbers = found(run(prior=look_up))
    assert numbers["frechet_distance_random_features"] < 4
    assert abs(numbers["kernel_distance_random_features"]) < 0.05


def test_what_is_wrong_is_further_the_more_it_is_wrong():
    def blurred(times):
        def blur(images):
            for _ in range(times):
                images = (images + jnp.roll(images, 1, 1) + jnp.roll(images, 1, 2)) / 3
            return images

        return blur

    moved = [
        found(run(change))["frechet_distance_random_features_reconstruction"]
        for change in (blurred(0), blurred(1), blurred(3), lambda x: 0.2 * x, lambda x: 0 * x)
    ]
    assert moved[0] < moved[1] < moved[2]
    assert moved[0] < moved[3] < moved[4]
    assert moved[4] > FEATURES  # all variance is gone
    kernel = [
        found(run(change))["kernel_distance_random_features_reconstruction"]
        for change in (blurred(0), blurred(3))
    ]
    assert kernel[1] > 10 * abs(kernel[0])


def test_noise_is_far_and_one_dark_half_is_seen():
    assert found(run())["frechet_distance_random_features"] > FEATURES
    fewer = run(
        lambda images: images / jnp.maximum(2 * images.max(axis=(1, 2, 3), keepdims=True), 1)
    )
    assert found(fewer)["frechet_distance_random_features_reconstruction"] > 4  # all are dark


def test_without_a_prior_there_are_reconstructions_alone():
    points, found_normal = found(run(posterior=Point)), found(run())
    for name, value in points.items():
        ours = found_normal[name] if name.endswith("_reconstruction") else np.nan
        assert value == pytest.approx(ours, nan_ok=True)


def test_bad_models():
    with pytest.raises(ValueError, match="encoded means must be finite"):
        found(run(lambda images: images * jnp.nan))
    with pytest.raises(ValueError, match="decoded images must be finite"):
        found(run(prior=lambda z: z * jnp.nan))
    with pytest.raises(ValueError, match="cells must be two at least, found 1"):
        found(run(), cells=1)
