"""Settings: the checked fields of frozen dataclasses, from which ids, columns and JSON are made."""

import dataclasses
import math
from numbers import Integral, Real

from .names import BadInput, Registry, unknown


def setting(default, *, low=None, high=None, choices=(), real=False, kind=None, **metadata):
    """A field with a check: within `low` and `high` (inclusive), or one of `choices`.

    `real` fields become floats; the others keep the type of their default, or are of a `kind`.
    """
    checks = {"low": low, "high": high, "choices": tuple(choices), "real": real, "kind": kind}
    return dataclasses.field(default=default, metadata={**checks, **metadata})


def settings_of(instance) -> dict:
    """Field → value, in the order of the class: what `make(name, **settings)` takes back."""
    return {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}


def title_of(name: str, instance) -> str:
    """The name, with the settings that are not the defaults: "xysquares(spacing=4)"."""
    own = [
        f"{field.name}={value.title if dataclasses.is_dataclass(value) else value}"
        for field in dataclasses.fields(instance)
        if (value := getattr(instance, field.name)) != field.default
    ]
    return f"{name}({', '.join(own)})" if own else name


def construct(classes: Registry, name: str, settings: dict):
    """The class called `name` with these settings; wrong names and values raise `BadInput`."""
    cls = classes.find(name)
    fields = [field.name for field in dataclasses.fields(cls)]
    for given in settings:
        if given not in fields:
            raise unknown(f"setting of {name}", given, fields)
    return cls(**settings)


def registering(classes: Registry, name: str):
    """Class decorator: make the frozen dataclass of settings and enter it under `name`."""

    def decorate(cls):
        cls = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        cls.name = name
        return classes.add(name, cls)

    return decorate


def check_settings(instance):
    """Coerce and check every field of a frozen dataclass in place, from its `__post_init__`."""
    for field in dataclasses.fields(instance):
        value = _coerce(
            getattr(instance, "name", type(instance).__name__), field, getattr(instance, field.name)
        )
        object.__setattr__(instance, field.name, value)


def _coerce(owner, field, value):
    low, high, choices = (field.metadata.get(k) for k in ("low", "high", "choices"))
    bounds = [f"≥ {low}"] * (low is not None) + [f"≤ {high}"] * (high is not None)

    def refuse(expected):
        expected = " ".join([expected, " and ".join(bounds)]).strip()
        return BadInput(f"{owner}: {field.name} must be {expected}, found {value!r}")

    if choices:
        if value not in choices:
            raise refuse("one of " + ", ".join(map(repr, choices)))
        return value
    number = field.metadata.get("real") or isinstance(field.default, float)
    if number:
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
            raise refuse("a finite number")
        value = float(value)
    elif isinstance(field.default, bool):
        if not isinstance(value, bool):
            raise refuse("true or false")
    elif isinstance(field.default, int):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise refuse("a whole number")
        value = int(value)
    elif isinstance(field.default, tuple):
        if not isinstance(value, (list, tuple)):
            raise refuse("a list")
        value = tuple(value)
    elif not isinstance(value, kind := field.metadata.get("kind") or type(field.default)):
        raise refuse(f"a {kind.__name__}")
    if (low is not None and value < low) or (high is not None and value > high):
        raise refuse("a finite number" if number else "a whole number")
    return value
