"""SmallNORB: toys on a turntable, photographed (LeCun, Huang & Bottou, CVPR 2004).

48,600 grey images: 5 categories × 9 elevations × 18 azimuths × 6 lightings, of 10 toys each. Which
toy it is no metric is asked to find: the study draws one at random for every image (Locatello et
al., 2019), here it is a nuisance. Training and test files, which have five toys each, are read as
one; of the two cameras the left one; azimuth k is the angle 20k°.

Images of 96×96 are made 64×64 by the reference's filter. It works on 32-bit integers there, and
where the filter overshoots pixels are a few levels below 0 or above 255; here they are 0 and 255.

TensorFlow Datasets' builder needs TensorFlow to read these files; URLs, sizes and hashes are those
of its catalogue.
"""

import numpy as np

from soberlook.registry import BadInput

from .dataset import register
from .layout import expect_as_many
from .norb import norb_blocks, norb_matrix, norb_rows
from .resize import resized
from .source import File, Source
from .stored import StoredDataset

PLACE = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small"
TRAINING = "smallnorb-5x46789x9x18x6x2x96x96-training"
TESTING = "smallnorb-5x01235x9x18x6x2x96x96-testing"


def _name(part, what):
    """dat is of images, cat of categories, info of all else."""
    return f"{part}-{what}.mat.gz"


def _file(part, what, size, sha256):
    return File(_name(part, what), f"{PLACE}/{_name(part, what)}", size, sha256)


FILES = (
    _file(
        TRAINING,
        "dat",
        131_896_188,
        "5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873",
    ),
    _file(TRAINING, "cat", 348, "2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa"),
    _file(
        TRAINING, "info", 71_052, "de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32"
    ),
    _file(
        TESTING,
        "dat",
        130_799_817,
        "cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474",
    ),
    _file(TESTING, "cat", 347, "ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff"),
    _file(
        TESTING, "info", 10_428, "16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2"
    ),
)


@register("smallnorb")
class SmallNORB(StoredDataset):
    """SmallNORB (LeCun et al., 2004): photographs of toys, 64×64, grey; the toy is a nuisance."""

    factor_names = ("category", "elevation", "azimuth", "lighting")
    factor_sizes = (5, 9, 18, 6)
    nuisance_names = ("instance",)
    nuisance_sizes = (10,)
    image_shape = (64, 64, 1)
    source = Source("for research, not to be sold", f"{PLACE}/", FILES)

    def read(self, files):
        for part in (TRAINING, TESTING):
            dat, cat, info = (files[_name(part, what)] for what in ("dat", "cat", "info"))
            values = _values(cat, info)
            expect_as_many(dat, images=norb_rows(dat), labels=len(values))
            start = 0
            for pairs in norb_blocks(dat, np.uint8, (2, 96, 96)):
                left = pairs[:, 0, :, :, None]
                yield values[start : start + len(left)], resized(left, 64)
                start += len(left)


def _values(cat, info):
    """(category, elevation, azimuth, lighting, instance) of a part's images."""
    category = norb_matrix(cat, np.int32, ())
    instance, elevation, azimuth, lighting = norb_matrix(info, np.int32, (4,)).T
    expect_as_many(info, categories=len(category), labels=len(instance))
    if (azimuth % 2).any():
        raise BadInput(f"{info}: expected even azimuths, found {azimuth[azimuth % 2 > 0][0]}")
    return np.stack([category, elevation, azimuth // 2, lighting, instance], axis=1)
