import json
from pathlib import Path

import numpy as np
import pytest

from soberlook.metrics import dci_lasso
from soberlook.metrics.dci import concentration
from soberlook.metrics.dci_lasso import completeness, lasso
from soberlook.metrics.regression import standardized_split

RECORDED = json.loads((Path(__file__).parent / "reference/dci_variants.json").read_text())["scores"]


def to_unit_range(a):
    a = a - a.min(axis=0)
    return a / np.where(a.max(axis=0) > 0, a.max(axis=0), 1)


def test_scores_of_another_implementation(reference):
    # It measures in ranges, not deviations, and informativeness where it was fitted, against 1/12.
    codes, factors = (to_unit_range(part.astype(np.float64)) for part in reference.split[:2])
    penalty = 1.0 if reference.name == "random10" else 1e-4
    weights = lasso(codes, factors, penalty)
    residual = (factors - factors.mean(axis=0)) - (codes - codes.mean(axis=0)) @ weights
    recorded = RECORDED[reference.name]["lasso"]
    near = {"abs": 3e-4}  # its descent ends earlier: D of tanhmix10 is .0002 from the minimum's
    assert concentration(np.abs(weights)) == pytest.approx(recorded["disentanglement"], **near)
    assert completeness(np.abs(weights)) == pytest.approx(recorded["completeness"], **near)
    informativeness = np.maximum(1 - 12 * (residual**2).mean(axis=0), 0).mean()
    assert informativeness == pytest.approx(recorded["informativeness"], **near)


@pytest.fixture
def split():
    """Independent normal factors, 2,000 points each half."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((2_000, 3)), rng.standard_normal((2_000, 3))


def test_lasso_of_uncorrelated_codes_is_soft_thresholding():
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((500, 4))
    codes = np.linalg.qr(codes - codes.mean(axis=0))[0] * np.sqrt(500)
    factors = codes @ rng.uniform(-1, 1, (4, 2))
    inner = codes.T @ factors / 500
    expected = np.sign(inner) * np.maximum(np.abs(inner) - 0.3, 0)
    np.testing.assert_allclose(lasso(codes, factors, 0.3), expected, atol=1e-6)


def test_known_answers(split):
    train, test = split

    def scores(codes_of, **options):
        found = dci_lasso(codes_of(train), train, codes_of(test), test, **options)
        return [found[f"dci_lasso_{key}"] for key in ("disentanglement", "completeness")] + [
            found["dci_lasso_informativeness"]
        ]

    # Real factors; the error of a perfect code is what the penalty takes off its weight.
    assert scores(lambda v: 5 * v[:, ::-1] + 1) == pytest.approx([1, 1, 1 - 16 / 2_000], abs=1e-3)
    assert scores(lambda v: v, penalty=1e-6)[2] == pytest.approx(1)
    assert scores(lambda v: v[:, :1]) == pytest.approx([1, 1 / 3, (1 - 16 / 2_000) / 3], abs=1e-3)
    assert scores(lambda v: np.zeros_like(v)) == [0, 0, 0]
    # One code of two factors with equal weights, and one of the third.
    both = scores(lambda v: np.stack([v[:, 0] + v[:, 1], v[:, 2]], axis=1))
    weight = np.array([[1 / np.sqrt(2), 1 / np.sqrt(2), 0], [0, 0, 1]]) - 4 / np.sqrt(2_000)
    assert both[0] == pytest.approx(concentration(np.maximum(weight, 0)), abs=0.02)
    assert both[1] == pytest.approx(1)


def test_shuffled_codes_know_nothing(split):
    train, test = split
    order = np.random.default_rng(1).permutation(2_000)
    assert set(dci_lasso(train[order], train, test[order], test).values()) == {0}


def test_noise_needs_a_penalty_that_knows_the_number_of_points():
    rng = np.random.default_rng(0)
    split = [rng.standard_normal(shape) for shape in ((10_000, 10), (10_000, 5)) * 2]
    assert dci_lasso(*split)["dci_lasso_disentanglement"] == 0
    fixed = dci_lasso(*split, penalty=0.02)
    assert fixed["dci_lasso_disentanglement"] > 0.8
    assert fixed["dci_lasso_informativeness"] < 0.001


def test_dead_codes_change_nothing_but_the_base_of_completeness(split):
    train, test = split
    mixing = np.array([[1, 0.5, 0], [0, 1, 0.5], [0, 0, 1]])
    alive = dci_lasso(train @ mixing, train, test @ mixing, test)
    # A code may wake up after training.
    dead = np.full((2_000, 3), 0.1)
    codes, test_codes = np.hstack([dead, train @ mixing]), np.hstack([dead + 7, test @ mixing])
    found = dci_lasso(codes, train, test_codes, test)
    for key in ("dci_lasso_disentanglement", "dci_lasso_informativeness"):
        assert found[key] == pytest.approx(alive[key])
    key = "dci_lasso_completeness"
    assert (1 - found[key]) * np.log(6) == pytest.approx((1 - alive[key]) * np.log(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: np.full((9, 2), np.nan)}, "^codes must be finite"),
        ({3: np.full((9, 1), np.inf)}, "^test factors must be finite"),
        ({1: np.ones((9, 1))}, "^factors must vary"),
        ({2: np.ones((9, 3))}, "codes and test codes must have as many columns, found 2 and 3"),
        ({3: np.eye(9)[:, :2]}, "factors and test factors must have as many columns"),
        ({2: np.ones((8, 2))}, "test codes and factors must be as long, found 8 and 9"),
    ],
)
def test_bad_arrays_are_named(change, message):
    codes, factors = np.random.default_rng(0).standard_normal((9, 2)), np.arange(9.0)[:, None]
    arrays = [codes, factors, codes, factors]
    for index, array in change.items():
        arrays[index] = array
    with pytest.raises(ValueError, match=message):
        standardized_split(*arrays)
