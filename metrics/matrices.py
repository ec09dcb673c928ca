"""Raven-style matrices: 3×3 cells of a grid, of which the last is sought among six answers. Van
Steenkiste, Locatello, Schmidhuber & Bachem, "Are Disentangled Representations Helpful for
Abstract Visual Reasoning?", NeurIPS 2019.

    S ⊂ {1..F}, |S| ~ U(relations):  v_k(row i, column 1) = v_k(i, 2) = v_k(i, 3) for k ∈ S, all i
    k ∉ S: uniform, but in the first two rows neither both constant nor both of three values
    an answer a is right  ⇔  v_k(a) = v_k(3, 1) for all k ∈ S

The first two rows tell S: it is the factors that are constant in both.
"""

import itertools
import math
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


class Matrix(NamedTuple):
    """The factors' values of a matrix's panels."""

    context: Int[Array, "*b 8 f"]  # row by row, without the last panel
    answers: Int[Array, "*b 6 f"]  # all different; one fits the context
    right: Int[Array, "*b"]  # which one
    constant: Bool[Array, "*b f"]  # S


def make_rules(levels: tuple[int, ...], relations: tuple[int, ...], hard: bool) -> Rules:
    """The rules for factors of so many values, or a ValueError where six answers cannot be found.

    At least one factor has to vary in a row, or its panels were one and the same; relations of too
    many factors are left out.
    """
    # The paper's code refuses factors of two values, though they can be constant as well as not.
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


def draw_matrix(key: Array, rules: Rules) -> Matrix:
    """One matrix; use under `jax.jit`, and `jax.vmap` for more of them."""
    of_roles, of_values = jax.random.split(key)
    right, number, *order = jax.random.uniform(of_roles, 2 + len(rules.levels))
    right, number = _whole(right, ANSWERS), _whole(number, len(rules.relations))
    ranks = jnp.argsort(jnp.argsort(jnp.stack(order)))
    constant = ranks < jnp.array(rules.relations)[number]
    panels, wrong = _panels_and_wrong_answers(of_values, rules, constant)
    answers = jnp.roll(jnp.concatenate([panels[8:], wrong]), right, axis=0)
    return Matrix(panels[:8], answers, right, constant)


def _panels_and_wrong_answers(key, rules, constant):
    """[9, f] and [5, f]: whatever is not as it should be is drawn again, until all is."""
    factors, wrong = len(rules.levels), ANSWERS - 1

    def again(state):
        key, panels, answers = state
        key, now = jax.random.split(key)
        uniform = jax.random.uniform(now, (9 + 2 * wrong, factors))
        related = _seem_related(panels, constant)
        redo = related | _not_wrong(answers, panels[8:], constant)  # answers belong to their panels
        panels = jnp.where(related, _panels(uniform[:9], rules, constant), panels)
        drawn = _wrong_answers(*jnp.split(uniform[9:], 2), rules, constant, panels[8:])
        return key, panels, jnp.where(redo[:, None], drawn, answers)

    def unfinished(state):
        _, panels, answers = state
        return _seem_related(panels, constant) | _not_wrong(answers, panels[8:], constant).any()

    # Panels of zeros are constant in all factors, of which one is not to be.
    nothing = jnp.zeros((9, factors), jnp.int32), jnp.zeros((wrong, factors), jnp.int32)
    return jax.lax.while_loop(unfinished, again, (key, *nothing))[1:]


def _panels(uniform, rules, constant):
    values = _whole(uniform, jnp.array(rules.levels)[None])
    first = jnp.repeat(values[::3], 3, axis=0)  # of each row
    return jnp.where(constant[None], first, values)


def _seem_related(panels, constant):
    """Whether in the first two rows a factor outside S is related."""
    a, b, c = (panels[column:6:3] for column in range(3))  # [2, f]
    equal, distinct = (a == b) & (b == c), (a != b) & (b != c) & (c != a)
    return (~constant & (equal.all(axis=0) | distinct.all(axis=0))).any()


def _wrong_answers(uniform, order, rules, constant, solution):
    # The paper's code never hands on that answers are to be hard, and makes easy ones always; and
    # what should refuse a wrong answer that is there already does not.
    levels, constant = jnp.array(rules.levels)[None], constant[None]
    anything = _whole(uniform, levels)
    if not rules.hard:
        return anything
    # Of the constant factors one, drawn first, takes another value; the rest keep theirs.
    first = jnp.argmax(jnp.where(constant, order, -1), axis=1)
    other = (solution + 1 + _whole(uniform, levels - 1)) % levels
    kept = jnp.where(jax.nn.one_hot(first, levels.size, dtype=bool), other, solution)
    return jnp.where(constant, kept, anything)


def _not_wrong(answers, solution, constant):
    """Which of the wrong answers are right, or are there before: [5]."""
    right = ((answers == solution) | ~constant[None]).all(axis=1)
    equal = (answers[:, None] == answers[None]).all(axis=2)
    return right | jnp.tril(equal, -1).any(axis=1)


def _whole(uniform, size):
    """Uniform numbers in [0, 1) as whole ones below `size`."""
    return (uniform * size).astype(jnp.int32)
