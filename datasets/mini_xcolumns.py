"""mini_xcolumns: xcolumns at 16×32, where a laptop trains on them in minutes."""

from soberlook.registry import setting

from .dataset import register
from .xcolumns import XColumns


@register("mini_xcolumns")
class MiniXColumns(XColumns):
    """xcolumns at 16×32: columns of width 4 at 8 places, 512 images."""

    spacing: int = setting(4, low=1, high=4)

    side = 4
    image_shape = (16, 32, 3)
