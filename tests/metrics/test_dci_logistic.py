import numpy as np
import pytest
from scipy.special import entr

from soberlook.metrics import dci_logistic


@pytest.fixture
def split():
    """factors [4000, 3] of 2, 3 and 4 values, each half."""
    rng = np.random.default_rng(0)
    return [rng.integers((2, 3, 4), size=(4_000, 3)) for _ in range(2)]


def scores(split, codes_of):
    train, test = split
    rng = np.random.default_rng(1)
    found = dci_logistic(codes_of(train, rng), train, codes_of(test, rng), test)
    keys = ("disentanglement", "completeness", "informativeness")
    return [found[f"dci_logistic_{key}"] for key in keys]


def test_known_answers(split):
    assert scores(split, lambda v, rng: v * 1.0) == pytest.approx([1, 1, 1], abs=2e-3)
    assert scores(split, lambda v, rng: np.zeros(v.shape))[:2] == [0, 0]
    # Each factor in two equal codes of six.
    twice = scores(split, lambda v, rng: np.hstack([v, v]) * 1.0)
    assert twice == pytest.approx([1, 1 - np.log(2) / np.log(6), 1], abs=2e-3)


def test_weights_of_noise_are_small(split):
    def noisy(v, rng):
        noise = rng.standard_normal(v.shape)
        return np.hstack([v + 0.5 * rng.standard_normal(v.shape), noise])

    assert scores(split, noisy)[:2] == pytest.approx([1, 1], abs=0.02)


def test_rotated_codes_are_as_informative_and_entangled(split):
    turn = np.eye(3) - 2 / 3  # a mirror; squares of each row are 1/9, 4/9 and 4/9

    def rotated(v, rng):
        return (v - v.mean(axis=0)) / v.std(axis=0) @ turn

    row = 1 - entr([1 / 9, 4 / 9, 4 / 9]).sum() / np.log(3)
    assert scores(split, rotated) == pytest.approx([row, row, 1], abs=5e-3)


def test_shuffled_codes_know_nothing(split):
    d, c, accuracy = scores(split, lambda v, rng: v[rng.permutation(len(v))] * 1.0)
    assert d < 0.5 and c < 0.5  # of three codes; ratios of noise
    assert accuracy == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3, abs=0.03)


def test_bad_arrays_are_named(split):
    train, test = split
    with pytest.raises(ValueError, match="test codes must be finite"):
        dci_logistic(train * 1.0, train, test * np.nan, test)
    with pytest.raises(ValueError, match="factors must vary"):
        dci_logistic(train * 1.0, train * 0, test * 1.0, test)
