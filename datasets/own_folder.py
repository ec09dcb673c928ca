"""One's own data as a dataset: a folder of image files, and a table of their factors.

from soberlook.datasets import add_folder

add_folder("photos", "/data/photos")
"""

import csv
from pathlib import Path

import numpy as np

from soberlook.registry import BadInput

from .dataset import Dataset
from .own import add_arrays

TABLE = "factors.csv"
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}  # of a file → what it is read as


def add_folder(name: str, folder: str | Path) -> type[Dataset]:
    """Register a folder of image files as the dataset `name`; the class it becomes.

    The folder's factors.csv has a line of headings, then a line for each image: the file's name
    first, and a value of each factor behind it. Without that file every image of the folder is
    taken, in the order of their names, and there is one factor, "image". All images must be of one
    size, and all grey or all in colour. For runs on other machines give a path that all can read.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise BadInput(f"{name}: expected a folder of images, found none at {folder.absolute()}")
    if (folder / TABLE).exists():
        files, factors = _read_table(folder / TABLE)
    else:
        files = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
        factors = None
    if not files:
        raise BadInput(f"{name}: expected images in {folder}, found none")
    first = _read_image(folder, files[0])
    images = np.empty((len(files), *first.shape), np.uint8)
    for i, file in enumerate(files):
        image = _read_image(folder, file)
        if image.shape != first.shape:
            raise BadInput(
                f"{folder / file}: expected an image of {_by(first)} like {files[0]}, "
                f"found {_by(image)}"
            )
        images[i] = image
    return add_arrays(name, images, factors)


def _read_table(path):
    """(files, factor → column as numbers where they are) of a factors.csv."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            heading, *rows = [row for row in csv.reader(file) if row]
    except (ValueError, csv.Error) as error:
        raise BadInput(
            f"{path}: expected a line of headings and a line for each image ({error})"
        ) from None
    heading = [text.strip() for text in heading]
    if len(heading) < 2 or len(set(heading)) < len(heading):
        raise BadInput(
            f"{path}: expected headings that differ, a file and one factor at least, "
            f"found {', '.join(heading)}"
        )
    for number, row in enumerate(rows, start=2):
        if len(row) != len(heading):
            raise BadInput(
                f"{path}: expected {len(heading)} columns as in the headings, "
                f"found {len(row)} in row {number}"
            )
    files, *columns = zip(*rows, strict=True) if rows else [()] * len(heading)
    if len(set(files)) < len(files):
        raise BadInput(f"{path}: expected every file once, found one twice")
    return list(files), dict(zip(heading[1:], map(_numbers, columns), strict=True))


def _numbers(column):
    """Whole or real numbers where all texts are such, so that 10 comes after 9; else the texts."""
    texts = [text.strip() for text in column]
    for kind in (int, float):
        try:
            return np.array([kind(text) for text in texts])
        except (ValueError, OverflowError):
            pass
    return np.array(texts)


def _read_image(folder, file):
    """One image [h, w, 1 or 3], uint8."""
    from PIL import Image

    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadInput(f"{folder / TABLE}: expected files inside the folder, found {file}")
    try:
        with Image.open(path) as image:
            if image.mode not in MODES:
                raise BadInput(
                    f"{path}: expected a grey or RGB image without transparency, "
                    f"found mode {image.mode}"
                )
            pixels = np.asarray(image.convert(MODES[image.mode]))
    except BadInput:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be read"
        raise BadInput(f"{path}: expected an image file, found none: {reason}") from None
    return pixels.reshape(*pixels.shape[:2], -1)


def _by(image):
    return "×".join(map(str, image.shape))
