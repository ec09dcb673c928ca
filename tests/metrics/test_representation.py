"""Metrics of a whole representation, and how metrics of codes draw from it."""

import numpy as np
import pytest

from soberlook import metrics
from soberlook.metrics import METRICS, Representation, compute


@pytest.fixture
def perfect():
    """Two factors, three latents: one code a factor and one that has collapsed."""
    factors = np.indices((4, 6)).reshape(2, -1).T
    mean = np.hstack([factors, np.full((24, 1), 0.1)]).astype(float)
    kl = np.tile([2.0, 3.0, 0.0], (24, 1))
    return Representation(mean, kl, np.linspace(10, 20, 24), (4, 6), mean)


def test_numbers_of_a_known_representation(perfect):
    assert metrics.reconstruction(perfect) == {"reconstruction": 15}
    assert metrics.kl(perfect) == {"kl": 5, "kl_0": 2, "kl_1": 3, "kl_2": 0}
    assert metrics.active_units(perfect) == {"active_units": 2}


def test_metrics_of_codes_see_drawn_cells(perfect):
    found = compute(METRICS["mig"], perfect, np.random.default_rng(0))
    assert found["mig"] == pytest.approx(1, abs=1e-3)
    again = compute(METRICS["mig"], perfect, np.random.default_rng(0))
    assert found == again
    cells = np.arange(24)
    assert perfect.factors(cells).tolist() == np.indices((4, 6)).reshape(2, -1).T.tolist()


@pytest.fixture
def found(perfect, monkeypatch):
    """The numbers of every metric, from few points, while nothing may read the global generator."""

    def poisoned(*_, **__):
        raise AssertionError("the global generator was read")

    for name in ("rand", "randn", "randint", "random", "choice", "permutation", "shuffle"):
        monkeypatch.setattr(np.random, name, poisoned)
    # scikit-learn reads it through another door, where only the state tells.
    before = np.random.get_state(legacy=False)["state"]
    few = [m._replace(points=300, test_points=200) for m in METRICS.values()]
    computed = [compute(m, perfect, np.random.default_rng(0)) for m in few]
    after = np.random.get_state(legacy=False)["state"]
    assert after["pos"] == before["pos"] and (after["key"] == before["key"]).all()
    return computed


def test_every_metric_is_finite_and_names_of_numbers_have_one_owner(found):
    names = [key for numbers in found for key in numbers]
    assert len(names) == len(set(names))
    assert all(np.isfinite(value) for numbers in found for value in numbers.values())
    assert {"dci_disentanglement", "dci_disentanglement_1000"} <= set(names)
