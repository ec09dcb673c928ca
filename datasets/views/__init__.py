"""Views: what a model may be fed, one kind a file."""

from .attributes import Attributes
from .groups import Groups
from .images import Factors, Images, SecondImages
from .labels import Labels
from .masks import Masks
from .pairs import Pairs
from .sequences import Sequences
from .transitions import Transitions
from .view import VIEWS, Draw, View, draw_batch, images_per_example, make_view, register

__all__ = [
    "VIEWS",
    "Attributes",
    "Draw",
    "Factors",
    "Groups",
    "Images",
    "Labels",
    "Masks",
    "Pairs",
    "SecondImages",
    "Sequences",
    "Transitions",
    "View",
    "draw_batch",
    "images_per_example",
    "make_view",
    "register",
]
