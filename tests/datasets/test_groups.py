import numpy as np
import pytest

from soberlook.datasets import AllCells, Correlated, HeldOut, make_view
from soberlook.registry import BadInput

HELD_OUT = [
    HeldOut(share=0.3),
    HeldOut(kind="composition", factors=("a", "b"), share=0.25),
    HeldOut(kind="extrapolation", factors=("c",), share=0.4),
]


@pytest.mark.parametrize("factor", ["c"])
def test_a_group_shares_its_factor_and_nothing_else(numbers, agree, factor):
    dataset = numbers()
    drawn = dataset.draw("groups", factor=factor, members=3)
    axis = "abc".index(factor)
    values = dataset.values(drawn["images"])
    assert values.shape == (1_000_000, 3, 4)
    np.testing.assert_array_equal(values[:, :, axis], np.tile(drawn["value"][:, None], 3))
    assert (drawn["factor"] == axis).all()
    rest = np.delete(values, axis, axis=2)
    sizes = np.delete(dataset.grid, axis)
    number = np.ravel_multi_index(np.moveaxis(rest, -1, 0), sizes)  # [b, 3]
    for i, j in ((0, 1), (0, 2), (1, 2)):  # any two members are independent, given the value
        agree(np.bincount(number[:, i] * sizes.prod() + number[:, j], minlength=sizes.prod() ** 2))
    agree(np.bincount(drawn["value"]))


def test_a_factor_can_be_drawn_for_every_group(numbers, agree):
    dataset = numbers()
    drawn = dataset.draw("groups", factor="any")
    agree(np.bincount(drawn["factor"]))
    values = dataset.values(drawn["images"])
    first, second = values[:, 0], values[:, 1]
    for axis in range(3):
        own = drawn["factor"] == axis
        np.testing.assert_array_equal(first[own, axis], drawn["value"][own])
        np.testing.assert_array_equal(second[own, axis], drawn["value"][own])
        agree(np.bincount(drawn["value"][own]))
        for other in set(range(4)) - {axis}:
            counts = first[own, other] * dataset.grid[other] + second[own, other]
            agree(np.bincount(counts, minlength=dataset.grid[other] ** 2))


@pytest.mark.parametrize("training", HELD_OUT, ids=lambda training: training.kind)
@pytest.mark.parametrize("factor", ["any", "b"])
def test_held_out_cells_are_in_no_group_and_the_others_uniform(numbers, agree, training, factor):
    dataset = numbers(training=training)
    drawn = dataset.draw("groups", factor=factor, members=3)
    cells = drawn["images"][..., 0].astype(int)
    out = training.held_out(dataset)
    seen = np.isin(np.arange(120), out, invert=True)
    assert len(out) and not np.isin(cells, out).any()
    values = dataset.values(drawn["images"])
    shared = np.take_along_axis(values, drawn["factor"][:, None, None], axis=2)[..., 0]
    assert (shared == drawn["value"][:, None]).all()
    for member in range(3):  # every single image is distributed as "images"
        agree(np.bincount(cells[:, member], minlength=120), seen)
    grid = np.stack(np.unravel_index(np.arange(120), dataset.grid))
    axis = 1
    own = drawn["factor"] == axis
    for value in range(4):  # and two of a group are independent, given their value
        allowed = seen & (grid[axis] == value)
        if allowed.any():
            some = cells[own & (drawn["value"] == value)]
            pairs = np.bincount(some[:, 1] * 120 + some[:, 2], minlength=120**2).reshape(120, 120)
            agree(pairs.sum(axis=0), allowed)
            first_by_second = np.bincount(some[:, 0] * 120 + some[:, 1], minlength=120**2)
            agree(first_by_second, allowed[:, None] & allowed[None])


def test_the_first_image_is_that_of_images_and_noise_is_each_ones_own(numbers, noises):
    images = numbers().draw("groups", factor="c", members=3)["images"]
    np.testing.assert_array_equal(images[:, 0], numbers().draw("images"))
    noises(images)
    assert make_view(("groups", {"members": 4})).images == 4


def test_without_a_name_the_first_factor_is_shared(numbers):
    first, named = (numbers().draw("groups", factor=factor) for factor in ("", "a"))
    for key in ("images", "value", "factor"):
        np.testing.assert_array_equal(first[key], named[key])


@pytest.mark.parametrize("training", [AllCells(), HELD_OUT[1]], ids=lambda training: training.name)
def test_members_that_are_not_matched_share_nothing(numbers, agree, training):
    dataset = numbers(training=training)
    drawn = dataset.draw("groups", factor="c", members=3, matched=False)
    cells = drawn["images"][..., 0].astype(int)
    seen = ~np.isin(np.arange(120), training.held_out(dataset))
    for i, j in ((0, 1), (1, 2)):
        agree(np.bincount(cells[:, i] * 120 + cells[:, j], minlength=120**2), seen[:, None] & seen)
    first = dataset.values(drawn["images"])[:, 0]
    np.testing.assert_array_equal(drawn["value"], first[:, 2])
    assert (drawn["factor"] == 2).all()


def test_bad_groups_are_one_clear_line(numbers):
    def message(dataset, **settings):
        with pytest.raises(BadInput) as error:
            make_view(("groups", settings)).check(dataset)
        assert "\n" not in str(error.value)
        return str(error.value)

    make_view("groups").check(numbers(training=HELD_OUT[0]))
    assert "did you mean 'a'" in message(numbers(), factor="aa")
    assert "members must be a whole number ≥ 2, found 1" in message(numbers(), members=1)
    correlated = numbers(training=Correlated(pairs=("b>c",), correlation=0.5))
    assert "found training 'correlated'" in message(correlated)
