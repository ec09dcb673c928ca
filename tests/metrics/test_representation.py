"""Metrics of a whole representation, and how metrics of codes draw from it."""

from functools import partial

import numpy as np
import pytest

from soberlook import metrics
from soberlook.metrics import METRICS, Representation, compute
from soberlook.metrics.compute import draw_cells


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


def test_cells_that_were_held_out_have_numbers_of_their_own(perfect):
    kl = np.where(np.arange(24)[:, None] < 20, perfect.kl, 1.0)
    held_out = perfect._replace(kl=kl, held_out=np.arange(20, 24))
    assert metrics.reconstruction(held_out)["reconstruction_held_out"] == pytest.approx(
        np.linspace(10, 20, 24)[20:].mean()
    )
    assert metrics.kl(held_out)["kl_held_out"] == 3
    assert metrics.kl(held_out)["kl"] == pytest.approx((20 * 5 + 4 * 3) / 24)
    assert "kl_held_out" not in metrics.kl(perfect)


CODES = ("mig", "dci_1000", "sap", "beta_vae_score", "factor_vae_score")
OF_GRIDS = ("strong_generalization", "unfairness")


@pytest.mark.parametrize("name", [*CODES, *OF_GRIDS])
def test_a_nuisance_is_no_factor(name):
    """Perfect codes of the factors, and one of a nuisance: it is asked for by no metric, and as it
    varies in every draw it is in the way of none."""
    sizes, nuisances = (4, 6), (2, 5)
    values = np.indices(sizes + nuisances).reshape(4, -1).T
    codes = values[:, :3].astype(np.float64)
    run = Representation(codes, codes, codes[:, 0], sizes, codes, nuisances)
    metric = METRICS[name]._replace(points=2_000, test_points=500)
    if metric.of == "interventions":
        few = partial(METRICS[name].function, points=500, test_points=100)
        metric = metric._replace(function=few)
    (found,) = compute(metric, [run])
    best = {
        "mig": 1,
        "dci_disentanglement_1000": 1,
        "beta_vae_score": 1,
        "factor_vae_score": 1,
        "strong_generalization_gap": 0,
    }
    worst = {key: value for key, value in found.items() if key.startswith("unfairness")}
    for key in set(best) & set(found):
        assert found[key] == pytest.approx(best[key], abs=0.05), key
    assert all(value < 0.2 for value in worst.values())
    assert not any(key.endswith("_2") for key in found)
    assert run.factors(np.arange(len(values))).shape == (240, 2)


def test_metrics_of_codes_see_drawn_cells(perfect):
    (found,) = compute(METRICS["mig"], [perfect])
    assert found["mig"] == pytest.approx(1, abs=1e-3)
    assert compute(METRICS["mig"], [perfect]) == [found]
    assert compute(METRICS["mig"], [perfect], seed=1) != [found]  # other cells
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
    few = [m._replace(points=120, test_points=60) for m in METRICS.values()]
    few = [m for m in few if m.of not in ("trained", "setting")]
    computed = [compute(m, [perfect])[0] for m in few]
    after = np.random.get_state(legacy=False)["state"]
    assert after["pos"] == before["pos"] and (after["key"] == before["key"]).all()
    return computed


def test_every_metric_is_finite_and_names_of_numbers_have_one_owner(found):
    names = [key for numbers in found for key in numbers]
    assert len(names) == len(set(names))
    assert all(np.isfinite(value) for numbers in found for value in numbers.values())
    assert {"dci_disentanglement", "dci_disentanglement_1000"} <= set(names)


def runs_of(representation, count=3):
    """Runs that know less and less."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(representation.mean.shape)
    return [representation._replace(mean=representation.mean + i * noise) for i in range(count)]


@pytest.mark.parametrize("name", ["mig", "modularity", "unsupervised", "sap", "factor_vae_score"])
def test_runs_score_the_same_in_any_company(perfect, name):
    runs, metric = runs_of(perfect), METRICS[name]._replace(points=300, test_points=200)
    together = compute(metric, runs)
    assert together == [compute(metric, [run])[0] for run in runs]
    assert together[0] != together[2]


def test_a_run_that_cannot_be_scored_leaves_the_others_alone(perfect):
    runs = runs_of(perfect)
    runs[1].mean[3, 1] = np.nan
    for name in ("mig", "sap", "factor_vae_score"):
        first, bad, last = compute(METRICS[name]._replace(points=300, test_points=200), runs)
        assert isinstance(bad, ValueError) and "column 1" in str(bad)
        assert isinstance(first, dict) and isinstance(last, dict)


def test_disjoint_halves_share_no_cell():
    metric = METRICS["sap_disjoint"]
    train, test = draw_cells(metric, 24, np.random.default_rng(0))
    assert len(train) == metric.points and len(test) == metric.test_points
    assert not set(train) & set(test) and len(set(train) | set(test)) == 24
    train, test = draw_cells(METRICS["sap"], 24, np.random.default_rng(0))
    assert set(train) == set(test)  # the study's own are not disjoint on a small grid


def test_nothing_can_be_learnt_by_heart_where_cells_are_disjoint():
    """Codes that are noise, but always the same for a cell: trees know the cells they have seen."""
    mean = np.random.default_rng(0).standard_normal((100, 4))
    by_heart = Representation(mean, mean, mean[:, 0], (10, 10), mean)
    few = {"points": 1_000, "test_points": 500}
    (seen,) = compute(METRICS["dci"]._replace(**few), [by_heart])
    (unseen,) = compute(METRICS["dci_disjoint"]._replace(**few), [by_heart])
    assert seen["dci_informativeness"] > 0.9
    assert unseen["dci_informativeness_disjoint"] < 0.25


@pytest.mark.parametrize("name", ["active_units", "live_latents"])
def test_codes_that_are_not_finite_are_not_dead_ones(perfect, name):
    for bad in (np.nan, np.inf):
        perfect.mean[3, 1] = bad
        with pytest.raises(ValueError, match="representation.mean must be finite, .* in column 1"):
            METRICS[name].function(perfect)
