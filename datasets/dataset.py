"""The dataset contract: named factors, and factors → images as a pure function on the device.

A dataset is the full grid of its factors, each cell with equal probability (Locatello et al.,
2019, section 2). Cells are numbered in C order: the last factor varies fastest. Nuisances are axes
of the grid behind the factors, which images depend on and no score asks for. Models see all cells,
or those that `training` says.
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from soberlook.registry import (
    Registry,
    check_settings,
    construct,
    registering,
    setting,
    settings_of,
    title_of,
    unknown,
)

from .cells import AllCells, Cells, make_cells

DATASETS = Registry("dataset")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset(ABC):
    """A frozen dataclass: its fields, if any, are settings and part of every run's id."""

    name: ClassVar[str]
    version: ClassVar[int] = 1  # raised when any image changes
    factor_names: ClassVar[tuple[str, ...]]
    factor_sizes: ClassVar[tuple[int, ...]]
    nuisance_names: ClassVar[tuple[str, ...]] = ()
    nuisance_sizes: ClassVar[tuple[int, ...]] = ()
    image_shape: ClassVar[tuple[int, ...]]  # h, w, c of images; any other shape of other things
    noisy: ClassVar[bool] = False  # images depend on the key, too: drawn anew, never kept
    bounded: ClassVar[bool] = True  # values lie in [0, 1]; where not, the docstring says why
    # False: the one factor only numbers examples, which may repeat; scores of it mean nothing.
    has_factors: ClassVar[bool] = True

    # Which cells models are trained on. Part of `settings` where they are not all.
    training: Cells = setting(AllCells(), kind=Cells)

    def __post_init__(self):
        if "name" not in vars(type(self)):
            raise TypeError(f"{type(self).__name__} is not registered: put @register('…') above it")
        object.__setattr__(self, "training", make_cells(self.training))
        check_settings(self)
        self.training.check(self)

    def missing(self) -> str:
        """Why it cannot be loaded on this machine, and what to do; empty where it can."""
        return ""

    @abstractmethod
    def load(self) -> Any:
        """The arrays `observe` reads, put on the device once; a pytree, possibly empty."""

    @abstractmethod
    def observe(self, data, cells: jax.Array, key: jax.Array) -> jax.Array:
        """cells [n] → images [n, h, w, c], float32 in [0, 1] if `bounded`.

        Pure; `key` is for noise, if any.
        """

    @property
    def grid(self) -> tuple[int, ...]:
        """The sizes of all axes, the factors' before the nuisances'."""
        return self.factor_sizes + self.nuisance_sizes

    @property
    def size(self) -> int:
        """The number of cells."""
        return math.prod(self.grid)

    def axis(self, factor: str) -> int:
        """The axis of the grid that this factor is; `BadInput` where there is none of the name."""
        if factor not in self.factor_names:
            raise unknown(f"factor of {self.name}", factor, self.factor_names)
        return self.factor_names.index(factor)

    def factors(self, cells):
        """cells [n] → the factors' values [n, f], whole numbers from 0; without nuisances."""
        values = jnp.unravel_index(cells, self.grid)[: len(self.factor_sizes)]
        return jnp.stack(values, axis=-1)

    def standardized(self, cells):
        """cells [n] → the factors' values [n, f], with mean 0 and variance 1 over the grid."""
        sizes = np.asarray(self.factor_sizes)[None]
        # The variance of 0, …, s − 1 is (s² − 1) / 12.
        return (self.factors(cells) - (sizes - 1) / 2) / np.sqrt((sizes**2 - 1) / 12)

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """What `attributes` says of an image: its factors, unless the dataset measures others."""
        return self.factor_names

    def attributes(self, data, cells):
        """cells [n] → these of their images [n, a], with mean 0 and variance 1 over the grid."""
        return self.standardized(cells)

    @property
    def content(self) -> str:
        """What tells its images apart from others of this name, version and settings, where these
        do not say it all: a digest of what was read. Part of every run's id; empty elsewhere."""
        return ""

    @property
    def title(self) -> str:
        """What tells it apart from the same dataset with other settings: its name where these are
        the defaults, "xysquares(spacing=4)" elsewhere; and its content, if it says any."""
        content = f"[{self.content}]" if self.content else ""
        return title_of(self.name, self) + content

    def settings(self) -> dict:
        """Field → value; `make(dataset.name, **dataset.settings())` gives the dataset back."""
        settings = settings_of(self)
        training = settings.pop("training")
        if training != AllCells():
            settings["training"] = training.settings()
        return settings


def image_keys(key, cells):
    """A key per image, from its cell alone: a cell's noise is the same in any company."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, cells)


def register(name: str):
    """Class decorator: make the frozen dataclass and enter it under `name`."""
    return registering(DATASETS, name)


def make(name: str, **settings) -> Dataset:
    """The dataset `name` with these settings; wrong names and values raise `BadInput`."""
    return construct(DATASETS, name, settings)
