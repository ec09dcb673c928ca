"""MPI3D: an object on a robot's arm, drawn simply, drawn well, and photographed (Gondal et al.,
NeurIPS 2019).

mpi3d_toy and mpi3d_realistic have 460,800 colour images, 64×64: 4 colours × 4 shapes × 2 sizes × 3
heights of the camera × 3 backgrounds × 40 × 40 places of the arm. That is the grid of the
reference and of the challenge the data were made for, whose files hold just these. The files that
are published now hold 6 colours and 6 shapes, 1,036,800 images; of them the same 4 and 4 are read.
Whether their pixels are the challenge's, too, nobody states. mpi3d_real has all 6 and 6.

Images lie in the order of the cells, and are read in blocks, 12.7 GB in all.
"""

import math
from typing import ClassVar

import numpy as np

from soberlook.registry import BadInput

from .archives import npz_blocks, npz_shape
from .dataset import register
from .layout import expect_rows
from .source import File, Source
from .stored import StoredDataset

ALL = (6, 6)  # colours (white, green, red, blue, brown, olive), and shapes (cone, cube, cylinder,
# hexagonal prism, pyramid, sphere) of the files that are published now


class MPI3D(StoredDataset):
    """What the three have in common."""

    factor_names = (
        "object_color",
        "object_shape",
        "object_size",
        "camera_height",
        "background_color",
        "horizontal_axis",
        "vertical_axis",
    )
    image_shape = (64, 64, 3)
    colors: ClassVar[tuple[int, ...]]  # of ALL, those of this dataset
    shapes: ClassVar[tuple[int, ...]]

    def read(self, files):
        (path,) = files.values()
        shape, dtype = npz_shape(path, "images")
        expect_rows(path, "images", (shape, dtype), np.uint8, self.image_shape)
        grids = {math.prod(grid): grid for grid in (self.grid, ALL + self.grid[2:])}
        if (count := shape[0]) not in grids:
            expected = " or ".join(f"{size:,}" for size in sorted(grids))
            raise BadInput(f"{path}: expected {expected} images, found {count:,}")
        start = 0
        for block in npz_blocks(path, "images", rows=1024):
            cells = np.arange(start, start + len(block))
            start += len(block)
            values = np.stack(np.unravel_index(cells, grids[count]), axis=1)
            if grids[count] == self.grid:
                yield values, block
            else:
                yield self._own(values, block)

    def _own(self, values, images):
        """Of the whole file's images those of this dataset, and their values in it."""
        own = np.ones(len(values), bool)
        for axis, kept in enumerate((self.colors, self.shapes)):
            place = np.full(ALL[axis], -1)
            place[list(kept)] = np.arange(len(kept))
            values[:, axis] = place[values[:, axis]]
            own &= values[:, axis] >= 0
        return values[own], images[own]


def _source(kind, md5):
    place = "https://storage.googleapis.com/disentanglement_dataset/Final_Dataset"
    return Source(
        "CC BY 4.0",
        "https://github.com/rr-learning/disentanglement_dataset",
        (File(f"mpi3d_{kind}.npz", f"{place}/mpi3d_{kind}.npz", md5=md5),),
    )


@register("mpi3d_toy")
class MPI3DToy(MPI3D):
    """MPI3D (Gondal et al., 2019), simply rendered: an object on an arm, 64×64, in colour."""

    factor_sizes = (4, 4, 2, 3, 3, 40, 40)
    colors = (1, 2, 3, 4)  # green, red, blue, brown
    shapes = (0, 1, 3, 5)  # cone, cube, hexagonal prism, sphere
    source = _source("toy", "55889cb7c7dfc655d6e0277beee88868")


@register("mpi3d_realistic")
class MPI3DRealistic(MPI3D):
    """MPI3D (Gondal et al., 2019), realistically rendered: an object on an arm, 64×64."""

    factor_sizes = (4, 4, 2, 3, 3, 40, 40)
    colors = (1, 2, 3, 4)
    shapes = (0, 1, 3, 5)
    source = _source("realistic", "59a6225b88b635365f70c91b3e52f70f")


@register("mpi3d_real")
class MPI3DReal(MPI3D):
    """MPI3D (Gondal et al., 2019), photographed: an object on a robot's arm, 64×64, in colour."""

    factor_sizes = (6, 6, 2, 3, 3, 40, 40)
    colors = shapes = tuple(range(6))
    source = _source("real", "0f33f609918fb5c97996692f91129802")
