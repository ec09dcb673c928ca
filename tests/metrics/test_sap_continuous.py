import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from soberlook.metrics import sap_continuous

PATH = Path(__file__).parent / "reference/sap_continuous.json"
RECORDED = json.loads(PATH.read_text())["sap_continuous"]


def test_reference_scores(reference):
    codes, factors, *_ = reference.split
    recorded = RECORDED[reference.name]
    assert sap_continuous(codes, factors)["sap_continuous"] == pytest.approx(recorded, abs=1e-9)


def score(codes, factors):
    return sap_continuous(codes, factors)["sap_continuous"]


@pytest.fixture
def grid():
    """factors [120, 3] with 4, 5 and 6 values, each combination once, so without correlation."""
    return np.indices((4, 5, 6)).reshape(3, -1).T


def test_known_answers(grid):
    codes = grid.astype(float)
    assert score(codes, grid) == pytest.approx(1)
    assert score(-3 * codes[:, ::-1] + 7, grid) == pytest.approx(1)
    assert score(np.hstack([codes, np.full((120, 2), 0.1)]), grid) == pytest.approx(1)
    assert score(np.hstack([codes, codes]), grid) == pytest.approx(0)
    assert score(codes[:, :2], grid) == pytest.approx(2 / 3)
    assert score(codes[:, :1], grid) == pytest.approx(1 / 3)  # a second best of nothing
    assert score(np.zeros((120, 1)), grid) == score(np.zeros((120, 4)), grid) == 0
    # A rotation by 30° of two standardised factors: R² 3/4 and 1/4 for either.
    a, b = ((codes - codes.mean(axis=0)) / codes.std(axis=0))[:, :2].T
    sine, cosine = 1 / 2, np.sqrt(3) / 2
    rotated = np.stack([cosine * a - sine * b, sine * a + cosine * b], axis=1)
    assert score(rotated, grid[:, :2]) == pytest.approx(1 / 2)


def test_scores_are_r2_of_linear_regressions():
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((300, 2))  # real numbers
    codes = factors @ rng.standard_normal((2, 3)) + rng.standard_normal((300, 3))
    r2 = [[LinearRegression().fit(c[:, None], f).score(c[:, None], f) for c in codes.T]
          for f in factors.T]  # fmt: skip
    ranked = np.sort(r2, axis=1)
    assert score(codes, factors) == pytest.approx((ranked[:, -1] - ranked[:, -2]).mean())


def test_a_code_of_tiny_variance_predicts_nothing(grid):
    codes = (grid - grid.mean(axis=0)) / grid.std(axis=0, ddof=1)
    assert score(1.01e-6 * codes, grid) == pytest.approx(1)
    assert score(0.99e-6 * codes, grid) == 0


def test_codes_of_other_cells_know_nothing():
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((2_000, 3))
    assert score(factors[rng.permutation(2_000)], factors) < 0.01


def test_runs_are_those_alone(grid):
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((2, 3, 120, 4)) + grid[:, :1]
    codes[1, 2] = 0
    together = sap_continuous(codes, grid)["sap_continuous"]
    for run in np.ndindex(2, 3):
        assert together[run] == pytest.approx(score(codes[run], grid), abs=1e-12)


def test_the_metric_checks_its_arrays(grid):
    with pytest.raises(ValueError, match="codes must be finite"):
        score(np.full((120, 2), np.nan), grid)
    with pytest.raises(ValueError, match="factors must be finite.* column 1"):
        score(grid, grid * [1, np.nan, 1])
    with pytest.raises(ValueError, match="factors must vary, found one value in column 1"):
        score(grid, grid * [1, 0, 1])
