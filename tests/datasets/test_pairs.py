from itertools import combinations

import numpy as np
import pytest

from soberlook.datasets import Correlated, HeldOut, make_view
from soberlook.registry import BadInput

SIZES = np.array([3, 4, 5])


def pair(dataset, **settings):
    """(values of the first, of the second, changed) of a million pairs."""
    drawn = dataset.draw("pairs", **settings)
    first, second = dataset.values(drawn["first"]), dataset.values(drawn["second"])
    np.testing.assert_array_equal(drawn["changed"], (first != second)[:, :3])
    return first, second, drawn["changed"]


@pytest.mark.parametrize("k", [1, 2])
def test_exactly_k_factors_change_each_set_and_each_other_value_as_likely(numbers, agree, k):
    first, second, changed = pair(numbers(), changed=k)
    assert (changed.sum(axis=1) == k).all()
    agree(np.bincount(changed @ [1, 2, 4], minlength=8), [bin(i).count("1") == k for i in range(8)])
    for axis, size in enumerate(SIZES):
        own = changed[:, axis]
        steps = (second - first)[own, axis] % size
        agree(np.bincount(first[own, axis] * size + steps), np.tile(np.arange(size) > 0, size))


def test_an_unknown_k_is_uniform_from_1_to_all_but_one(numbers, agree):
    _, _, changed = pair(numbers())
    k = changed.sum(axis=1)
    agree(np.bincount(k, minlength=4), [0, 1, 1, 0])
    agree(changed[k == 1].sum(axis=0))


def test_both_images_have_the_distribution_of_all(numbers, agree):
    drawn = numbers().draw("pairs")
    for name in ("first", "second"):
        agree(np.bincount(drawn[name][:, 0].astype(int), minlength=120))


def test_the_first_image_is_that_of_images_and_noise_is_the_seconds_own(numbers, noises):
    drawn = numbers().draw("pairs")
    np.testing.assert_array_equal(drawn["first"], numbers().draw("images"))
    noises(np.stack([drawn["first"], drawn["second"]], axis=1))
    assert make_view("pairs").images == 2


def test_nuisances_are_drawn_anew(numbers, agree):
    first, second, _ = pair(numbers(), changed=1)
    agree(np.bincount(2 * first[:, 3] + second[:, 3]))


def shares_that_change(k):
    """P(which change) [8], where k factors, any, are drawn anew."""
    shares = np.zeros(8)
    for chosen in map(list, combinations(range(3), k)):
        for pattern in range(8):
            moves = np.array([pattern >> axis & 1 for axis in range(3)])
            p = np.where(moves, 1 - 1 / SIZES, 1 / SIZES)[chosen].prod()
            stays = np.delete(moves, chosen)
            shares[pattern] += p * (not stays.any()) / len(list(combinations(range(3), k)))
    return shares


@pytest.mark.parametrize(
    "rule, k, mixture",
    [
        ("at_most", 1, {1: 1}),
        ("at_most", 2, {2: 1}),
        ("at_most", 0, {1: 0.5, 2: 0.5}),
        ("one_or_k", 1, {1: 1}),
        ("one_or_k", 2, {1: 0.5, 2: 0.5}),
        ("one_or_k", 0, {1: 0.75, 2: 0.25}),
    ],
)
def test_factors_that_are_drawn_anew_may_keep_their_value(numbers, agree, rule, k, mixture):
    first, second, changed = pair(numbers(), rule=rule, changed=k)
    expected = sum(share * shares_that_change(k) for k, share in mixture.items())
    agree(np.bincount(changed @ [1, 2, 4], minlength=8), expected)
    if k == 1:  # the mean of 1/3, 1/4 and 1/5
        assert 1 - changed.any(axis=1).mean() == pytest.approx(47 / 180, abs=0.002)
    for axis, size in enumerate(SIZES):
        own = changed[:, axis]
        agree(np.bincount((second - first)[own, axis] % size, minlength=size), np.arange(size) > 0)


def test_pairs_that_are_not_matched_share_nothing(numbers, agree):
    drawn = numbers().draw("pairs", changed=1, matched=False)
    cells = np.stack([drawn[name][:, 0].astype(int) for name in ("first", "second")])
    agree(np.bincount(cells[0] * 120 + cells[1], minlength=120**2))
    pair(numbers(), changed=1, matched=False)  # "changed" says which factors differ


def test_bad_pairs_are_one_clear_line(numbers):
    dataset = numbers()

    def message(dataset, **settings):
        with pytest.raises(BadInput) as error:
            make_view(("pairs", settings)).check(dataset)
        assert "\n" not in str(error.value)
        return str(error.value)

    make_view(("pairs", {"changed": 2})).check(dataset)
    assert "changed must be ≤ 2, as one of the 3 factors" in message(dataset, changed=3)
    assert "whole number ≥ 0, found -1" in message(dataset, changed=-1)
    assert "rule must be one of 'exactly', 'at_most'" in message(dataset, rule="paper")
    assert "did you mean 'changed'" in message(dataset, change=1)
    for training in (HeldOut(), Correlated(pairs=("b>c",), correlation=0.5)):
        found = message(numbers(training=training))
        assert "must be trained on all, found training" in found and training.name in found


@pytest.mark.parametrize(
    "sizes, message",
    [
        ((3, 1, 5), "factor 'b' of 'cell_numbers' has one value only and cannot change"),
        ((3,), "must share a factor, but 'cell_numbers' has one only"),
    ],
)
def test_what_cannot_change_is_refused(numbers_of, sizes, message):
    with pytest.raises(BadInput, match=message):
        make_view("pairs").check(numbers_of(sizes)())
