"""Shapes3D: an object in a room, every factor but the scale plain to see (Burgess & Kim, 2018).

480,000 colour images, 64×64: 10 hues each of floor, wall and object × 8 scales × 4 shapes × 15
azimuths of the camera, from −30° to 30°. First used by Kim & Mnih (ICML 2018). The file is that of
TensorFlow Datasets' catalogue, whose URL, size and hash stand here.
"""

import numpy as np

from soberlook.registry import BadInput

from .dataset import register
from .hdf5 import hdf5_arrays, hdf5_blocks
from .layout import expect_as_many, expect_images
from .source import File, Source
from .stored import StoredDataset


@register("shapes3d")
class Shapes3D(StoredDataset):
    """Shapes3D (Burgess & Kim, 2018): an object in a room, 64×64, in colour."""

    factor_names = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "azimuth")
    factor_sizes = (10, 10, 10, 8, 4, 15)
    image_shape = (64, 64, 3)
    source = Source(
        "Apache-2.0",
        "https://github.com/google-deepmind/3d-shapes",
        (
            File(
                "3dshapes.h5",
                "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
                267_573_662,
                sha256="0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785",
            ),
        ),
    )

    def read(self, files):
        (path,) = files.values()
        expected = {
            "images": (np.uint8, self.image_shape),
            "labels": (np.floating, (len(self.factor_sizes),)),
        }
        with hdf5_arrays(path, expected) as (images, labels):
            expect_as_many(path, images=len(images), labels=len(labels))
            expect_images(path, len(images), self)
            values = self._values(path, labels[:])
            for some, block in hdf5_blocks(images):
                yield values[some], block

    def _values(self, path, labels):
        """The file has hues, scales and angles: each column's numbers, in rising order, are the
        factor's values."""
        values = np.empty(labels.shape, np.int32)
        for axis, (name, size) in enumerate(zip(self.factor_names, self.factor_sizes, strict=True)):
            numbers, values[:, axis] = np.unique(labels[:, axis], return_inverse=True)
            if len(numbers) != size:
                raise BadInput(f"{path}: expected {size} values of {name}, found {len(numbers)}")
        return values
