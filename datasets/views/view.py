"""Views: what a model may be fed. A batch is a dict of them, drawn on the device.

A model declares the views it needs by name, with settings where they differ from the view's own:
`needs = ("images", ("pairs", {"changed": 1}))`. The cells of a batch are drawn once; each view has
a key of its own, made from its name, so that adding a view to a batch changes none of the others.
"""

import dataclasses
import zlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import jax

from soberlook.registry import Registry, check_settings, construct, registering

from ..dataset import Dataset

VIEWS = Registry("view")
Need = str | tuple[str, dict]


class Draw(NamedTuple):
    """What a view is drawn from."""

    dataset: Dataset
    data: Any  # the dataset's arrays, on the device
    cells: jax.Array  # of the batch, int32 [b]
    key: jax.Array  # this view's own, another one at every update
    images_key: jax.Array  # with which "images" are observed: the same noise, where it is wanted
    run_key: jax.Array  # the same at all updates of a run


@dataclasses.dataclass(frozen=True, kw_only=True)
class View(ABC):
    """A frozen dataclass: its fields are settings that a model may state where it needs it."""

    name: ClassVar[str]
    needs_factors: ClassVar[bool] = True  # whether it means nothing for data without factors
    # How many images of the dataset an example of it shows; or a property.
    images: ClassVar[int] = 0

    def __post_init__(self):
        check_settings(self)

    def check(self, dataset: Dataset):  # noqa: B027  most have nothing to check
        """Raise `BadInput` where this dataset cannot supply it."""

    @abstractmethod
    def draw(self, d: Draw) -> Any:
        """An array, batch first, or a dict of such arrays."""


def register(name: str):
    """Class decorator: make the frozen dataclass and enter it under `name`."""
    return registering(VIEWS, name)


def make_view(need: Need) -> View:
    """The view that a model means; wrong names and settings raise `BadInput`."""
    name, settings = (need, {}) if isinstance(need, str) else need
    return construct(VIEWS, name, settings)


def draw_batch(
    dataset: Dataset, data, needs: tuple[Need, ...], key: jax.Array, size: int, run_key: jax.Array
) -> dict:
    """One batch of `size`: the name of the view → what it drew, for exactly these needs."""
    key_cells, key_views = jax.random.split(key)
    cells = dataset.training.draw(dataset, key_cells, size)

    def view_key(name):
        return jax.random.fold_in(key_views, zlib.crc32(name.encode()))

    batch = {}
    for view in map(make_view, needs):
        own, of_images = view_key(view.name), view_key("images")
        batch[view.name] = view.draw(Draw(dataset, data, cells, own, of_images, run_key))
    return batch


def images_per_example(needs: tuple[Need, ...]) -> int:
    """How many images a model with these needs sees for every example of a batch."""
    return sum(make_view(need).images for need in needs)
