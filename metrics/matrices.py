"""Raven-style matrices of a grid's cells: 3×3 panels, of which the last is sought among six answers.
van Steenkiste, Locatello, Schmidhuber & Bachem, "Are Disentangled Representations Helpful for
Abstract Visual Reasoning?", NeurIPS 2019, section 3.

    S ⊂ {1..F}, |S| ~ U(relations):  v_k(row i, column 1) = v_k(i, 2) = v_k(i, 3) for k ∈ S, all i
    k ∉ S: uniform, but in the first two rows neither both constant nor both of three values
    an answer a is right  ⇔  v_k(a) = v_k(3, 1) for all k ∈ S

The first two rows tell S: it is the factors that are constant in both.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

ANSWERS = 6


class Rules(NamedTuple):
    """What matrices are drawn by; hashable, so that programs can be compiled for it."""

    levels: tuple[int, ...]  # how many values each factor has, two at least
    relations: tuple[int, ...]  # how many factors are constant in rows; each number equally likely
    hard: bool  # whether a wrong answer differs from the right one in one constant factor only


class Matrices(NamedTuple):
    """Factors' values of b matrices."""

    context: Int[Array, "b 8 f"]  # row by row, without the last panel
    answers: Int[Array, "b 6 f"]  # all different; one fits the context
    right: Int[Array, " b"]  # which one
    constant: Bool[Array, "b f"]  # S


def make_rules(levels: tuple[int, ...], relations: tuple[int, ...], hard: bool) -> Rules:
    """The rules for factors of so many values, or a ValueError where six answers cannot be found.

    At least one factor has to vary in a row, or its panels were one and the same; relations of too
    many factors are left out.
    """
    if not relations or min(relations) < 1:
        raise ValueError(f"relations must be of one factor or more each, found {relations}")
    possible = tuple(r for r in relations if r < len(levels))
    if not possible:
        needed = min(relations) + 1
        raise ValueError(f"matrices need {needed} factors that vary at least, found {len(levels)}")
    for constant in (s for r in possible for s in itertools.combinations(range(len(levels)), r)):
        sizes = [levels[k] for k in constant]
        others = sum(size - 1 for size in sizes) if hard else math.prod(sizes) - 1
        wrong = others * math.prod(levels) // math.prod(sizes)
        if wrong < ANSWERS - 1:
            values = f"factors of {', '.join(map(str, levels))} values"
            raise ValueError(f"matrices need {ANSWERS - 1} wrong answers, {values} have {wrong}")
    return Rules(levels, possible, hard)


def draw_matrices(key: Array, rules: Rules, count: int) -> Matrices:
    """`count` matrices; use under `jax.jit`."""
    of_rest, of_panels, of_wrong = jax.random.split(key, 3)
    rest = jax.random.uniform(of_rest, (count, 2 + len(rules.levels)))
    right, number, order = rest[:, 0], rest[:, 1], rest[:, 2:]
    right, number = _whole(right, ANSWERS), _whole(number, len(rules.relations))
    ranks = jnp.argsort(jnp.argsort(order))
    constant = ranks < jnp.array(rules.relations)[number][:, None]
    panels = _panels(of_panels, rules, constant)
    solution = panels[:, -1:]
    wrong = _wrong_answers(of_wrong, rules, constant, solution)
    answers = jnp.concatenate([solution, wrong], axis=1)
    turned = (jnp.arange(ANSWERS) - right[:, None]) % ANSWERS
    answers = jnp.take_along_axis(answers, turned[..., None], axis=1)
    return Matrices(panels[:, :-1], answers, right, constant)


def _panels(key, rules, constant):
    """All nine panels [b, 9, f]."""
    constant = constant[:, None, None]

    def panels(uniform):
        values = _whole(uniform, jnp.array(rules.levels))
        return jnp.where(constant, values[:, :, :1], values)

    def seem_related(panels):
        a, b, c = (panels[:, :2, column] for column in range(3))
        equal, distinct = (a == b) & (b == c), (a != b) & (b != c) & (c != a)
        return ~constant & (equal.all(axis=1) | distinct.all(axis=1))[:, None, None]

    shape = len(constant), 3, 3, len(rules.levels)
    return _drawn_until_good(key, shape, panels, seem_related).reshape(len(constant), 9, -1)


def _wrong_answers(key, rules, constant, solution):
    """Five answers [b, 5, f], all different, none of which has the constant factors' values."""
    constant, levels = constant[:, None], jnp.array(rules.levels)

    def answers(uniform):
        if not rules.hard:
            return _whole(uniform[..., 0], levels)
        # Of the constant factors one, drawn first, takes another value; the rest keep theirs.
        order = jnp.where(constant, uniform[..., 1], -1)
        drawn = jnp.arange(len(rules.levels)) == jnp.argmax(order, axis=-1)[..., None]
        other = (solution + 1 + _whole(uniform[..., 0], levels - 1)) % levels
        kept = jnp.where(drawn, other, solution)
        return jnp.where(constant, kept, _whole(uniform[..., 0], levels))

    def not_five(answers):
        right = ((answers == solution) | ~constant).all(axis=-1)
        equal = (answers[:, :, None] == answers[:, None]).all(axis=-1)
        return (right | (equal.sum(axis=-1) > 1)).any(axis=1)[:, None, None]

    shape = len(solution), ANSWERS - 1, len(rules.levels), 2
    return _drawn_until_good(key, shape, answers, not_five)


def _drawn_until_good(key, shape, values_of, bad):
    """`values_of` uniform numbers of this shape; those that are `bad` are drawn again and again."""

    def again(state):
        key, values, redraw = state
        key, now = jax.random.split(key)
        values = jnp.where(redraw, values_of(jax.random.uniform(now, shape)), values)
        return key, values, bad(values)

    nothing = jax.eval_shape(lambda: values_of(jnp.zeros(shape)))
    values = jnp.zeros(nothing.shape, nothing.dtype)
    start = key, values, jnp.ones_like(bad(values))
    return jax.lax.while_loop(lambda state: state[2].any(), again, start)[1]


def _whole(uniform, size):
    """Uniform numbers in [0, 1) as whole ones below `size`."""
    return (uniform * size).astype(jnp.int32)
