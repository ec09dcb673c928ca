"""Looking at every image of a dataset: what `soberlook data check` does.

Where cells have equal images no method can tell their factors apart. Whoever sees an image can at
best guess, for each factor, the value that most of the cells with this image have; the share of
cells for which that is right is the factor's ceiling, for any method, model and metric of accuracy.
"""

import hashlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.datasets import StoredDataset, cache, make, original
from soberlook.registry import BadInput

from .pictures import drawable, png
from .progress import Counting
from .terminal import err, out, say, table

BYTES = 2**25  # of images that are looked at together
COLUMNS = 12  # images in a row of the picture, at most
HEIGHT = 48  # of an image in the picture, in pixels, at least
GREY = 96  # of the lines between images


def check(name: str, picture: str = ""):
    """Print what is true of a dataset, and write a picture of its factors."""
    dataset = make(name)
    if reason := dataset.missing():
        raise BadInput(reason)
    if isinstance(read := original(dataset), StoredDataset):
        _check_cache(read)
    data = dataset.load()
    shape = "×".join(map(str, dataset.image_shape))
    what = "images" if len(dataset.image_shape) == 3 else "things"
    out.print(f"{name}: {dataset.size:,} {what} of {shape}")
    groups, low, high = look(dataset, data)
    out.print(f"values from {low:.3g} to {high:.3g}")
    shown = table("axis", "values", "told from an image, at most", "by chance")
    best = [""] * len(dataset.grid)
    if dataset.noisy:
        out.print("noise makes every image another one: equal images are not counted")
    else:
        distinct = int(groups.max()) + 1
        out.print(f"{distinct:,} differ, {dataset.size - distinct:,} repeat another one")
        best = [f"{share:.1%}" for share in ceilings(groups, dataset.grid)]
    names = dataset.factor_names + tuple(f"{one} (nuisance)" for one in dataset.nuisance_names)
    for axis, size, share in zip(names, dataset.grid, best, strict=True):
        shown.add_row(axis, str(size), share, f"{1 / size:.1%}")
    out.print(shown)
    if dataset.bounded and drawable(dataset.image_shape):
        path = Path(picture or f"{name}.png")
        try:
            path.write_bytes(png(sheet(dataset, data)))
        except OSError as error:
            raise BadInput(f"cannot write {path}: {error.strerror}") from None
        out.print(f"picture: {path}", soft_wrap=True)


def look(dataset, data) -> tuple[np.ndarray, float, float]:
    """For every cell [n] the number of its image, equal where images are, from 0 in order of
    appearance; and the least and the greatest value of all pixels. Draws a block at a time."""
    block = max(1, min(BYTES // (4 * int(np.prod(dataset.image_shape))), dataset.size))
    observe, key = jax.jit(dataset.observe), jax.random.key(0)
    groups, known = np.empty(dataset.size, np.int64), {}
    lows, highs = [], []
    with Counting(err, f"looking at {dataset.name}", dataset.size) as counting:
        for start in range(0, dataset.size, block):
            # The last block ends with cells from the start again: one program for all.
            cells = (start + np.arange(block)) % dataset.size
            images = np.asarray(observe(data, jnp.asarray(cells, jnp.int32), key))
            lows.append(images.min())
            highs.append(images.max())
            if not dataset.noisy:
                for cell, image in enumerate(images[: dataset.size - start], start):
                    mark = hashlib.blake2b(image, digest_size=16).digest()
                    groups[cell] = known.setdefault(mark, len(known))
            counting.update(min(start + block, dataset.size))
    return groups, float(np.min(lows)), float(np.max(highs))


def ceilings(groups: np.ndarray, grid: tuple[int, ...]) -> list[float]:
    """For every axis of the grid the largest accuracy with which it can be told from the image.

    groups [n]: equal where the cells' images are.
    """
    shares = []
    for values, size in zip(np.unravel_index(np.arange(len(groups)), grid), grid, strict=True):
        pairs, counts = np.unique(groups * size + values, return_counts=True)
        most = np.zeros(groups.max() + 1, np.int64)
        np.maximum.at(most, pairs // size, counts)
        shares.append(float(most.sum() / len(groups)))
    return shares


def sheet(dataset, data) -> np.ndarray:
    """Pixels [h, w, 1 or 3], uint8: a row for each axis, its values from the first to the last, the
    others in the middle of theirs."""
    height, _, channels = dataset.image_shape
    cells = []
    for axis, size in enumerate(dataset.grid):
        values = np.unique(np.linspace(0, size - 1, min(size, COLUMNS)).round().astype(int))
        cell = [np.full(len(values), other // 2) for other in dataset.grid]
        cell[axis] = values
        cells.append(np.ravel_multi_index(cell, dataset.grid))
    drawn = jnp.asarray(np.concatenate(cells), jnp.int32)
    images = np.asarray(jax.jit(dataset.observe)(data, drawn, jax.random.key(0)))
    pixels = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)
    scale = -(-HEIGHT // height)
    pixels = pixels.repeat(scale, axis=1).repeat(scale, axis=2)
    framed = np.pad(pixels, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=GREY)
    ends = np.cumsum([len(some) for some in cells])
    rows = [np.concatenate(list(some), axis=1) for some in np.split(framed, ends[:-1])]
    names = dataset.factor_names + dataset.nuisance_names
    labels = _labels(names, len(rows[0]), channels)
    rows = [np.concatenate(pair, axis=1) for pair in zip(labels, rows, strict=True)]
    widest = max(row.shape[1] for row in rows)
    return np.concatenate(
        [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    )


def _labels(names, height, channels) -> list[np.ndarray]:
    """White names on black, [height, w, channels] each, with one w for all."""
    from PIL import Image, ImageDraw

    width = 8 + int(max(ImageDraw.Draw(Image.new("L", (1, 1))).textlength(name) for name in names))
    labels = []
    for name in names:
        image = Image.new("L", (width, height))
        ImageDraw.Draw(image).text((4, height // 2), name, fill=255, anchor="lm")
        labels.append(np.repeat(np.asarray(image)[..., None], channels, axis=-1))
    return labels


def _check_cache(dataset):
    """What is in the cache is what was written, and written from what was published."""
    stored = dataset.stored()
    say(f"reading {cache.folder_of(stored)}")
    cache.verify(stored)
    files = cache.meta_of(stored)["source"]["files"]
    others = [file["name"] for file in files if not file.get("published", True)]
    origin = f"from other files than the published ones: {', '.join(others)}" if others else ""
    out.print(f"{stored.name} is in the cache as it was written {origin}".rstrip())
