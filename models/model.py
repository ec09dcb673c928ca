"""The model contract: a model is its own configuration, and a pytree.

A model class is a frozen dataclass. Its hyperparameters are pytree leaves: they are traced, so a
sweep is a batch of instances, stacked leaf by leaf, and no value ever causes a compilation. Its
other fields are structure: static, part of the tree's definition. Two runs can be one compiled
program exactly when the tree structures of their models are equal.
"""

import dataclasses
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax

from soberlook.registry import BadInput, Registry, check_settings, construct, setting, settings_of

MODELS = Registry("model")


def hyperparameter(default: float, *, sweep=(), low=None, high=None):
    """A number that enters arithmetic only: a traced leaf of the model.

    `sweep` holds the values a study takes by default and makes the field the class's *strength*,
    of which there is at most one. `low` and `high` are inclusive.
    """
    sweep = tuple(float(value) for value in sweep)
    return setting(default, low=low, high=high, real=True, sweep=sweep)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class State:
    """What the next update needs. The image shape is static: it belongs to the program."""

    step: jax.Array
    params: Any
    opt: Any
    extra: Any = None
    image_shape: tuple[int, ...] = dataclasses.field(default=(), metadata={"static": True})

    def replace(self, **changes) -> "State":
        return dataclasses.replace(self, **changes)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Model(ABC):
    """What the trainer asks of a model: `init`, `update`, `encode`, `decode`, and nothing else."""

    name: ClassVar[str]
    version: ClassVar[int] = 1  # raised when the meaning changes; part of every run's id
    paper: ClassVar[str] = ""  # who, where and when: "Higgins et al., ICLR 2017"
    needs: ClassVar[tuple] = ("images",)  # the views a batch must hold: names, or (name, settings)
    copies: ClassVar[int] = 1  # how often every image of a batch is trained on, side by side
    # Which parts of a code are to hold which factor: names ("" is the dataset's first) → widths, in
    # the order of the code. What is left holds all else.
    parts: ClassVar[dict[str, int]] = {}
    span: ClassVar[tuple[float, float]] = (-2.0, 2.0)  # of a code, in pictures of traversals
    trial: ClassVar[dict] = {}  # settings that make a small model of it, for the shared tests

    def __post_init__(self):
        if "name" not in vars(type(self)):
            raise TypeError(f"{type(self).__name__} is not registered: put @register('…') above it")
        check_settings(self)

    @abstractmethod
    def init(self, key: jax.Array, batch: dict) -> State:
        """The state before the first update; `batch` gives shapes only."""

    @abstractmethod
    def update(self, state: State, batch: dict, key: jax.Array) -> tuple[State, dict]:
        """One training step, and its logs: scalars by name."""

    @abstractmethod
    def encode(self, state: State, x: jax.Array):
        """x [b, h, w, c] in [0, 1] → the posterior over codes, batch first (`posteriors.py`)."""

    @abstractmethod
    def decode(self, state: State, z: jax.Array):
        """z [b, z] → the likelihood over images, batch first (`likelihoods.py`)."""

    def check(self, dataset):  # noqa: B027  most have nothing to check
        """Raise `BadInput` where it cannot be trained on this dataset, before anything is."""

    def resolved(self, image_shape: tuple[int, ...]) -> "Model":
        """This model with every "auto" replaced by what it means for images of this shape."""
        return self

    def settings(self) -> dict:
        """Field → value; `make(model.name, **model.settings())` gives the model back."""
        return settings_of(self)

    @property
    def strength(self) -> float | None:
        """The value of the swept hyperparameter; None for a class without one."""
        name = strength_name(type(self))
        return None if name is None else getattr(self, name)


def register(name: str):
    """Class decorator: make the frozen dataclass, make the pytree, and enter it under `name`."""

    def decorate(cls):
        if not issubclass(cls, Model):
            raise TypeError(f"@register({name!r}): {cls.__name__} must derive from Model or VAE")
        cls = dataclasses.dataclass(frozen=True, kw_only=True, eq=False)(cls)
        strength_name(cls)  # at most one
        cls.name = name
        MODELS.add(name, cls)
        _register_pytree(cls)
        return cls

    return decorate


def make(name: str, **settings) -> Model:
    """The model `name` with these settings; wrong names and values raise `BadInput`."""
    return construct(MODELS, name, settings)


def strength_name(cls: type[Model]) -> str | None:
    """The name of the one hyperparameter this class sweeps; None where there is none."""
    swept = [field.name for field in dataclasses.fields(cls) if field.metadata.get("sweep")]
    if len(swept) > 1:
        raise BadInput(f"{cls.__name__} sweeps {' and '.join(swept)}: a class has one strength")
    return swept[0] if swept else None


def sweep(cls: type[Model]) -> tuple[float, ...]:
    """The strengths this class takes by default; empty where it has none."""
    name = strength_name(cls)
    return () if name is None else cls.__dataclass_fields__[name].metadata["sweep"]


def _register_pytree(cls):
    fields = dataclasses.fields(cls)
    leaves = [field.name for field in fields if field.metadata.get("real")]
    static = [field.name for field in fields if not field.metadata.get("real")]

    def flatten(model):
        children = [(jax.tree_util.GetAttrKey(name), getattr(model, name)) for name in leaves]
        return children, tuple(getattr(model, name) for name in static)

    def unflatten(structure, values):
        model = object.__new__(cls)  # not through __init__: leaves may be tracers or batches
        for name, value in zip(leaves + static, (*values, *structure), strict=True):
            object.__setattr__(model, name, value)
        return model

    jax.tree_util.register_pytree_with_keys(cls, flatten, unflatten)
