"""digits: the optical digits of UCI that come with scikit-learn (Alpaydin & Kaynak, 1998).

The 1,797 images of 8×8 pixels and 17 greys of `sklearn.datasets.load_digits`, nothing downloaded.

Its attributes are measured in the image, with ink I at the pixel (x, y), y downwards:

    area     Σ I
    height   4 √M_yy     M: the ink's central second moments (Hu, 1962); of an even bar, about its
    width    4 √M_xx        length
    slant    −M_xy / M_yy: how far the writing leans to the right for every pixel up
"""

import jax.numpy as jnp
import numpy as np

from .dataset import Dataset, register

INSTANCES = 174  # of the rarest digit, 8


@register("digits")
class Digits(Dataset):
    """scikit-learn's handwritten digits: 10 × 174 grey 8×8 images.

    The factor is the digit, the nuisance the how-many-th of its images in scikit-learn's order, as
    many as the rarest digit has: a grid has as many of each. 57 of the 1,797 images are not in it.
    """

    factor_names = ("digit",)
    factor_sizes = (10,)
    nuisance_names = ("instance",)
    nuisance_sizes = (INSTANCES,)
    image_shape = (8, 8, 1)
    attribute_names = ("area", "height", "width", "slant")

    def load(self):
        from sklearn.datasets import load_digits

        digits = load_digits()
        rows = [np.flatnonzero(digits.target == digit)[:INSTANCES] for digit in range(10)]
        images = digits.images[np.concatenate(rows)]
        measured = measure(images / 16)
        standardized = (measured - measured.mean(axis=0)) / measured.std(axis=0)
        return {
            "images": jnp.asarray(images[..., None], jnp.uint8),
            "attributes": jnp.asarray(standardized, jnp.float32),
        }

    def observe(self, data, cells, key):
        return data["images"][cells] / jnp.float32(16)

    def attributes(self, data, cells):
        return data["attributes"][cells]


@register("digits_binary")
class DigitsBinary(Digits):
    """digits in black and white, as a Bernoulli likelihood takes them: white from half grey on."""

    def observe(self, data, cells, key):
        return (super().observe(data, cells, key) >= 0.5).astype(jnp.float32)


def measure(images: np.ndarray) -> np.ndarray:
    """Area, height, width and slant [n, 4] of the ink of images [n, h, w]."""
    height, width = images.shape[1:]
    y, x = np.mgrid[:height, :width]
    area = images.sum(axis=(1, 2))

    def mean(values):
        return (images * values).sum(axis=(1, 2)) / area

    dx, dy = x - mean(x)[:, None, None], y - mean(y)[:, None, None]
    xx, yy, xy = mean(dx**2), mean(dy**2), mean(dx * dy)
    return np.stack([area, 4 * np.sqrt(yy), 4 * np.sqrt(xx), -xy / yy], axis=1)
