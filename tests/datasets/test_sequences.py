import numpy as np
import pytest

from soberlook.datasets import HeldOut, make_view
from soberlook.registry import BadInput


def sequence(dataset, **settings):
    """(values [b, t + 1, axes], actions [b, t])."""
    drawn = dataset.draw("sequences", **settings)
    return dataset.values(drawn["images"]), drawn["actions"]


@pytest.mark.parametrize(
    "factors, axes, still", [((), [0, 1, 2], False), (("c", "a"), [2, 0], True)]
)
def test_images_are_where_the_actions_lead(numbers, factors, axes, still):
    values, actions = sequence(numbers(), factors=factors, still=still)
    assert values.shape == (1_000_000, 6, 4) and actions.shape == (1_000_000, 5)
    assert set(np.unique(actions)) == set(range(2 * len(axes) + still))
    for t in range(5):
        expected = values[:, t].copy()
        for j, axis in enumerate(axes):
            expected[:, axis] += actions[:, t] == 2 * j
            expected[:, axis] -= actions[:, t] == 2 * j + 1
        np.testing.assert_array_equal(values[:, t + 1], expected % (3, 4, 5, 2))


def test_actions_are_uniform_and_independent(numbers, agree):
    values, actions = sequence(numbers(), factors=(), still=False)
    agree(np.bincount(actions[:, 0] * 6 + actions[:, 1]))
    start = np.ravel_multi_index(values[:, 0].T, (3, 4, 5, 2))
    agree(np.bincount(start * 6 + actions[:, 0], minlength=120 * 6))
    end = np.ravel_multi_index(values[:, 5].T, (3, 4, 5, 2))
    agree(np.bincount(end, minlength=120))  # cyclic: all cells stay as likely


def test_opposite_actions_undo_each_other_and_a_cycle_ends_where_it_began(numbers):
    values, actions = sequence(numbers(), factors=("c",))
    undone = (actions[:, 0] ^ 1) == actions[:, 1]
    np.testing.assert_array_equal(values[undone, 2], values[undone, 0])
    cycle = (actions == 0).all(axis=1)
    assert cycle.sum() > 10_000
    np.testing.assert_array_equal(values[cycle, 5], values[cycle, 0])


def test_what_is_not_named_stays(numbers):
    values, _ = sequence(numbers(), factors=("c",))
    for axis in (0, 1, 3):
        assert (values[..., axis] == values[:, :1, axis]).all()


def test_the_first_image_is_that_of_images_and_noise_is_each_ones_own(numbers, noises):
    images = numbers().draw("sequences", factors=("c",))["images"]
    np.testing.assert_array_equal(images[:, 0], numbers().draw("images"))
    noises(images)
    assert make_view(("sequences", {"steps": 3})).images == 4


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"factors": ("bb",)}, "unknown factor of cell_numbers 'bb': did you mean 'b'"),
        ({"factors": ("b", "b")}, "factor 'b' is named 2 times"),
        ({"steps": 0}, "steps must be a whole number ≥ 1, found 0"),
        ({"still": 1}, "still must be true or false, found 1"),
    ],
)
def test_bad_sequences_are_one_clear_line(numbers, settings, message):
    with pytest.raises(BadInput, match=message) as error:
        make_view(("sequences", settings)).check(numbers())
    assert "\n" not in str(error.value)


def test_sequences_need_all_cells(numbers):
    with pytest.raises(BadInput, match="must be trained on all, found training 'held_out'"):
        make_view("sequences").check(numbers(training=HeldOut()))
