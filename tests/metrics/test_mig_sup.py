import json
from pathlib import Path

import numpy as np
import pytest

from soberlook.metrics import mig_sup
from soberlook.metrics.information import discretize, entropy, mutual_information
from soberlook.metrics.mig_sup import gaps

RECORDED = json.loads((Path(__file__).parent / "reference/information.json").read_text())["scores"]


@pytest.fixture
def grid():
    """factors [600, 3] with 4, 5 and 6 values, each combination five times."""
    return np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))


def test_recorded_information_gives_the_score(reference):
    codes, factors, *_ = reference.split
    shares = np.sort(reference.arrays["mutual_information"] / entropy(factors), axis=1)
    gap = shares[:, -1] - shares[:, -2]
    found = mig_sup(codes, factors)
    assert found["mig_sup"] == pytest.approx(gap.mean(), abs=1e-6)
    active = codes.std(axis=0) > 0.1
    assert active.sum() == {"constdead10": 5, "halfdead10": 5}.get(reference.name, len(active))
    assert found["mig_sup_active"] == pytest.approx(gap[active].mean(), abs=1e-6)


def test_another_divisor_gives_the_recorded_score(reference):
    """The entropy of the binned code: what the second implementation divides by."""
    codes, factors, *_ = reference.split
    binned = discretize(codes, 10)
    of_codes, recorded = entropy(binned), RECORDED[reference.name]["mig_sup"]
    if recorded is None:
        assert (of_codes == 0).any()
    else:
        information = mutual_information(binned, factors) / of_codes[:, None]
        assert gaps(information).mean() == pytest.approx(recorded, abs=1e-6)


def test_known_answers(grid):
    codes = grid.astype(float)
    assert mig_sup(codes, grid) == pytest.approx({"mig_sup": 1, "mig_sup_active": 1})
    duplicated = np.hstack([codes, codes])
    assert mig_sup(duplicated, grid) == pytest.approx({"mig_sup": 1, "mig_sup_active": 1})
    missed = codes[:, :2]  # not noticed
    assert mig_sup(missed, grid) == pytest.approx({"mig_sup": 1, "mig_sup_active": 1})
    dead = np.hstack([codes, np.full((600, 3), 0.1)])
    assert mig_sup(dead, grid) == pytest.approx({"mig_sup": 0.5, "mig_sup_active": 1})
    assert mig_sup(dead[:, 3:], grid) == {"mig_sup": 0, "mig_sup_active": 0}
    both = np.stack([codes[:, 0] + 4 * codes[:, 1], codes[:, 2]], axis=1)
    assert mig_sup(both, grid)["mig_sup"] == pytest.approx(1 / 2)
    # Half of a factor's values: I = log 2 of H = log 4.
    halved = np.stack([codes[:, 0] // 2, codes[:, 1], codes[:, 2]], axis=1)
    assert mig_sup(halved, grid)["mig_sup"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    one_factor = mig_sup(codes[:, :1], grid[:, :1])  # a second best of nothing
    assert one_factor == pytest.approx({"mig_sup": 1, "mig_sup_active": 1})


def test_codes_of_other_cells_know_nothing(grid):
    order = np.random.default_rng(0).permutation(600)
    assert mig_sup(grid[order].astype(float), grid)["mig_sup"] < 0.03


def test_runs_are_those_alone(grid):
    codes = np.random.default_rng(0).standard_normal((2, 3, 600, 4)) * [1, 1, 0.01, 1] + grid[:, :1]
    codes[1, 2] = 0
    together = mig_sup(codes, grid)
    for run in np.ndindex(2, 3):
        alone = mig_sup(codes[run], grid)
        assert {key: float(values[run]) for key, values in together.items()} == alone


def test_the_metric_checks_its_arrays(grid):
    with pytest.raises(ValueError, match="factors must vary, found one value in column 1"):
        mig_sup(grid.astype(float), grid * [1, 0, 1])
