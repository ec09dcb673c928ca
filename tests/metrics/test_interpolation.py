"""A bright spot at (x, y): decoders that draw it, and one that knows pixels only."""

import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.metrics import Representation, Trained, interpolation
from soberlook.models.posteriors import Point

SIZES = (2, 6, 5)  # whether it is bright, x, y
X, Y = np.mgrid[:16, :16][::-1].astype(np.float32)


def draw(codes):
    """Images [b, 16, 16, 1] of codes (brightness, x, y), drawn wherever it is told to."""
    brightness, x, y = (codes[:, j, None, None] for j in range(3))
    spot = jnp.exp(-(jnp.square(X[None] - 3 - 2 * x) + jnp.square(Y[None] - 4 - 2 * y)) / 2)
    return ((0.5 + brightness / 2) * spot)[..., None]


def read(images):
    """Their codes, from the moments."""
    light = images[..., 0].sum(axis=(1, 2))
    x = (images[..., 0] * X[None]).sum(axis=(1, 2)) / light
    y = (images[..., 0] * Y[None]).sum(axis=(1, 2)) / light
    return jnp.stack([light / jnp.pi - 1, (x - 3) / 2, (y - 4) / 2], axis=1)


def with_codes(to_code, to_factors, sizes=SIZES, decode=draw):
    """A run whose code is `to_code` of the true values, and whose decoder undoes it."""
    factors = np.indices(sizes).reshape(len(sizes), -1).T
    table = draw(jnp.asarray(factors, jnp.float32))
    nothing = np.zeros((len(factors), 3))
    return Trained(
        Representation(nothing, nothing, nothing[:, 0], sizes),
        lambda cells, key: table[cells],
        lambda images: Point(to_code(read(images))),
        lambda codes: decode(to_factors(codes)),
        None,
    )


def found(trained, **settings):
    return interpolation(trained, np.random.default_rng(0), cells=256, **settings)


def test_a_perfect_model():
    numbers = found(with_codes(lambda v: v, lambda z: z))
    keys = {f"interpolation_{name}" for name in ("error", "distance", "reconstruction")}
    assert set(numbers) == keys | {"interpolation_error_1", "interpolation_error_2"}
    assert numbers == pytest.approx(dict.fromkeys(numbers, 0), abs=1e-4)


def test_turned_codes_interpolate_as_well():
    q = jnp.asarray(np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0], jnp.float32)
    numbers = found(with_codes(lambda v: 5 * v @ q - 1, lambda z: (z + 1) / 5 @ q.T))
    assert numbers == pytest.approx(dict.fromkeys(numbers, 0), abs=1e-4)


def test_codes_that_are_pixels_cross_fade():
    pixels = with_codes(None, None)._replace(
        encode=lambda images: Point(images.reshape(-1, 256)),
        decode=lambda codes: codes.reshape(-1, 16, 16, 1),
    )
    numbers = found(pixels)
    for key, value in numbers.items():
        assert value == pytest.approx(float(key != "interpolation_reconstruction"), abs=1e-6), key


def test_an_uneven_way_misses_the_place_and_not_the_line():
    numbers = found(with_codes(jnp.exp, lambda z: jnp.round(jnp.log(z))))
    assert numbers["interpolation_reconstruction"] < 1e-4
    assert numbers["interpolation_distance"] < 1e-4
    assert 0.3 < numbers["interpolation_error"] < 2


def test_codes_in_no_order_and_codes_that_know_nothing():
    def other(v):
        return jnp.stack([v[:, 0], 5 - v[:, 1], 4 - v[:, 2]], axis=1)

    shuffled = found(with_codes(lambda v: v, other))  # decoded at the opposite place
    assert shuffled["interpolation_error"] > 1 and shuffled["interpolation_reconstruction"] > 1
    black = found(with_codes(lambda v: v, lambda z: z, decode=lambda v: 0 * draw(v)))
    assert black["interpolation_error"] == pytest.approx(black["interpolation_reconstruction"])
    assert black["interpolation_error"] > 0.5


def test_a_cross_fade_that_is_exact_is_left_out():
    """Brightness with three values: the image between is the mean of the two."""
    numbers = found(with_codes(lambda v: v, lambda z: z, sizes=(3, 4, 2)))
    assert "interpolation_error_1" in numbers
    assert numbers.keys().isdisjoint({"interpolation_error_0", "interpolation_error_2"})
    with pytest.raises(ValueError, match="factors must have three values"):
        found(with_codes(lambda v: v, lambda z: z, sizes=(3, 2, 2)))


def test_bad_models():
    perfect = with_codes(lambda v: v, lambda z: z)
    with pytest.raises(ValueError, match="encoded means must be finite"):
        found(with_codes(lambda v: v * jnp.nan, lambda z: z))
    with pytest.raises(ValueError, match="decoded images must be finite"):
        found(with_codes(lambda v: v, lambda z: z * jnp.nan))
    with pytest.raises(ValueError, match="images must be finite"):
        found(
            perfect._replace(observe=lambda cells, key: jnp.full((len(cells), 16, 16, 1), np.nan))
        )


def test_equal_seeds_give_equal_numbers_and_others_nearly():
    uneven = with_codes(lambda v: jnp.exp(v / 2), lambda z: 2 * jnp.log(z))
    assert found(uneven) == found(uneven)
    other = interpolation(uneven, np.random.default_rng(1), cells=256)
    assert other["interpolation_error"] == pytest.approx(
        found(uneven)["interpolation_error"], rel=0.2
    )
