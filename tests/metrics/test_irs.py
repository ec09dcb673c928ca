import json
from pathlib import Path

import numpy as np
import pytest

from soberlook.metrics import irs
from soberlook.metrics.irs import irs_matrix

RECORDED = json.loads((Path(__file__).parent / "reference/irs.json").read_text())["scores"]


@pytest.fixture
def grid():
    """factors [600, 3] with 4, 5 and 6 values, each combination five times."""
    return np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))


def test_reference_scores(reference):
    codes, factors, *_ = reference.split
    recorded = RECORDED[reference.name]
    assert irs(codes, factors)["irs"] == pytest.approx(recorded["irs"], abs=1e-6)
    matrix = irs_matrix(codes, factors)
    constant = np.ptp(codes, axis=0) == 0
    np.testing.assert_allclose(matrix[~constant], recorded["irs_matrix"], atol=1e-6)
    assert (matrix[constant] == 0).all()


def test_the_papers_maximum_gives_the_scores_of_another_implementation(reference):
    codes, factors, *_ = reference.split
    found = irs(codes.astype(np.float64), factors, bins=40, quantile=1.0)["irs"]
    assert found == pytest.approx(RECORDED[reference.name]["irs_of_maxima"], abs=1e-6)


def test_known_answers(grid):
    codes = grid.astype(float)
    assert irs(codes, grid)["irs"] == pytest.approx(1)
    dead = np.hstack([codes, np.full((600, 3), 0.1)])
    assert irs(dead, grid)["irs"] == pytest.approx(1)
    assert irs(dead[:, 3:], grid)["irs"] == 0
    assert (irs_matrix(dead[:, 3:], grid) == 0).all()
    assert irs(np.hstack([codes, codes]), grid)["irs"] == pytest.approx(1)
    assert irs(codes[:, :1], grid)["irs"] == pytest.approx(1)
    assert irs(codes[:, :1], grid[:, :1])["irs"] == pytest.approx(1)


def test_deviations_and_their_weights(grid):
    # The sum of two factors strays by 1.5 + 2, by 2 if the first is known, by 1.5 if the second.
    mixed = (grid[:, 0] + grid[:, 1]).astype(float)
    codes = np.stack([mixed, 10.0 * grid[:, 2]], axis=1)  # the second strays by 25
    expected = [[1 - 2 / 3.5, 1 - 1.5 / 3.5, 0], [0, 0, 1]]
    np.testing.assert_allclose(irs_matrix(codes, grid, quantile=1.0), expected, atol=1e-12)
    score = (3.5 * (1 - 1.5 / 3.5) + 25) / (3.5 + 25)
    assert irs(codes, grid, quantile=1.0)["irs"] == pytest.approx(score)


def test_factors_of_many_values_are_binned():
    factors = np.tile(np.arange(40), 10)[:, None]
    codes = factors.astype(float)
    assert irs(codes, factors, bins=40)["irs"] == pytest.approx(1)
    # Pairs of neighbours: half a step from their mean, of 19.5 at most.
    assert irs(codes, factors)["irs"] == pytest.approx(1 - 0.5 / 19.5)


def test_below_zero():
    """Two values far apart, one of them rare given either value of the factor."""
    factors = np.repeat([[0], [1]], 100, axis=0)
    codes = np.where(np.arange(200) % 100 < 4, 1.0, -1.0)[:, None] * np.where(factors, 1, -1)
    assert irs(codes, factors)["irs"] == pytest.approx(1 - 1.92)


def test_codes_of_other_cells_know_nothing(grid):
    order = np.random.default_rng(0).permutation(600)
    assert irs(grid[order].astype(float), grid)["irs"] < 0.15


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_runs_are_those_alone(grid, dtype):
    codes = np.random.default_rng(0).standard_normal((2, 3, 600, 4)) + grid[:, :1]
    codes[1, 2] = 0
    codes = codes.astype(dtype)
    together = irs(codes, grid)["irs"]
    for run in np.ndindex(2, 3):
        assert together[run] == irs(codes[run], grid)["irs"]


def test_the_metric_checks_its_arrays(grid):
    with pytest.raises(ValueError, match="codes must be finite.* column 2"):
        irs(np.where(np.arange(3) == 2, np.inf, grid), grid)
