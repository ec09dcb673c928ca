import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.datasets import load_digits

from soberlook.datasets import Digits, DigitsBinary, make_view
from soberlook.datasets.digits import measure
from soberlook.registry import BadInput

DIGITS = Digits()


def test_cells_are_the_digits_in_scikit_learns_order():
    published = load_digits()
    data = DIGITS.load()
    x = np.asarray(DIGITS.observe(data, jnp.arange(DIGITS.size), jax.random.key(0)))
    assert x.shape == (1740, 8, 8, 1) and data["images"].dtype == jnp.uint8
    grid = x.reshape(10, 174, 64)
    for digit in range(10):
        expected = [
            image
            for image, target in zip(published.data, published.target, strict=True)
            if target == digit
        ]
        np.testing.assert_array_equal(grid[digit], np.array(expected)[:174] / 16)
    assert min(np.bincount(published.target)) == 174  # no more would be a grid
    np.testing.assert_array_equal(
        DIGITS.factors(jnp.array([0, 173, 174, 1739]))[:, 0], [0, 0, 1, 9]
    )


def test_variances_are_those_of_the_images():
    """What reconstructing each digit as its mean image leaves, and what one mean image leaves:
    the variance within digits and the whole variance, of a pixel."""
    x = np.asarray(DIGITS.load()["images"], float).reshape(10, 174, 64) / 16
    # Of all 1,797 images they are 0.04248 and 0.07333.
    np.testing.assert_allclose(x.var(axis=1).mean(), 0.04248, rtol=0.005)
    np.testing.assert_allclose(x.reshape(-1, 64).var(axis=0).mean(), 0.07333, rtol=0.005)


def test_attributes_of_a_bar_are_its_own():
    images = np.zeros((3, 40, 40))
    images[0, 5:35, 18:22] = 1  # upright: 30 high, 4 wide
    for y in range(5, 35):  # leaning to the right by half a pixel for every pixel up
        images[1, y, 30 - y // 2 : 34 - y // 2] = 0.5
    images[2] = images[0].T
    area, height, width, slant = measure(images).T
    np.testing.assert_allclose(area, [120, 60, 120])
    # Of s equal steps the variance is (s² − 1) / 12, of a length of s it is s² / 12.
    exact = [4 * np.sqrt((s**2 - 1) / 12) for s in (30, 4)]
    np.testing.assert_allclose([height[0], width[0]], exact)
    np.testing.assert_allclose([width[2], height[2]], exact)
    np.testing.assert_allclose(slant, [0, 0.5, 0], atol=0.01)


def test_attributes_are_standardised_and_of_the_image():
    data, cells = DIGITS.load(), jnp.arange(DIGITS.size)
    a = np.asarray(DIGITS.attributes(data, cells), float)
    np.testing.assert_allclose(a.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(a.std(axis=0), 1, rtol=1e-5)
    measured = measure(np.asarray(DIGITS.observe(data, cells, jax.random.key(0)))[..., 0])
    for own, raw in zip(a.T, measured.T, strict=True):
        assert np.corrcoef(own, raw)[0, 1] == pytest.approx(1)
    digit = np.asarray(DIGITS.factors(cells))[:, 0]
    width = [measured[digit == d, 2].mean() for d in range(10)]
    assert np.argmin(width) == 1  # ones are the narrowest
    with pytest.raises(
        BadInput, match="unknown attribute of digits 'heigt': did you mean 'height'"
    ):
        make_view(("attributes", {"names": ("heigt",)})).check(DIGITS)
    with pytest.raises(BadInput, match="'area' is named 2 times"):
        make_view(("attributes", {"names": ("area", "area")})).check(DIGITS)


def test_binary_images_are_white_from_half_grey_on():
    dataset = DigitsBinary()
    grey, binary = (
        np.asarray(d.observe(d.load(), jnp.arange(50), jax.random.key(0)))
        for d in (DIGITS, dataset)
    )
    np.testing.assert_array_equal(binary, grey >= 0.5)
    assert binary.dtype == np.float32 and 0.2 < binary.mean() < 0.5
