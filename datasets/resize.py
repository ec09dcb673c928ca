"""Making images smaller as the reference does: Pillow's Lanczos filter, its ANTIALIAS of old."""

import numpy as np


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """uint8 [k, h, w, c] → uint8 [k, side, side, c], with one or three channels."""
    from PIL import Image

    smaller = np.empty((len(images), side, side, images.shape[-1]), np.uint8)
    for image, place in zip(images, smaller, strict=True):
        one = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        one = one.resize((side, side), Image.Resampling.LANCZOS)
        place[:] = np.asarray(one).reshape(place.shape)
    return smaller
