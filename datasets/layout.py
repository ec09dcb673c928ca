"""What the arrays of a published file must be: one check for all formats."""

import numpy as np

from soberlook.registry import BadInput


def expect_rows(where, name: str, found: tuple, kind: type, row: tuple[int, ...]):
    """Raise `BadInput` where an array is not rows of this kind and shape.

    `found` is its (shape, dtype), `kind` a NumPy type, np.uint8, or a family of them, np.integer;
    `where` is the file.
    """
    shape, dtype = found
    if np.issubdtype(dtype, kind) and shape and shape[1:] == row:
        return
    expected = "".join(f", {size}" for size in row)
    raise BadInput(
        f"{where}: expected {kind.__name__} [n{expected}] in {name!r}, found {dtype} {list(shape)}"
    )


def expect_as_many(where, **counts: int):
    """Raise `BadInput` where these counts, of images and their labels, say, are not all one."""
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        raise BadInput(f"{where}: expected as many {' as '.join(counts)}, found {found}")


def expect_images(where, count: int, dataset):
    """Raise `BadInput` where there are not as many images as the dataset has, before labels that
    could be of any length are read."""
    if count != dataset.size:
        raise BadInput(f"{where}: expected {dataset.size:,} images, found {count:,}")
