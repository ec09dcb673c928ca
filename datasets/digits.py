"""digits: the optical digits of UCI that come with scikit-learn (Alpaydin & Kaynak, 1998).

The 1,797 images of 8×8 pixels and 17 greys of `sklearn.datasets.load_digits`, nothing downloaded.
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

    def load(self):
        from sklearn.datasets import load_digits

        digits = load_digits()
        rows = [np.flatnonzero(digits.target == digit)[:INSTANCES] for digit in range(10)]
        return jnp.asarray(digits.images[np.concatenate(rows), ..., None], jnp.uint8)

    def observe(self, data, cells, key):
        return data[cells] / jnp.float32(16)
