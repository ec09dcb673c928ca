"""mini_xysquares: xysquares at 16×16, where a laptop trains on them in minutes."""

from soberlook.registry import setting

from .dataset import register
from .xysquares import XYSquares


@register("mini_xysquares")
class MiniXYSquares(XYSquares):
    """xysquares at 16×16: squares of side 4 at 4 × 4 places, 4,096 images."""

    spacing: int = setting(4, low=1, high=4)

    side = 4
    factor_sizes = (4,) * 6
    image_shape = (16, 16, 3)
