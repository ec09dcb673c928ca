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
    of_constant, of_panels, of_wrong, of_right = jax.random.split(key, 4)
    constant = _constant_factors(of_constant, rules, count)
    panels = _panels(of_panels, rules, constant)
    solution = panels[:, -1:]
    wrong = _wrong_answers(of_wrong, rules, constant, solution)
    right = jax.random.randint(of_right, (count,), 0, ANSWERS)
    turned = (jnp.arange(ANSWERS) - right[:, None]) % ANSWERS
    answers = jnp.concatenate([solution, wrong], axis=1)
    answers = jnp.take_along_axis(answers, turned[..., None], axis=1)
    return Matrices(panels[:, :-1], answers, right, constant)


def _constant_factors(key, rules, count):
    """S as a mask [b, f]."""
    of_number, of_order = jax.random.split(key)
    number = jax.random.choice(of_number, jnp.array(rules.relations), (count, 1))
    order = jax.random.uniform(of_order, (count, len(rules.levels)))
    return jnp.argsort(jnp.argsort(order)) < number


def _panels(key, rules, constant):
    """All nine panels [b, 9, f]."""
    constant = constant[:, None, None]

    def draw(key):
        shape = len(constant), 3, 3, len(rules.levels)
        panels = jax.random.randint(key, shape, 0, jnp.array(rules.levels))
        return jnp.where(constant, panels[:, :, :1], panels)

    def seem_related(panels):
        a, b, c = (panels[:, :2, column] for column in range(3))
        equal, distinct = (a == b) & (b == c), (a != b) & (b != c) & (c != a)
        return ~constant & (equal.all(axis=1) | distinct.all(axis=1))[:, None, None]

    panels = _redraw(key, draw, seem_related)
    return panels.reshape(len(panels), 9, -1)


def _wrong_answers(key, rules, constant, solution):
    """Five answers [b, 5, f], all different, none of which has the constant factors' values."""
    constant, levels = constant[:, None], jnp.array(rules.levels)

    def draw(key):
        of_values, of_factor, of_step = jax.random.split(key, 3)
        shape = len(solution), ANSWERS - 1, len(rules.levels)
        values = jax.random.randint(of_values, shape, 0, levels)
        if not rules.hard:
            return values
        # One of the constant factors takes another value, the others of them keep theirs.
        order = jnp.where(constant, jax.random.uniform(of_factor, shape), -1)
        chosen = jax.nn.one_hot(jnp.argmax(order, axis=-1), shape[-1], dtype=bool)
        other = (solution + jax.random.randint(of_step, shape, 1, levels)) % levels
        return jnp.where(chosen, other, jnp.where(constant, solution, values))

    def not_five(answers):
        right = ((answers == solution) | ~constant).all(axis=-1)
        equal = (answers[:, :, None] == answers[:, None]).all(axis=-1)
        twice = equal.sum(axis=-1) > 1
        return (right | twice).any(axis=1)[:, None, None]

    return _redraw(key, draw, not_five)


def _redraw(key, draw: Callable, bad: Callable):
    """`draw(key)`, where `bad` drawn again until nothing is: uniform among what is not."""

    def again(state):
        key, values = state
        key, now = jax.random.split(key)
        return key, jnp.where(bad(values), draw(now), values)

    key, first = jax.random.split(key)
    return jax.lax.while_loop(lambda state: bad(state[1]).any(), again, (key, draw(first)))[1]
