"""Cars3D: renderings of car models from all sides (Reed et al., NeurIPS 2015).

17,568 colour images: 4 elevations × 24 azimuths × 183 cars. Images of 128×128 are made 64×64 by
the reference's filter. The reference numbers the cars as its folder happens to list their files;
here they are numbered by the sorted names of the files.
"""

import numpy as np

from soberlook.registry import BadInput

from .archives import mat_array, tar_members
from .dataset import register
from .resize import resized
from .source import File, Source
from .stored import StoredDataset

ENDING = "_mesh.mat"


@register("cars3d")
class Cars3D(StoredDataset):
    """Cars3D (Reed et al., 2015): car models from all sides, 64×64, in colour."""

    factor_names = ("elevation", "azimuth", "object")
    factor_sizes = (4, 24, 183)
    image_shape = (64, 64, 3)
    source = Source(
        "none stated",
        "http://www.scottreed.info",
        (
            File(
                "nips2015-analogy-data.tar.gz",
                "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
                md5="4e866a7919c1beedf53964e6f7a23686",
            ),
        ),
    )

    def read(self, files):
        (path,) = files.values()
        elevations, azimuths, objects = self.factor_sizes
        # The names first: a second pass over the archive costs less than all images in memory.
        names = sorted(name for name, _ in tar_members(path, ENDING))
        if len(names) != objects:
            raise BadInput(f"{path}: expected {objects} files car_…{ENDING}, found {len(names):,}")
        azimuth, elevation = np.indices((azimuths, elevations)).reshape(2, -1)
        for name, content in tar_members(path, ENDING):
            where = f"{path}: {name}"
            images = mat_array(content, "im", where)
            expected = (128, 128, 3, azimuths, elevations)
            if images.dtype != np.uint8 or images.shape != expected:
                raise BadInput(
                    f"{where}: expected uint8 {list(expected)} in 'im', "
                    f"found {images.dtype} {list(images.shape)}"
                )
            images = np.moveaxis(images, (3, 4), (0, 1)).reshape(-1, 128, 128, 3)
            which = np.full_like(azimuth, names.index(name))
            yield np.stack([elevation, azimuth, which], axis=1), resized(images, 64)
