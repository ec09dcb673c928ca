import json
from pathlib import Path

import numpy as np
import pytest

from soberlook.metrics import jemmig

RECORDED = json.loads((Path(__file__).parent / "reference/information.json").read_text())["scores"]
H = np.log([4, 5, 6])  # of the grid's factors


@pytest.fixture
def grid():
    """factors [600, 3] with 4, 5 and 6 values, each combination five times."""
    return np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))


def numbers(nats):
    """What a JEMMIG of so many nats a factor gives with 20 bins."""
    score = np.mean(1 - np.asarray(nats) / (H + np.log(20)))
    return pytest.approx({"jemmig": score, "jemmig_nats": np.mean(nats)})


def test_reference_scores(reference):
    codes, factors, *_ = reference.split
    recorded = RECORDED[reference.name]["jemmig"]
    assert jemmig(codes, factors, bins=10)["jemmig"] == pytest.approx(recorded, abs=1e-6)


def test_known_answers(grid):
    codes = grid.astype(float)
    assert jemmig(codes, grid) == numbers([0, 0, 0])
    dead = np.hstack([codes, np.full((600, 3), 0.1)])
    assert jemmig(dead, grid) == numbers([0, 0, 0])
    assert jemmig(dead[:, 3:], grid) == numbers(H)  # not the worst score
    duplicated = np.hstack([codes, codes])
    assert jemmig(duplicated, grid) == numbers(H)  # the gap is 0
    # What a code says beyond its factor counts against it.
    both = np.stack([codes[:, 0] + 4 * codes[:, 1], codes[:, 2]], axis=1)
    assert jemmig(both, grid) == numbers([np.log(5), np.log(4), 0])
    # What it lacks of it, too: half of the first factor.
    halved = np.stack([codes[:, 0] // 2, codes[:, 1], codes[:, 2]], axis=1)
    assert jemmig(halved, grid) == numbers([np.log(2), 0, 0])
    one_code = codes[:, :1]  # a second best of nothing, and two joint entropies
    assert jemmig(one_code, grid) == numbers([0, np.log(4 * 5), np.log(4 * 6)])


def test_of_codes_that_know_as_much_the_least_wordy_one_is_the_factors(grid):
    codes = np.stack([grid[:, 0] + 4 * grid[:, 1], grid[:, 0], grid[:, 2]], axis=1).astype(float)
    expected = numbers([np.log(4), np.log(4), 0])  # the first factor is in both: the gap is 0
    assert jemmig(codes, grid) == expected
    assert jemmig(codes[:, ::-1].copy(), grid) == expected


def test_noise_scores_less_than_constants(grid):
    noise = np.random.default_rng(0).standard_normal((600, 3))
    assert jemmig(noise, grid)["jemmig"] < 0.2
    constant = jemmig(np.zeros((600, 3)), grid)["jemmig"]
    assert constant == pytest.approx(np.mean(np.log(20) / (H + np.log(20))))


def test_codes_of_other_cells_know_nothing(grid):
    codes = grid.astype(float)
    order = np.random.default_rng(0).permutation(600)
    shuffled = jemmig(codes[order], grid)
    assert shuffled["jemmig"] < 0.4 and shuffled["jemmig_nats"] > 2.5


def test_runs_are_those_alone(grid):
    codes = np.random.default_rng(0).standard_normal((2, 3, 600, 4)) + grid[:, :1]
    codes[1, 2] = 0
    together = jemmig(codes, grid)
    for run in np.ndindex(2, 3):
        alone = jemmig(codes[run], grid)
        assert {key: float(values[run]) for key, values in together.items()} == alone


def test_the_metric_checks_its_arrays(grid):
    with pytest.raises(ValueError, match="must be two samples at least, found one"):
        jemmig(grid[:1].astype(float), grid[:1])
