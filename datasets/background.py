"""The picture behind sprites: one of scikit-image's, or any picture file."""

import numpy as np

from soberlook.registry import BadInput

PICTURES = ("astronaut", "chelsea", "coffee", "rocket")  # that scikit-image's wheel contains


def background(picture: str, height: int, width: int) -> np.ndarray:
    """The picture [h, w, 3], uint8: one of `PICTURES` or a file's path, read as RGB.

    Made smaller, never larger, to fit into (width, height) · (350, 274) / 64, the size in which
    the study has its painting for images of 64×64; its proportions are kept. A file that is no
    picture, or leaves less than an image and a pixel in any direction, raises `BadInput`.
    """
    from PIL import Image

    room = (round(width * 350 / 64), round(height * 274 / 64))
    try:
        if picture in PICTURES:
            from skimage import data

            image = Image.fromarray(getattr(data, picture)())
        else:
            with Image.open(picture) as file:
                image = file.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise BadInput(
            f"background must be one of {', '.join(PICTURES)}, or a picture file, found "
            f"{picture!r}: {reason}"
        ) from None
    image.thumbnail(room, Image.Resampling.BICUBIC, reducing_gap=None)
    if image.width <= width or image.height <= height:
        raise BadInput(
            f"background {picture!r} must be more than {width}×{height} pixels when it fits into "
            f"{room[0]}×{room[1]}, found {image.width}×{image.height}"
        )
    return np.asarray(image)
