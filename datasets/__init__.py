"""What a model sees: a dataset per file, factors → images on the device. Knows JAX and NumPy."""

# A repository root on sys.path would hide the well-known package of this name, and give a second
# copy of ours: say so instead.
if not __name__.startswith("soberlook."):
    raise ImportError("import soberlook.datasets, and keep the repository's root off sys.path")

from .adult import Adult
from .cars3d import Cars3D
from .causal_model import CausalModel
from .cells import CELLS, AllCells, Cells, Correlated, HeldOut, make_cells
from .class_tree import ClassTree
from .columns import Column
from .darcy import Darcy
from .dataset import DATASETS, Dataset, make, register
from .digits import Digits, DigitsBinary
from .dsprites import DSprites
from .dsprites_variants import (
    DSpritesAbstract,
    DSpritesColor,
    DSpritesNoisy,
    DSpritesNoShape,
    DSpritesScream,
)
from .gp_curves import GPCurves
from .mini_solids import MiniSolids
from .mini_sprites import MiniSprites
from .mini_xcolumns import MiniXColumns
from .mini_xysquares import MiniXYSquares
from .mixed_table import MixedTable
from .mnist import MNIST, FashionMNIST
from .mpi3d import MPI3DReal, MPI3DRealistic, MPI3DToy
from .own import add_arrays
from .own_folder import add_folder
from .shapes3d import Shapes3D
from .smallnorb import SmallNORB
from .solids import Solids
from .source import File, Source
from .sprites import Sprites
from .sprites_variants import (
    MiniSpritesBinary,
    MiniSpritesColor,
    MiniSpritesNoisy,
    MiniSpritesScream,
    SpritesAbstract,
    SpritesColor,
    SpritesNoisy,
    SpritesNoShape,
    SpritesScream,
)
from .stored import BlackAndWhite, StoredDataset
from .variants import original
from .views import VIEWS, View, draw_batch, images_per_example, make_view
from .xcolumns import XColumns
from .xyobject import XYObject
from .xysquares import XYSquares

__all__ = [
    "CELLS",
    "DATASETS",
    "MNIST",
    "VIEWS",
    "Adult",
    "AllCells",
    "BlackAndWhite",
    "Cars3D",
    "CausalModel",
    "Cells",
    "ClassTree",
    "Column",
    "Correlated",
    "DSprites",
    "DSpritesAbstract",
    "DSpritesColor",
    "DSpritesNoShape",
    "DSpritesNoisy",
    "DSpritesScream",
    "Darcy",
    "Dataset",
    "FashionMNIST",
    "File",
    "Digits",
    "DigitsBinary",
    "GPCurves",
    "HeldOut",
    "MPI3DReal",
    "MPI3DRealistic",
    "MPI3DToy",
    "MiniSolids",
    "MiniSprites",
    "MiniSpritesBinary",
    "MiniSpritesColor",
    "MiniSpritesNoisy",
    "MiniSpritesScream",
    "MiniXColumns",
    "MiniXYSquares",
    "Shapes3D",
    "SmallNORB",
    "Solids",
    "Source",
    "MixedTable",
    "Sprites",
    "SpritesAbstract",
    "SpritesColor",
    "SpritesNoShape",
    "SpritesNoisy",
    "SpritesScream",
    "StoredDataset",
    "View",
    "XColumns",
    "XYObject",
    "XYSquares",
    "add_arrays",
    "add_folder",
    "draw_batch",
    "images_per_example",
    "make",
    "make_cells",
    "make_view",
    "original",
    "register",
]
