"""dSprites: white sprites on black, the best known grid of factors (Matthey et al., 2017).

737,280 binary 64×64 images: 3 shapes × 6 scales × 40 orientations × 32 × 32 positions. The colour,
which has one value, is no factor. Orientation k is the angle 2πk/39: the first and the last are
one, which no metric can tell apart.

The HDF5 file is that of TensorFlow Datasets' catalogue, whose URL, size and hash stand here. The
.npz file of the same images and labels, which more people have, is read as well.
"""

import numpy as np

from soberlook.registry import BadInput

from .archives import looks_like, npz_array, npz_blocks, npz_shape
from .dataset import register
from .hdf5 import hdf5_arrays, hdf5_blocks
from .layout import expect_as_many, expect_images, expect_rows
from .source import File, Source
from .stored import BlackAndWhite

NAME = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64"
PLACE = "https://github.com/deepmind/dsprites-dataset/blob/master"


@register("dsprites")
class DSprites(BlackAndWhite):
    """dSprites (Matthey et al., 2017): 2D shapes, 64×64, in two colours."""

    factor_names = ("shape", "scale", "orientation", "x", "y")
    factor_sizes = (3, 6, 40, 32, 32)
    image_shape = (64, 64, 1)
    source = Source(
        "Apache-2.0",
        "https://github.com/google-deepmind/dsprites-dataset",
        (
            File(
                f"{NAME}.hdf5",
                f"{PLACE}/{NAME}.hdf5?raw=true",
                28_024_106,
                sha256="729fa22e884c9c500e1f17415d580746b4c5894fbbb780a1319bbcfa39a745bb",
                others=(
                    File(
                        f"{NAME}.npz",
                        f"{PLACE}/{NAME}.npz?raw=true",
                        md5="7da33b31b13a06f4b04a70402ce90c2e",
                    ),
                ),
            ),
        ),
    )

    def read(self, files):
        (path,) = files.values()
        with open(path, "rb") as file:
            is_npz = looks_like(file.read(512)).startswith("a zip archive")
        for classes, images in _npz(path, self) if is_npz else _hdf5(path, self):
            if images.max(initial=0) > 1:
                raise BadInput(f"{path}: expected pixels of 0 and 1, found {images.max()}")
            yield classes[:, 1:], 255 * images[..., None]  # the first class is the colour's


def _hdf5(path, dataset):
    expected = {"imgs": (np.uint8, (64, 64)), "latents/classes": (np.integer, (6,))}
    with hdf5_arrays(path, expected) as (images, classes):
        expect_as_many(path, images=len(images), labels=len(classes))
        expect_images(path, len(images), dataset)
        classes = classes[:]
        for some, block in hdf5_blocks(images):
            yield classes[some], block


def _npz(path, dataset):
    for name, *row in (("imgs", np.uint8, (64, 64)), ("latents_classes", np.integer, (6,))):
        expect_rows(path, name, npz_shape(path, name), *row)
    expect_images(path, npz_shape(path, "imgs")[0][0], dataset)
    classes = npz_array(path, "latents_classes")
    expect_as_many(path, images=dataset.size, labels=len(classes))
    start = 0
    for block in npz_blocks(path, "imgs"):
        yield classes[start : start + len(block)], block
        start += len(block)
