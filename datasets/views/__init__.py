"""Views: what a model may be fed, one kind a file."""

from .images import Factors, Images, SecondImages
from .view import VIEWS, Draw, View, draw_batch, images_per_example, make_view, register

__all__ = [
    "VIEWS",
    "Draw",
    "Factors",
    "Images",
    "SecondImages",
    "View",
    "draw_batch",
    "images_per_example",
    "make_view",
    "register",
]
