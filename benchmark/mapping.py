"""How the members of a cohort are mapped: side by side or in order. Decided here and only here."""

from collections.abc import Callable
from typing import Literal

import jax

Mapping = Literal["vmap", "map"]


def choose(states) -> Mapping:
    """What is fastest for these stacked states (shapes suffice) where they will run.

    On an accelerator members run side by side, "vmap". On a CPU small dense networks do too, but
    a convolution runs faster one member after another, "map", because products batched over
    members lose more than they gain there.
    """
    # A dense kernel has two axes and the members' own; a convolution's has more.
    has_convolutions = any(leaf.ndim > 3 for leaf in jax.tree.leaves(states.params))
    return "map" if jax.default_backend() == "cpu" and has_convolutions else "vmap"


def padded_width(mapping: Mapping, members: int) -> int:
    """How many members the program is made for: two at least side by side.

    A batched product of one is compiled as a plain one, whose rounding is another; from two on
    a member's numbers do not depend on the width.
    """
    return max(members, 2) if mapping == "vmap" else members


def map_members(function: Callable, mapping: Mapping) -> Callable:
    """`function` of one member's arguments as a function of all members', stacked."""
    if mapping == "vmap":
        return jax.vmap(function)
    return lambda *stacked: jax.lax.map(lambda member: function(*member), stacked)
