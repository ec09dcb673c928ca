"""Datasets that are read, not drawn: published files, brought into the cache once.

An importer is a registered subclass with factors, image shape, `source`, and `read`, which turns
the published files into blocks of values and images. Everything else is here: loading from the
memory map of the cache, and what to do where it is not there. A subclass of an importer, with
noise of its own, say, reads its importer's folder.
"""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import BadInput, setting

from . import cache
from .dataset import Dataset
from .disk import nice
from .source import Source, digest, given, mismatch

PACKED = 256  # images packed at a time: what a processor's cache holds


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredDataset(Dataset):
    """A dataset of the cache. Its images are uint8, and lie on the device as they are."""

    source: ClassVar[Source]

    @abstractmethod
    def read(self, files: dict[str, Path]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The published files, by name → blocks of (values [k, axes], images [k, *image_shape]).

        Values are whole numbers from 0 for every axis of the grid, images uint8; in any order, a
        block at a time in memory. Raises `BadInput` where a file is not of the published layout.
        """

    @classmethod
    def stored(cls) -> "StoredDataset":
        """The dataset whose folder this one reads: of the class that has the source."""
        return next(one for one in cls.__mro__ if "source" in vars(one))()

    def missing(self):
        stored = self.stored()
        if cache.folder_of(stored).exists():
            try:
                cache.images_of(stored)
            except BadInput as error:
                return str(error)
            return ""
        size = f" ({nice(self.source.size)})" if self.source.size else ""
        fetch = f"soberlook data fetch {stored.name}{size}, or "
        if not all(file.url for file in self.source.files):
            fetch = f"get it from {self.source.homepage}, then "
        return f"dataset {self.name!r} is not here: {fetch}soberlook data import {stored.name} PATH"

    @property
    def content(self):
        # Of files that are not the published ones, of which nothing else would tell.
        stored = self.stored()
        if not cache.folder_of(stored).exists():
            return ""
        meta = cache.meta_of(stored)
        published = all(file.get("published", True) for file in meta["source"]["files"])
        return "" if published else meta["sha256"]["images.npy"][:16]

    def load(self):
        # A device of the host takes the memory map as it is; others copy from it.
        return jax.device_put(cache.images_of(self.stored()))

    def observe(self, data, cells, key):
        return data[cells] / jnp.float32(255)

    def bring(
        self, files: dict[str, Path], on_progress: Callable[[int], None] = lambda _: None
    ) -> Path:
        """Read the published files, by name, into the cache, and say where it is.

        `on_progress` hears how many images are read.
        """
        stored = self.stored()

        def blocks():
            count = 0
            for values, images in stored.read(files):
                yield values, images
                count += len(images)
                on_progress(count)

        names = {file.name: file for file in stored.source.files}
        source = {
            "licence": stored.source.licence,
            "homepage": stored.source.homepage,
            "files": [_record(names[name], path) for name, path in files.items()],
        }
        return cache.write(stored, blocks(), source)


def _record(file, path):
    """What meta.json says of a file that was read, and whether it is what was published."""
    one = given(file, path)
    published = not mismatch(path, file)
    return {"name": one.name, "url": one.url, "sha256": digest(path), "published": published}


@dataclasses.dataclass(frozen=True, kw_only=True)
class BlackAndWhite(StoredDataset):
    """Whose pixels are 0 or 255: with `bits`, eight lie in a byte of the device's memory."""

    bits: bool = setting(False)

    def load(self):
        if not self.bits:
            return super().load()
        images = cache.images_of(self.stored())
        images = images.reshape(len(images), -1)
        packed = np.empty((len(images), -(-images.shape[1] // 8)), np.uint8)
        for start in range(0, len(images), PACKED):
            block = images[start : start + PACKED]
            if (block + np.uint8(1)).max() > 1:  # 255 + 1 is 0
                raise BadInput(f"{self.name}: bits must be of images of 0 and 255, found greys")
            packed[start : start + PACKED] = np.packbits(block, axis=1)
        return jax.device_put(packed)

    def observe(self, data, cells, key):
        if not self.bits:
            return super().observe(data, cells, key)
        shape = self.stored().image_shape
        pixels = jnp.unpackbits(data[cells], axis=1, count=int(np.prod(shape)))
        return pixels.reshape(-1, *shape).astype(jnp.float32)
