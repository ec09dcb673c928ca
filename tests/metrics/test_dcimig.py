import json
from pathlib import Path

import numpy as np
import pytest

from soberlook.metrics import dcimig

RECORDED = json.loads((Path(__file__).parent / "reference/information.json").read_text())["scores"]


@pytest.fixture
def grid():
    """factors [600, 3] with 4, 5 and 6 values, each combination five times."""
    return np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))


def test_reference_scores(reference):
    codes, factors, *_ = reference.split
    recorded = RECORDED[reference.name]["dcimig"]
    assert dcimig(codes, factors, bins=10)["dcimig"] == pytest.approx(recorded, abs=1e-6)


def test_known_answers(grid):
    codes = grid.astype(float)
    assert dcimig(codes, grid)["dcimig"] == pytest.approx(1)
    dead = np.hstack([codes, np.full((600, 3), 0.1)])
    assert dcimig(dead, grid)["dcimig"] == pytest.approx(1)
    assert dcimig(dead[:, 3:], grid)["dcimig"] == 0
    duplicated = np.hstack([codes, codes])
    assert dcimig(duplicated, grid)["dcimig"] == pytest.approx(1)
    missed = codes[:, :2]
    assert dcimig(missed, grid)["dcimig"] == pytest.approx(np.log(4 * 5) / np.log(4 * 5 * 6))
    # One code for two factors is that of the larger, by what it knows more of it.
    both = np.stack([codes[:, 0] + 4 * codes[:, 1], codes[:, 2]], axis=1)
    assert dcimig(both, grid)["dcimig"] == pytest.approx(np.log(5 / 4 * 6) / np.log(4 * 5 * 6))
    # The best code of a factor counts, whatever its others are.
    worse = np.hstack([codes, codes[:, :1] // 2, both])
    assert dcimig(worse, grid)["dcimig"] == pytest.approx(1)
    one_factor = dcimig(codes[:, :1], grid[:, :1])["dcimig"]  # a second best of nothing
    assert one_factor == pytest.approx(1)


def test_codes_of_other_cells_know_nothing(grid):
    order = np.random.default_rng(0).permutation(600)
    assert dcimig(grid[order].astype(float), grid)["dcimig"] < 0.03


def test_runs_are_those_alone(grid):
    codes = np.random.default_rng(0).standard_normal((2, 3, 600, 4)) + grid[:, :1]
    codes[1, 2] = 0
    together = dcimig(codes, grid)["dcimig"]
    for run in np.ndindex(2, 3):
        assert together[run] == dcimig(codes[run], grid)["dcimig"]


def test_the_metric_checks_its_arrays(grid):
    with pytest.raises(ValueError, match="factors must vary, found one value in column 0"):
        dcimig(grid.astype(float), grid * [0, 1, 1])
