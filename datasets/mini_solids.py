"""mini_solids: solids at 16×16, where a laptop trains on them in minutes."""

from .dataset import register
from .solids import Solids


@register("mini_solids")
class MiniSolids(Solids):
    """solids at 16×16 with fewer values: 4 hues of each kind, 4 scales, 4 shapes, 6 azimuths."""

    factor_sizes = (4, 4, 4, 4, 4, 6)
    image_shape = (16, 16, 3)
    samples = 8
