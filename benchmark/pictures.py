"""Pictures of a run, as PNG."""

import io

import numpy as np


def drawable(image_shape: tuple[int, ...]) -> bool:
    """Whether data of this shape are pictures: rows and columns, grey or in colour."""
    return len(image_shape) == 3 and image_shape[-1] in (1, 3)


def traversal_png(images: np.ndarray, kl: np.ndarray) -> bytes:
    """Latent traversals [z, columns, h, w, c] in [0, 1] as one picture.

    A row per latent, the one with the highest KL [z] on top, with a line of grey between images.
    """
    return png(sheet(images[np.argsort(-kl, kind="stable")]))


def sheet(images: np.ndarray) -> np.ndarray:
    """Images [rows, columns, h, w, c] in [0, 1] as pixels [h, w, c] uint8 of one picture."""
    pixels = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)
    framed = np.pad(pixels, ((0, 0), (0, 0), (0, 1), (0, 1), (0, 0)), constant_values=96)
    rows, columns, height, width, channels = framed.shape
    whole = framed.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
    return whole[:-1, :-1]


def png(pixels: np.ndarray) -> bytes:
    """pixels [h, w, 1 or 3] uint8 as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(
        buffer, "png", optimize=True
    )
    return buffer.getvalue()
