import numpy as np
import pytest
from scipy.stats import entropy

from soberlook.metrics import med
from soberlook.metrics.dci import row_concentration
from soberlook.metrics.med import selected

# The formulas of DCI as its reference code has them, a small number for zeros included.


def disentanglement(importance):
    rows = 1 - entropy(importance.T + 1e-11, base=importance.shape[1])
    return np.average(rows, weights=importance.sum(axis=1))


@pytest.fixture
def grid():
    """factors [600, 3] with 4, 5 and 6 values, each combination five times."""
    return np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))


def test_recorded_information_gives_the_scores(reference):
    codes, factors, *_ = reference.split
    information = reference.arrays["mutual_information"]
    importance = information / information.sum(axis=0)
    found = med(codes, factors)
    assert found["med"] == pytest.approx(disentanglement(importance), abs=1e-6)
    assert found["med_completeness"] == pytest.approx(disentanglement(importance.T), abs=1e-6)


def test_known_answers(grid):
    codes = grid.astype(float)
    perfect = {"med": 1, "med_completeness": 1, "med_top1": 1}
    assert med(codes, grid) == pytest.approx(perfect)
    constant = np.full((600, 3), 0.1)
    assert med(np.hstack([codes, constant]), grid) == pytest.approx(perfect)
    assert med(constant, grid) == {"med": 0, "med_completeness": 0, "med_top1": 0}
    duplicated = med(np.hstack([codes, codes]), grid)
    half = 1 - np.log(2) / np.log(6)  # a factor in two of six codes
    assert duplicated == pytest.approx({"med": 1, "med_completeness": half, "med_top1": 1})
    # Shares [1, 1, 0] and [0, 0, 1]: the first code has two thirds of the weight.
    both = np.stack([codes[:, 0] + 4 * codes[:, 1], codes[:, 2]], axis=1)
    third = 2 / 3 * (1 - np.log(2) / np.log(3)) + 1 / 3
    expected = {"med": third, "med_completeness": 1, "med_top1": third}
    assert med(both, grid) == pytest.approx(expected)
    # All factors count alike, whatever their entropies, and an unknown one does not.
    halved = np.stack([codes[:, 0] // 2, codes[:, 1]], axis=1)
    assert med(halved, grid) == pytest.approx(perfect)
    one_code = med(codes[:, :1] + 4 * codes[:, 1:2], grid)
    assert one_code["med_completeness"] == pytest.approx(1)
    assert med(codes + codes[:, :1], grid[:, :1])["med"] == pytest.approx(1)


def test_the_best_codes_of_a_wide_representation(grid):
    codes = grid.astype(float)
    mixed = np.stack([codes[:, 0] + 4 * codes[:, 1], codes[:, 1] + 5 * codes[:, 2]], axis=1)
    wide = np.hstack([mixed, codes])
    found = med(wide, grid)
    assert found["med"] < 0.9 and found["med_top1"] == pytest.approx(1)
    twice = med(wide, grid, top=2)
    assert twice["med_top2"] < 0.9 and "med_top1" not in twice
    assert med(wide, grid, top=5)["med_top5"] == pytest.approx(found["med"])


def test_selected():
    importance = np.array(
        [[5, 1, 0], [9, 0, 0], [0, 2, 1], [0, 0, 0], [0, 3, 0], [7, 0, 0], [2, 2, 2]], float
    )
    # The first factor has codes 0, 1, 3, 5 and 6; those of one factor only are 1, 4 and 5.
    assert selected(importance, 1).tolist() == [False, True, False, False, True, False, False]
    assert selected(importance, 2).tolist() == [False, True, True, False, True, True, False]
    assert selected(importance, 3).tolist() == [True, True, True, False, True, True, False]
    assert selected(np.stack([importance, 0 * importance]), 2)[0].sum() == 4
    assert row_concentration(importance)[[1, 3]].tolist() == [1, 0]
    assert row_concentration(importance)[6] == pytest.approx(0)


def test_codes_of_other_cells_know_nothing(grid):
    rng = np.random.default_rng(0)
    noise = med(rng.standard_normal((6000, 5)), np.tile(grid, (10, 1)))
    assert max(noise.values()) < 0.03


def test_runs_are_those_alone(grid):
    codes = np.random.default_rng(0).standard_normal((2, 3, 600, 4)) + grid[:, :1]
    codes[1, 2] = 0
    together = med(codes, grid)
    for run in np.ndindex(2, 3):
        alone = med(codes[run], grid)
        assert {key: float(values[run]) for key, values in together.items()} == alone


def test_the_metric_checks_its_arguments(grid):
    with pytest.raises(ValueError, match="factors must be a table"):
        med(grid.astype(float), grid[:, :0])
    with pytest.raises(ValueError, match="top must be 1 at least, found 0"):
        med(grid.astype(float), grid, top=0)
