import json
from pathlib import Path

import numpy as np
import pytest

from soberlook.metrics import dci_forest

RECORDED = json.loads((Path(__file__).parent / "reference/dci_variants.json").read_text())["scores"]
# Cross-validation there ends trees of noisy codes earlier than these, and shows those of mixtures a
# part of the codes at a time.
NEAR = {"noisy10": 0.05, "tanhmix10": 0.1, "rotated5": 0.03}


def test_scores_of_another_implementation(reference):
    codes, factors = (part[:2_000] for part in reference.split[:2])
    found = dci_forest(codes, factors, codes, factors, leaf=1)
    for key in ("disentanglement", "completeness"):
        expected = RECORDED[reference.name]["forest"][key]
        near = pytest.approx(expected, abs=NEAR.get(reference.name, 0.01))
        assert found[f"dci_forest_{key}"] == near, key


@pytest.fixture
def split():
    """Independent uniform factors, 1,000 points each half."""
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (1_000, 3)), rng.uniform(-1, 1, (1_000, 3))


def test_codes_of_one_factor_each_need_not_be_linear(split):
    train, test = split
    found = dci_forest(train**5, train, test**5, test)
    assert found["dci_forest_disentanglement"] == pytest.approx(1, abs=0.01)
    assert found["dci_forest_completeness"] == pytest.approx(1, abs=0.01)
    assert found["dci_forest_informativeness"] > 0.99


def test_shuffled_codes_know_nothing(split):
    train, test = split
    order = np.random.default_rng(1).permutation(1_000)
    found = dci_forest(train[order], train, test[order], test)
    assert found["dci_forest_disentanglement"] < 0.03
    assert found["dci_forest_completeness"] < 0.03
    assert found["dci_forest_informativeness"] == 0


def test_too_few_points_to_split_score_0(split):
    train, test = split
    assert set(dci_forest(train[:39], train[:39], test, test).values()) == {0}
    assert dci_forest(train[:39], train[:39], test, test, leaf=1)["dci_forest_disentanglement"] > 0


def test_equal_seeds_agree_and_leave_the_global_generator_alone(split):
    train, test = split
    mixed, test_mixed = train @ np.ones((3, 3)) + train, test @ np.ones((3, 3)) + test
    state = np.random.get_state()[1].copy()
    first, again, other = (
        dci_forest(mixed, train, test_mixed, test, seed=seed) for seed in (0, 0, 1)
    )
    assert (np.random.get_state()[1] == state).all()
    assert first == again != other
    for key, value in other.items():
        assert value == pytest.approx(first[key], abs=0.05)
