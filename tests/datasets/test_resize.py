import numpy as np
from PIL import Image

from soberlook.datasets.resize import resized

RNG = np.random.default_rng(0)


def lanczos(image, side):
    """The filter by its definition: sinc(x) sinc(x/3) on [−3, 3], as wide as the step is long."""
    step = len(image) / side
    centres = (np.arange(side) + 0.5) * step
    x = (np.arange(len(image)) + 0.5 - centres[:, None]) / step
    weights = np.where(abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    # Pillow rounds after each of two passes: what the first is off by the second weighs.
    off = 0.5 + 0.5 * abs(weights).sum(axis=1).max()
    return np.einsum("ai,bj,ijc->abc", weights, weights, image), off


def smooth(size, channels):
    y, x = np.indices((size, size, 1))[:2] / size
    waves = np.sin(7 * x + 5 * y + np.arange(channels)) + np.cos(9 * x * y)
    return (128 + 55 * waves).astype(np.uint8)


def test_the_filter_is_the_one_defined():
    for size, channels in ((96, 1), (128, 3)):
        image = smooth(size, channels)
        (found,) = resized(image[None], 64)
        assert found.shape == (64, 64, channels) and found.dtype == np.uint8
        expected, off = lanczos(image, 64)
        assert abs(found - expected).max() < off + 0.01 < 1.3


def test_images_are_as_the_reference_makes_them():
    image = RNG.integers(256, size=(128, 128, 3), dtype=np.uint8)
    thumbnail = Image.fromarray(image)
    thumbnail.thumbnail((64, 64), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(resized(image[None], 64)[0], np.asarray(thumbnail))
    # SmallNORB's as 32-bit integers, rounded after each of the two passes, and not cut off.
    image = smooth(96, 1)
    integers = Image.fromarray(image[..., 0].astype(np.int32)).resize((64, 64), Image.LANCZOS)
    found = resized(image[None], 64)[0, ..., 0]
    assert abs(found.astype(int) - np.asarray(integers)).max() <= 1


def test_an_overshoot_is_cut_off():
    image = np.zeros((96, 96, 1), np.uint8)
    image[:, 48:] = 255
    integers = Image.fromarray(image[..., 0].astype(np.int32)).resize((64, 64), Image.LANCZOS)
    assert np.asarray(integers).min() < 0 and np.asarray(integers).max() > 255
    found = resized(image[None], 64)[0, ..., 0]
    np.testing.assert_array_equal(found, np.clip(np.asarray(integers), 0, 255))


def test_images_do_not_mix():
    images = RNG.integers(256, size=(3, 128, 128, 3), dtype=np.uint8)
    alone = [resized(image[None], 64)[0] for image in images]
    np.testing.assert_array_equal(resized(images, 64), alone)
