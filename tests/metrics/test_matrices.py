from collections import Counter
from functools import cache, partial

import jax
import numpy as np
import pytest

from soberlook.metrics.matrices import Matrix, draw_matrix, make_rules

COUNT = 4_000
RULES = {  # levels, relations, hard
    "hard": ((3, 4, 4, 2, 5), (1, 2, 3), True),
    "easy": ((3, 4, 2), (1, 2), False),
}


@cache
def drawn(name):
    rules = make_rules(*RULES[name])
    keys = jax.random.split(jax.random.key(0), COUNT)
    matrices = jax.jit(jax.vmap(partial(draw_matrix, rules=rules)))(keys)
    return rules, Matrix(*map(np.asarray, matrices))


def related(values):
    """Which factors are constant in each of these rows, and which have three values: [b, f]."""
    distinct = np.array([len(set(row)) for row in values.reshape(-1, 3).tolist()])
    distinct = distinct.reshape(values.shape[:-1])
    return (distinct == 1).all(axis=1), (distinct == 3).all(axis=1)


def in_rows(panels):
    """[b, rows · 3, f] as [b, rows, f, 3]."""
    return panels.reshape(len(panels), -1, 3, panels.shape[-1]).swapaxes(2, 3)


@pytest.mark.parametrize("name", RULES)
def test_one_answer_of_six_different_ones_is_right_and_the_first_rows_tell_which(name):
    rules, matrices = drawn(name)
    constant, _ = related(in_rows(matrices.context[:, :6]))
    last = matrices.context[:, 6]
    fits = ((matrices.answers == last[:, None]) | ~constant[:, None]).all(axis=-1)
    assert (fits.sum(axis=1) == 1).all()
    assert (fits.argmax(axis=1) == matrices.right).all()
    assert all(len(set(map(tuple, answers))) == 6 for answers in matrices.answers)
    for values in matrices.context, matrices.answers:
        assert values.min() == 0
        assert (values.max(axis=(0, 1)) == np.array(rules.levels) - 1).all()


@pytest.mark.parametrize("name", RULES)
def test_rows_hold_the_relations_and_no_other(name):
    _, matrices = drawn(name)
    solution = matrices.answers[np.arange(COUNT), matrices.right]
    panels = np.concatenate([matrices.context, solution[:, None]], axis=1)
    in_all, _ = related(in_rows(panels))
    in_first, three_values = related(in_rows(panels[:, :6]))
    assert (in_all | ~matrices.constant).all()
    assert (in_first == matrices.constant).all()
    assert not (three_values & ~matrices.constant).any()


@pytest.mark.parametrize("name", RULES)
def test_roles_are_equally_likely(name):
    rules, matrices = drawn(name)
    number = matrices.constant.sum(axis=1)
    for values, among in ((number, rules.relations), (matrices.right, range(6))):
        assert set(values) == set(among)
        shares = np.array([np.mean(values == v) for v in among])
        assert np.abs(shares - 1 / len(among)).max() < 4 * np.sqrt(0.25 / COUNT)
    shares = matrices.constant.mean(axis=0)
    assert np.abs(shares - number.mean() / len(rules.levels)).max() < 4 * np.sqrt(0.25 / COUNT)


def test_hard_answers_differ_in_one_constant_factor_easy_ones_in_any():
    for name, most in ("hard", 1), ("easy", 2):
        _, matrices = drawn(name)
        differ = (matrices.answers != matrices.context[:, 6:7]) & matrices.constant[:, None]
        wrong = np.arange(6) != matrices.right[:, None]
        assert set(differ.sum(axis=-1)[wrong]) == set(range(1, most + 1))


def test_easy_answers_are_any_cells_that_do_not_fit():
    # With the first factor constant, of 3 values, 2 · 4 · 2 cells do not fit; each is as likely.
    _, matrices = drawn("easy")
    ours = (matrices.constant == [True, False, False]).all(axis=1)
    step = (matrices.answers[ours] - matrices.context[ours, 6:7]) % 3
    cells = np.concatenate([step[..., :1], matrices.answers[ours, :, 1:]], axis=-1)
    wrong = cells[np.arange(6) != matrices.right[ours, None]]
    counts = Counter(map(tuple, wrong))
    assert len(counts) == 16
    expected = len(wrong) / 16
    assert max(abs(n - expected) for n in counts.values()) < 4 * np.sqrt(expected)


def test_where_no_matrix_can_be_made():
    with pytest.raises(ValueError, match="2 factors that vary at least, found 1"):
        make_rules((9,), (1, 2, 3), True)
    with pytest.raises(ValueError, match="4 factors that vary at least, found 3"):
        make_rules((9, 9, 9), (3,), True)
    with pytest.raises(ValueError, match="5 wrong answers, factors of 2, 4 values have 4"):
        make_rules((2, 4), (1,), False)
    with pytest.raises(ValueError, match="5 wrong answers, factors of 2, 2, 2 values have 4"):
        make_rules((2, 2, 2), (1, 2), True)  # 2 factors that change × 2 values of the third
    for bad in (), (0, 1):
        with pytest.raises(ValueError, match="relations must be of one factor or more"):
            make_rules((9, 9), bad, True)
    assert make_rules((9, 9), (1, 2, 3), True).relations == (1,)
    assert make_rules((2, 5), (1,), True)  # exactly five, where the first is constant
