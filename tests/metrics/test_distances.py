"""Squares that are encoded by their places and drawn from them again, at both spacings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import make
from soberlook.metrics import Representation, Trained, distances
from soberlook.models.posteriors import Point

EYE = np.eye(6, dtype=np.float32)


def run(spacing=4, to_codes=EYE, change=lambda images: images, sizes=None):
    """mini_xysquares with codes = places · to_codes, and a likelihood of changed images."""
    squares = make("mini_xysquares", spacing=spacing)
    offset = (16 - (4 + 3 * spacing)) // 2
    back = jnp.asarray(np.linalg.pinv(to_codes))

    def encode(images):
        at = jnp.arange(16.0)
        x, y = (jnp.einsum("bhwc,w->bc" if axis else "bhwc,h->bc", images, at) for axis in (1, 0))
        places = jnp.stack([x, y], axis=2).reshape(-1, 6) / 16
        return Point(((places - 1.5 - offset) / spacing) @ to_codes)

    def draw(z):
        places = jnp.clip(jnp.round(z @ back), 0, 3).astype(int)
        cells = jnp.ravel_multi_index(tuple(places.T), squares.grid, mode="clip")
        return squares.observe((), cells, jax.random.key(0))

    def log_likelihood(images, z):
        error = change(images) - change(draw(z))
        of_the_image = images.sum(axis=(2, 3)) @ jnp.arange(16.0)  # whatever it is taken for
        return -0.5 * jnp.square(error).sum(axis=(1, 2, 3)) - of_the_image

    codes = np.zeros((4096, 6))
    representation = Representation(codes, codes, codes[:, 0], sizes or squares.grid)
    observe = squares.observe
    return Trained(representation, lambda c, k: observe((), c, k), encode, draw, log_likelihood)


def found(trained):
    return distances(trained, np.random.default_rng(0), pairs=500, lines=2)


def blurred(images):
    """Sums of rows and of columns up to each, in which whatever is further differs more."""
    rows, columns = jnp.cumsum(images, axis=1), jnp.cumsum(images, axis=2)
    return jnp.concatenate([rows.mean(axis=2), columns.mean(axis=1)], axis=1)[..., None]


def test_where_nothing_overlaps_pixels_say_nothing_of_the_order_along_a_factor():
    numbers = found(run(spacing=4))
    assert numbers["distance_pixels_along"] == numbers["distance_loss_along"] == 0
    assert numbers["distance_codes_along"] == pytest.approx(1)
    assert 0.3 < numbers["distance_pixels"] < 0.7  # how many squares moved
    assert numbers["distance_loss"] == pytest.approx(numbers["distance_pixels"])
    assert 0.8 < numbers["distance_codes"] < 1  # of L1, where codes are compared by L2
    assert numbers["distance_linear"] == numbers["distance_axis"] == pytest.approx(1)


def test_where_neighbours_overlap_pixels_order_them():
    numbers = found(run(spacing=1))
    assert numbers["distance_pixels_along"] == pytest.approx(1)
    assert numbers["distance_loss_along"] == pytest.approx(1)
    assert numbers["distance_codes_loss_along"] == pytest.approx(1)
    assert numbers["distance_pixels"] > 0.7


def test_a_loss_that_sees_further_orders_them_without_an_overlap():
    numbers = found(run(spacing=4, change=blurred))
    assert numbers["distance_pixels_along"] == 0
    assert numbers["distance_loss_along"] == pytest.approx(1)
    assert numbers["distance_loss"] > numbers["distance_pixels"] + 0.2


def test_codes_that_are_turned_are_as_straight_and_not_along_one_axis():
    turn = EYE.copy()
    turn[:2, :2] = np.float32(np.sqrt(0.5)) * np.array([[1, 1], [-1, 1]], np.float32)
    numbers = found(run(to_codes=turn))
    assert numbers["distance_linear"] == pytest.approx(1, abs=1e-5)
    assert numbers["distance_axis"] == pytest.approx((2 * 0.5 + 4) / 6, abs=1e-5)
    assert numbers["distance_codes_along"] == pytest.approx(1)


def test_codes_that_know_nothing():
    numbers = found(run(to_codes=0 * EYE))
    for name in ("codes", "codes_along", "codes_loss", "codes_loss_along"):
        assert numbers[f"distance_{name}"] == 0
    assert numbers["distance_linear"] == numbers["distance_axis"] == 0


def test_factors_of_two_values_have_no_lines():
    halves = run(sizes=(2,) * 12)  # the same cells, as more factors
    numbers = found(halves)
    assert numbers["distance_pixels_along"] == numbers["distance_axis"] == 0
    assert numbers["distance_codes"] != 0


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="encoded means must be finite"):
        found(run()._replace(encode=lambda x: Point(jnp.full((len(x), 6), jnp.nan))))
    with pytest.raises(ValueError, match=r"log p\(x\|z\) must be finite"):
        found(run()._replace(log_likelihood=lambda x, z: jnp.full(len(x), jnp.nan)))

    def of_other_images_only(x, z):
        apart = jnp.square(trained.encode(x).mean - z).sum(axis=1)
        return jnp.where(apart < 1e-3, 0, -jnp.inf)

    trained = run()
    with pytest.raises(ValueError, match=r"log p\(x\|z\) must be finite"):
        found(trained._replace(log_likelihood=of_other_images_only))
