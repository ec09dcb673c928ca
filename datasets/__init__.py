"""What a model sees: a dataset per file, factors → images on the device. Knows JAX and NumPy."""

# A repository root on sys.path would hide the well-known package of this name, and give a second
# copy of ours: say so instead.
if not __name__.startswith("soberlook."):
    raise ImportError("import soberlook.datasets, and keep the repository's root off sys.path")

from .dataset import DATASETS, Dataset, make, register
from .mini_sprites import MiniSprites
from .mini_sprites_color import MiniSpritesColor
from .mini_sprites_noisy import MiniSpritesNoisy
from .sprites import Sprites
from .views import VIEWS, draw_batch, images_per_example
from .xysquares import XYSquares

__all__ = [
    "DATASETS",
    "VIEWS",
    "Dataset",
    "MiniSprites",
    "MiniSpritesColor",
    "MiniSpritesNoisy",
    "Sprites",
    "XYSquares",
    "draw_batch",
    "images_per_example",
    "make",
    "register",
]
