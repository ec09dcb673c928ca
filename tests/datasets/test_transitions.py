import numpy as np
import pytest

from soberlook.datasets import HeldOut, make_view
from soberlook.registry import BadInput

SIZES = (3, 4, 5)


def step(dataset, **settings):
    """(values before, values after) of a million transitions."""
    drawn = dataset.draw("transitions", **settings)
    return dataset.values(drawn["before"]), dataset.values(drawn["after"])


def laplace(size, rate):
    """p(w | v) [size, size], from the density of scale ln(size) / rate at whole numbers."""
    v, w = np.indices((size, size))
    density = np.exp(-np.abs(v - w) * rate / np.log(size))
    return density / density.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("rate", [0.2, 0.7, 1.0])
def test_sparse_factors_move_at_their_rate_to_any_other_value(numbers, agree, rate):
    before, after = step(numbers(), kind="sparse", rate=rate)
    moved = (before != after)[:, :3]
    k = np.array([bin(i).count("1") for i in range(8)])
    agree(np.bincount(moved @ [1, 2, 4], minlength=8), rate**k * (1 - rate) ** (3 - k))
    for axis, size in enumerate(SIZES):
        own = moved[:, axis]
        steps = (after - before)[own, axis] % size
        agree(np.bincount(before[own, axis] * size + steps), np.tile(np.arange(size) > 0, size))
    agree(np.bincount(np.ravel_multi_index(after.T, (*SIZES, 2)), minlength=120))


def test_at_rate_0_nothing_moves(numbers):
    before, after = step(numbers(), kind="sparse", rate=0)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("rate", [0, 1, 3])
def test_laplace_steps_are_the_law(numbers, agree, rate):
    """The joint law of all factors, with the move that is made where none would be."""
    before, after = step(numbers(), rate=rate)
    tables = [laplace(size, rate) for size in SIZES]
    expected = np.einsum("ax,by,cz->abcxyz", *tables)
    a, b, c, x, y, z = np.indices(expected.shape)
    expected[(a == x) & (b == y) & (c == z)] = 0
    rests = np.einsum("a,b,c->abc", *(np.diag(table) for table in tables))
    for axis, table in enumerate(tables):
        others = table * (1 - np.eye(len(table)))
        moves = [others if i == axis else np.eye(size) for i, size in enumerate(SIZES)]
        moves[axis] = moves[axis] / others.sum(axis=1, keepdims=True)
        expected += rests[..., None, None, None] / 3 * np.einsum("ax,by,cz->abcxyz", *moves)
    np.testing.assert_allclose(expected.sum(axis=(3, 4, 5)), 1)
    counts = np.zeros_like(expected)
    np.add.at(counts, (*before[:, :3].T, *after[:, :3].T), 1)
    likely = expected > 3e-3  # χ² wants 20 draws of each at least; the others are counted as one
    agree(
        np.append(counts[likely], counts[~likely].sum()),
        np.append(expected[likely], expected[~likely].sum()),
    )


def test_a_large_rate_moves_one_factor_by_one(numbers, agree):
    before, after = step(numbers(), rate=1000)
    distance = np.abs(after - before)
    assert (distance.sum(axis=1) == 1).all()
    agree(distance[:, :3].sum(axis=0))


@pytest.mark.parametrize("kind", ["laplace", "sparse"])
def test_what_is_not_named_stays(numbers, kind):
    before, after = step(numbers(), kind=kind, factors=("c", "a"), rate=0.5)
    np.testing.assert_array_equal(before[:, [1, 3]], after[:, [1, 3]])
    moved = (before != after).mean(axis=0)
    assert moved[0] > 0.3 and moved[2] > 0.3
    if kind == "laplace":
        assert (before != after).any(axis=1).all()


def test_the_order_of_the_names_is_no_matter(numbers, agree):
    before, after = step(numbers(), factors=("c", "b"), rate=1000)
    assert (np.abs(after - before).sum(axis=1) == 1).all()
    agree((before != after)[:, 1:3].sum(axis=0))


def test_before_is_that_of_images_and_noise_is_each_ones_own(numbers, noises):
    drawn = numbers().draw("transitions", rate=1)
    np.testing.assert_array_equal(drawn["before"], numbers().draw("images"))
    noises(np.stack([drawn["before"], drawn["after"]], axis=1))
    assert make_view("transitions").images == 2


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"kind": "sparse", "rate": 1.5}, "rate of sparse is a probability ≤ 1, found 1.5"),
        ({"rate": -1}, "rate must be a finite number ≥ 0, found -1"),
        ({"kind": "uniform"}, "kind must be one of 'laplace', 'sparse'"),
        ({"factors": ("d",)}, "unknown factor of cell_numbers 'd': known: a, b, c"),
    ],
)
def test_bad_transitions_are_one_clear_line(numbers, settings, message):
    with pytest.raises(BadInput, match=message) as error:
        make_view(("transitions", settings)).check(numbers())
    assert "\n" not in str(error.value)


def test_a_table_of_a_laplace_law_has_an_end(numbers_of):
    many = numbers_of((3, 1_001, 5))()
    with pytest.raises(BadInput, match="laplace moves factors of ≤ 1,000 values, found 1,001"):
        make_view("transitions").check(many)
    make_view(("transitions", {"kind": "sparse"})).check(many)
    make_view(("transitions", {"factors": ("a", "c")})).check(many)


def test_transitions_need_all_cells(numbers):
    with pytest.raises(BadInput, match="must be trained on all, found training 'held_out'"):
        make_view("transitions").check(numbers(training=HeldOut()))
