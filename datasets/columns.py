"""Columns of a table: what each is, and where it lies in the vector that a model sees.

A row is a vector of values in [0, 1]: real columns are scaled, binary ones are 0 or 1, categorical
ones one-hot.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

KINDS = ("real", "binary", "categorical")


class Column(NamedTuple):
    """A column, and the part of the row's vector that holds it."""

    name: str
    kind: str  # one of KINDS
    classes: int  # how many values it can have: 1 of real columns, which have any, 2 of binary ones
    slice: slice  # of the vector's last axis


def columns(**kinds) -> tuple[Column, ...]:
    """Name → "real", "binary", or a number of classes; laid out one behind the other."""
    laid_out, start = [], 0
    for name, kind in kinds.items():
        width = 1 if kind in ("real", "binary") else kind
        classes = {"real": 1, "binary": 2}.get(kind, kind)
        kind = kind if kind in KINDS else "categorical"
        laid_out.append(Column(name, kind, classes, slice(start, start + width)))
        start += width
    return tuple(laid_out)


def width(columns: tuple[Column, ...]) -> int:
    """The length of a row's vector."""
    return columns[-1].slice.stop


def encode(columns: tuple[Column, ...], values) -> jax.Array:
    """A list of a [n] array a column (categories from 0) → the rows' vectors [n, d], float32."""
    parts = [
        jax.nn.one_hot(jnp.asarray(value, jnp.int32), column.classes, dtype=jnp.float32)
        if column.kind == "categorical"
        else jnp.asarray(value, jnp.float32)[:, None]
        for column, value in zip(columns, values, strict=True)
    ]
    return jnp.concatenate(parts, axis=1)


def decode(columns: tuple[Column, ...], rows) -> list[jax.Array]:
    """Vectors [n, d] → a [n] array a column: numbers, 0 or 1, the most likely category."""
    decoders = {
        "real": lambda part: part[:, 0],
        "binary": lambda part: (part[:, 0] > 0.5).astype(jnp.int32),
        "categorical": lambda part: part.argmax(axis=1),
    }
    return [decoders[column.kind](rows[:, column.slice]) for column in columns]
