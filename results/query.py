"""Conditions on columns, as text: "model == 'beta_vae' and beta in [2, 4] and not mig < .1".

The text is parsed here and never evaluated: it knows columns, numbers, text in quotes, `True` and
`False`, the comparisons == != < <= > >= (also chained, as in .1 < mig <= .2), `in` and `not in` a
list, and `and`, `or`, `not` and parentheses. Anything else is one clear line.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

from soberlook.registry import BadInput, unknown

MAX_LENGTH = 10_000  # characters
MAX_DEPTH = 50  # of parentheses and `not`

COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
WORDS = {"and", "or", "not", "in"}
LITERALS = {"True": True, "true": True, "False": False, "false": False}
TOKEN = re.compile(
    r"""(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<text>'[^']*'|"[^"]*")
      | (?P<sign>==|!=|<=|>=|[<>()\[\],-])
      | (?P<other>\S)""",
    re.VERBOSE,
)


class Condition(NamedTuple):
    """What must hold of a row."""

    names: frozenset[str]  # the columns it asks for
    mask: Callable[[pd.DataFrame], np.ndarray]  # [rows], bool


def query(frame: pd.DataFrame, where: str | Mapping) -> pd.DataFrame:
    """The rows of any frame of which this holds, in their order and with their index.

    `where` is a condition as text, or column → value, or a list or range of values one of which
    it must have. A comparison with a missing value is false, `!=` and `not in` too, which `not`
    turns round. Numbers compare with numbers and text with text; all else raises `BadInput`.
    """
    return hold(frame, conditions(where))


def hold(frame: pd.DataFrame, parts: list[Condition]) -> pd.DataFrame:
    """The rows of which all of these hold."""
    return frame[np.logical_and.reduce([part.mask(frame) for part in parts])] if parts else frame


def conditions(where: str | Mapping | None) -> list[Condition]:
    """The conditions that must all hold: the parts of a text that a top-level `and` joins."""
    if where is None:
        return []
    if isinstance(where, str):
        return _Parser(where).all()
    if isinstance(where, Mapping):
        return [_one_of(column, values) for column, values in where.items()]
    raise BadInput(f"where must be text, or column → values, found {type(where).__name__}")


def _one_of(column, values):
    alone = isinstance(values, (str, Real, np.bool_)) or not isinstance(values, Iterable)
    listed = [values] if alone else list(values)
    literals = [_Literal(v.item() if isinstance(v, np.generic) else v, repr(v)) for v in listed]
    for literal in literals:
        if not isinstance(literal.value, (str, Real)) or literal.value != literal.value:
            raise BadInput(f"where: {column} must be numbers or text, found {literal.said}")
    return _Column(str(column)).among(literals, False)


class _Values(NamedTuple):
    """A column or a literal, as a comparison sees it."""

    kind: str  # number, text, truth; nothing: a column without a value
    values: object  # an array, a series or a scalar
    there: object  # whether there is a value: bool, or [rows]


class _Literal(NamedTuple):
    value: str | float | bool
    said: str

    names = frozenset()

    def of(self, frame):
        return _Values(_kind_of(self.value), self.value, True)


class _Column(NamedTuple):
    name: str

    @property
    def names(self):
        return frozenset([self.name])

    @property
    def said(self):
        return self.name

    def of(self, frame):
        column = _find(frame, self.name)
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(column.cat.categories.dtype)
        there = column.notna().to_numpy(bool)
        if not there.any():
            return _Values("nothing", None, there)
        if pd.api.types.is_bool_dtype(column.dtype):
            return _Values("truth", column.to_numpy(bool, na_value=False), there)
        if pd.api.types.is_numeric_dtype(column.dtype):
            return _Values("number", column.to_numpy(float, na_value=np.nan), there)
        if pd.api.types.infer_dtype(column, skipna=True) == "string":
            return _Values("text", column.astype(str), there)
        raise BadInput(f"{self.name} holds neither numbers, nor text, nor true and false")

    def among(self, literals, negated):
        """The condition that the value is one of these, or, `negated`, another."""

        def mask(frame):
            kind, values, there = self.of(frame)
            if kind == "nothing":
                return there
            for literal in literals:
                if _kind_of(literal.value) != kind:
                    raise _mismatch(self, kind, literal, _kind_of(literal.value))
            wanted = [literal.value for literal in literals]
            found = values.isin(wanted) if kind == "text" else np.isin(values, wanted)
            return there & (np.asarray(found, bool) != negated)

        return Condition(self.names, mask)

    def alone(self):
        """The condition that it is true."""

        def mask(frame):
            kind, values, there = self.of(frame)
            if kind not in ("truth", "nothing"):
                raise BadInput(f"{self.name} is {kind}: compare it, as in {self.name} == …")
            return there & values if kind == "truth" else there

        return Condition(self.names, mask)


def _comparison(left, sign, right):
    def mask(frame):
        a, b = left.of(frame), right.of(frame)
        there = np.broadcast_to(a.there & b.there, len(frame))
        if "nothing" in (a.kind, b.kind):
            return there & False
        if a.kind != b.kind:
            raise _mismatch(left, a.kind, right, b.kind)
        if a.kind == "truth" and sign not in ("==", "!="):
            raise BadInput(f"{left.said} {sign} {right.said}: true and false have no order")
        return there & np.asarray(COMPARISONS[sign](a.values, b.values), bool)

    return Condition(left.names | right.names, mask)


def _joined(how, parts):
    names = frozenset().union(*(part.names for part in parts))
    return Condition(names, lambda frame: reduce(how, [part.mask(frame) for part in parts]))


def _kind_of(value):
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"


def _mismatch(left, left_kind, right, right_kind):
    what = {"number": "a number", "text": "text", "truth": "true or false"}
    return BadInput(
        f"{left.said} is {what[left_kind]}: expected {what[left_kind]} to compare it with, "
        f"found {right.said}, which is {what[right_kind]}"
    )


def _find(frame, name):
    if name not in frame:
        raise unknown("column", name, map(str, frame.columns))
    return frame[name]


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str):
        if len(text) > MAX_LENGTH:
            raise BadInput(
                f"a condition must be at most {MAX_LENGTH:,} characters, found {len(text):,}"
            )
        self.text, self.depth = text, 0
        self.tokens = [(m.lastgroup, m[0], m.start()) for m in TOKEN.finditer(text)]
        self.tokens.append(("end", "the end", len(text)))

    def all(self):
        """The whole text, as conditions that must all hold."""
        parts = self.alternatives()
        if self.tokens[0][0] != "end":
            raise self.wrong("and, or, or the end")
        if len(parts) > 1:
            return [self.any_of(parts)]
        return [self.condition(part) for part in parts[0]]

    def alternatives(self):
        """What `or` joins, each a list of what `and` joins."""
        return self.parts("or", lambda: self.parts("and", self.negation))

    def any_of(self, parts):
        return self.join(operator.or_, [self.join(operator.and_, part) for part in parts])

    def parts(self, word, parse):
        found = [parse()]
        while self.accept(word):
            found.append(parse())
        return found

    def join(self, how, parts):
        return parts[0] if len(parts) == 1 else _joined(how, [self.condition(p) for p in parts])

    def negation(self):
        if not self.accept("not"):
            return self.compared()
        self.deeper()
        inner = self.condition(self.negation())
        self.depth -= 1
        return Condition(inner.names, lambda frame: ~inner.mask(frame))

    def compared(self):
        left, found = self.operand(), []
        while True:
            negated = self.accept("not")
            if negated or self.tokens[0][1] == "in":
                self.expect("in")
                if found or not isinstance(left, _Column):
                    raise self.wrong("a column alone before in")
                return left.among(self.listed(), negated)
            if self.tokens[0][1] not in COMPARISONS:
                break
            sign = self.take()
            if isinstance(left, Condition):
                raise self.wrong("and, or, or the end")
            right = self.operand()
            if isinstance(right, Condition):
                raise self.wrong("a column, a number or text in quotes to compare with")
            found.append(_comparison(left, sign, right))
            left = right
        return _joined(operator.and_, found) if found else left

    def operand(self):
        kind, word, _ = self.tokens[0]
        if word == "(":
            self.deeper()
            self.take()
            inner = self.any_of(self.alternatives())
            self.expect(")")
            self.depth -= 1
            return inner
        if kind == "name" and word not in WORDS and word not in LITERALS:
            return _Column(self.take())
        return self.literal("a column, a number, text in quotes or (")

    def literal(self, expected):
        kind, word, _ = self.tokens[0]
        if word == "-":
            self.take()
            if self.tokens[0][0] != "number":
                raise self.wrong("a number after -")
            word = self.take()
            return _Literal(-float(word), "-" + word)
        values = {"number": float, "text": lambda quoted: quoted[1:-1], "name": LITERALS.get}
        if kind not in values or (kind == "name" and word not in LITERALS):
            raise self.wrong(expected)
        return _Literal(values[kind](self.take()), word)

    def listed(self):
        close = {"[": "]", "(": ")"}.get(self.tokens[0][1])
        if close is None:
            raise self.wrong("a list, as in [1, 2]")
        self.take()
        found = []
        while not self.accept(close):
            found.append(self.literal("a number or text in quotes"))
            if self.tokens[0][1] != close:
                self.expect(",")
        return found

    def condition(self, found):
        if isinstance(found, _Column):
            return found.alone()
        if isinstance(found, _Literal):
            raise BadInput(f"the condition {found.said} asks nothing: compare it with a column")
        return found

    def deeper(self):
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadInput(f"a condition must be at most {MAX_DEPTH} levels deep")

    def take(self):
        return self.tokens.pop(0)[1]

    def accept(self, word):
        if self.tokens[0][1] != word:
            return False
        self.take()
        return True

    def expect(self, word):
        if not self.accept(word):
            raise self.wrong(word)

    def wrong(self, expected):
        kind, word, at = self.tokens[0]
        found = "the end" if kind == "end" else repr(word)
        return BadInput(f"the condition, character {at + 1}: expected {expected}, found {found}")
