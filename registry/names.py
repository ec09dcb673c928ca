"""Registries: dictionaries that refuse a second owner and know the nearest right name."""

from collections.abc import Iterable
from difflib import get_close_matches


class BadInput(ValueError):
    """What a user gave is wrong. The message is one line: what, expected, found, nearest name."""


MOST = 50  # names that a message lists


def unknown(kind: str, name: object, known: Iterable[str]) -> BadInput:
    """The error for a `name` that is none of the `known` names of this `kind`."""
    known = sorted(known)
    close = get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    shown = ", ".join(known[:MOST]) or "none"
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return BadInput(f"unknown {kind} {str(name)!r}: {hint}known: {shown}{more}")


class Registry(dict):
    """Name → thing, for one kind of thing."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def add(self, name: str, thing):
        """Register `thing` under `name`, which must be free, and give it back."""
        if not name.isidentifier():
            raise BadInput(f"{self.kind} name {name!r} must be a Python identifier")
        if name in self:
            owner = getattr(self[name], "__module__", "another file")
            raise BadInput(f"{self.kind} {name!r} is taken by {owner}: choose another name")
        self[name] = thing
        return thing

    def find(self, name: str):
        """The thing called `name`; an unknown name raises `BadInput` with the nearest one."""
        if name not in self:
            raise unknown(self.kind, name, self)
        return self[name]
