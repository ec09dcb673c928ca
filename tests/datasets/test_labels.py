import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import HeldOut, make_view
from soberlook.registry import BadInput

SIZES = np.array([3, 4, 5])


def labelled(dataset, size=1_000_000, **settings):
    """(cells, true values, labels, sizes) of what is drawn."""
    drawn = dataset.draw("labels", size, **settings)
    values = dataset.values(drawn["images"])
    cells = drawn["images"][..., 0].astype(int)
    assert drawn["labels"].dtype == np.int32
    return cells, values[..., :3], drawn["labels"], drawn["sizes"]


def examples(drawn):
    """The examples among what is drawn: their images and labels, each once."""
    return np.unique(np.concatenate([drawn["images"], drawn["labels"]], axis=1), axis=0)


@pytest.mark.parametrize("kind", ["perfect", "noisy", "binned", "permuted", "partial"])
def test_examples_are_the_same_at_all_updates_and_others_in_another_run(numbers, kind):
    settings = {"size": 4_000, "count": 20, "kind": kind, "bins": 2, "noise": 0.5}
    first, second, other = (
        numbers().draw("labels", seed=seed, run=run, **settings)
        for seed, run in ((0, 0), (1, 0), (0, 1))
    )
    assert not np.array_equal(first["images"], second["images"])
    np.testing.assert_array_equal(examples(first), examples(second))  # with their noise
    assert not np.array_equal(examples(first)[:, 0], examples(other)[:, 0])
    assert len(examples(first)) <= 20


def test_examples_are_cells_drawn_with_replacement_and_so_are_batches(numbers, agree):
    cells = labelled(numbers(), size=20_000, run=range(60), count=30)[0]
    counts = np.stack([np.bincount(run, minlength=120) for run in cells])
    times = np.round(counts / (20_000 / 30)).astype(int)  # how often a cell is an example
    assert (times.sum(axis=1) == 30).all()
    for run in range(60):
        agree(counts[run], times[run])
    agree(times.reshape(60, 12, 10).sum(axis=(0, 2)))
    # Of 120 cells, 30 drawn with replacement are 120 · (1 − (119/120)³⁰) = 26.6 different ones.
    assert (times > 0).sum(axis=1).mean() == pytest.approx(26.6, abs=0.6)


def test_perfect_labels_are_the_values_and_all_cells_can_be_labelled(numbers):
    for count in (0, 30):
        _, values, labels, sizes = labelled(numbers(), 20_000, count=count)
        np.testing.assert_array_equal(labels, values)
        assert (sizes == SIZES).all()
    everything = numbers().draw("labels", 20_000, count=0)["images"]
    np.testing.assert_array_equal(everything, numbers().draw("images", 20_000))


def test_noise_replaces_a_share_of_labels_by_any_value(numbers, agree):
    """10⁶ examples: every one has mistakes of its own."""
    _, values, labels, _ = labelled(numbers(), count=10**9, kind="noisy", noise=0.3)
    wrong = labels != values
    for axis, size in enumerate(SIZES):
        shares = np.full((size, size), 0.3 / size) + 0.7 * np.eye(size)
        agree(np.bincount(values[:, axis] * size + labels[:, axis]), shares)
    agree(
        np.bincount(wrong @ [1, 2, 4]),  # independent between factors
        [
            np.prod([p if i >> axis & 1 else 1 - p for axis, p in enumerate(0.3 * (1 - 1 / SIZES))])
            for i in range(8)
        ],
    )


def test_noise_of_a_cell_is_fixed_where_all_are_labelled(numbers):
    dataset = numbers()
    tables = []
    for run, seed in ((0, 0), (0, 1), (1, 0)):
        cells, _, labels, _ = labelled(
            dataset, 5_000, count=0, kind="noisy", noise=0.9, seed=seed, run=run
        )
        rows = np.unique(np.concatenate([cells[:, None], labels], axis=1), axis=0)
        assert len(rows) == 120  # one label a cell
        tables.append(rows)
    np.testing.assert_array_equal(tables[0], tables[1])
    assert (tables[0] != tables[2]).any()


def test_without_noise_labels_are_perfect_and_with_all_of_it_unrelated(numbers, agree):
    _, values, labels, _ = labelled(numbers(), 20_000, kind="noisy", noise=0)
    np.testing.assert_array_equal(labels, values)
    _, values, labels, _ = labelled(numbers(), 100_000, count=10**9, kind="noisy", noise=1)
    agree(np.bincount(values[:, 2] * 5 + labels[:, 2]))


@pytest.mark.parametrize("bins, expected", [(2, [0, 0, 0, 1, 1]), (3, [0, 0, 1, 1, 2])])
def test_factors_of_more_values_than_bins_have_as_many_labels(numbers, bins, expected):
    _, values, labels, sizes = labelled(numbers(), 10_000, count=0, kind="binned", bins=bins)
    np.testing.assert_array_equal(labels[:, 2], np.array(expected)[values[:, 2]])
    assert (sizes == np.minimum(SIZES, bins)).all() and (labels < sizes).all()
    if bins == 3:  # a factor of 3 values keeps them
        np.testing.assert_array_equal(labels[:, 0], values[:, 0])


@pytest.mark.parametrize("size", [6, 9, 10, 15, 18, 32, 40, 183])
def test_bins_of_real_grids_are_the_published_formula(numbers_of, size):
    """min(⌊v / (s / 5)⌋, 4), in float64 as it is published, for the sizes of real factors."""
    labeller, cells = make_view(("labels", {"kind": "binned"})), jnp.arange(2 * size)
    labels, _ = labeller._label(numbers_of((size,))(), cells, cells, None)
    expected = np.minimum(np.arange(size) // (size / 5), 4)
    np.testing.assert_array_equal(labels[:, 0], np.repeat(expected, 2))


def test_permuted_labels_are_other_names_for_the_same_values(numbers, agree):
    _, values, labels, sizes = labelled(numbers(), 1_000, run=range(600), count=0, kind="permuted")
    assert (sizes == SIZES).all()
    for axis, size in enumerate(SIZES):
        names = np.full((600, size), -1)  # of each value, in each run
        names[np.arange(600)[:, None], values[..., axis]] = labels[..., axis]
        found = np.take_along_axis(names, values[..., axis], axis=1)
        np.testing.assert_array_equal(found, labels[..., axis])  # one name a value
        assert (np.sort(names, axis=1) == np.arange(size)).all()  # and each another
        for value in range(size):
            agree(np.bincount(names[:, value], minlength=size))


def test_partial_labels_are_of_a_few_factors_the_same_for_all(numbers, agree):
    _, values, labels, _ = labelled(numbers(), 50, run=range(600), kind="partial")
    observed = (labels >= 0).all(axis=1)
    assert (observed.sum(axis=1) == 2).all()
    np.testing.assert_array_equal(labels, np.where(observed[:, None], values, -1))
    agree((~observed).sum(axis=0))


def test_held_out_cells_are_not_labelled(numbers):
    dataset = numbers(training=HeldOut(share=0.5))
    for count in (0, 10**9):
        cells = labelled(dataset, 200_000, count=count)[0]
        assert not np.isin(cells, dataset.training.held_out(dataset)).any()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"kind": "partial", "observed": 4}, "observed must be ≤ 3, the number of factors"),
        ({"kind": "few"}, "kind must be one of 'perfect', 'noisy'"),
        ({"noise": 1.5}, "noise must be a finite number ≥ 0 and ≤ 1, found 1.5"),
        ({"bins": 1}, "bins must be a whole number ≥ 2, found 1"),
        ({"counts": 1}, "did you mean 'count'"),
    ],
)
def test_bad_labels_are_one_clear_line(numbers, settings, message):
    with pytest.raises(BadInput, match=message) as error:
        make_view(("labels", settings)).check(numbers())
    assert "\n" not in str(error.value)
