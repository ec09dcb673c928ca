import numpy as np
import pytest

from soberlook.metrics import METRICS, dci
from soberlook.metrics.dci import concentration


def test_reference_scores(reference):
    found = dci(*reference.dci_split)
    for key, value in found.items():
        assert value == pytest.approx(reference.scores[f"{key}_1000"], abs=0.01), key


def test_reference_scores_at_the_studys_size(reference):
    """Recorded for one representation: it takes the reference four minutes."""
    if reference.name != "noisy10":
        pytest.skip("recorded for noisy10 only")
    recorded = {
        "dci_disentanglement": 0.6123008322643564,
        "dci_completeness": 0.5608514736776289,
        "dci_informativeness": 0.42088,
        "dci_informativeness_train": 0.74338,
    }
    assert dci(*reference.split) == pytest.approx(recorded, abs=0.01)


def test_recorded_importance_gives_the_recorded_scores(reference):
    importance = reference.arrays["dci_importance"]
    recorded = {k: reference.scores[f"dci_{k}_1000"] for k in ("disentanglement", "completeness")}
    assert concentration(importance) == pytest.approx(recorded["disentanglement"], abs=1e-8)
    assert concentration(importance.T) == pytest.approx(recorded["completeness"], abs=1e-8)


def test_known_importances():
    assert concentration(np.eye(10)) == pytest.approx(1)
    assert concentration(np.ones((4, 3))) == pytest.approx(0)
    assert concentration(np.zeros((4, 3))) == 0
    dead = np.vstack([np.eye(3), np.zeros((2, 3))])
    assert concentration(dead) == pytest.approx(1)  # codes of no importance have no weight
    assert concentration(dead.T) == pytest.approx(1)
    both = np.zeros((9, 10))  # one code for two factors, of ten: that code's share is 2 in 10
    both[0, :2] = 1
    both[np.arange(1, 9), np.arange(2, 10)] = 1
    assert concentration(both) == pytest.approx(1 - 0.2 * np.log(2) / np.log(10))
    assert concentration(both.T) == pytest.approx(1)
    assert concentration(np.ones((3, 1))) == 1  # a single factor
    assert concentration(np.ones((1, 3)).T) == 1  # a single code is all a factor can be in


def test_two_sizes_have_two_names():
    assert METRICS["dci"].points == 10_000 and METRICS["dci"].test_points == 5_000
    small = METRICS["dci_1000"]
    assert small.points == 1_000 and small.test_points == 500
    assert METRICS["dci"].function is small.function is dci
