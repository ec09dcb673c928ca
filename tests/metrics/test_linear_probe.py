import numpy as np
import pytest

from soberlook.metrics import linear_probe
from soberlook.metrics.linear_probe import probe

KEYS = [f"linear_probe_{labels}" for labels in (10, 100, 1000, "all")]


@pytest.fixture
def split():
    """factors of 2, 3 and 5 values, 2,000 and 1,000 points."""
    rng = np.random.default_rng(0)
    return [rng.integers((2, 3, 5), size=(n, 3)) for n in (2_000, 1_000)]


def scores(split, codes_of):
    train, test = split
    rng = np.random.default_rng(1)
    found = linear_probe(codes_of(train, rng), train, codes_of(test, rng), test)
    assert list(found) == KEYS
    return np.array(list(found.values()))


def test_linear_codes_are_read_from_few_labels_whatever_their_axes(split):
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]
    aligned = scores(split, lambda v, rng: v * 1.0)
    np.testing.assert_allclose(aligned[1:], 1, atol=0.02)
    assert 0.5 < aligned[0] < 0.9
    np.testing.assert_allclose(scores(split, lambda v, rng: v @ turn)[1:], 1, atol=0.02)


def test_more_labels_are_better(split):
    found = scores(split, lambda v, rng: v + 0.4 * rng.standard_normal(v.shape))
    assert (np.diff(found) > 0).all()


def test_shuffled_codes_know_nothing(split):
    found = scores(split, lambda v, rng: v[rng.permutation(len(v))] * 1.0)
    np.testing.assert_allclose(found, (1 / 2 + 1 / 3 + 1 / 5) / 3, atol=0.03)


def test_orientation_of_perfect_codes(reference):
    if reference.name != "identity5":
        return
    codes, factors, test_codes, test_factors = reference.split
    one = slice(2, 3)
    found = linear_probe(codes, factors[:, one], test_codes, test_factors[:, one])
    # Forty values; ten labels know ten of them at most.
    assert found["linear_probe_10"] < 0.25
    assert found["linear_probe_1000"] == pytest.approx(0.43, abs=0.02)
    assert found["linear_probe_all"] > 0.9


def test_labels_that_miss_values():
    codes = np.linspace(-1, 1, 60)[:, None]
    factor = np.repeat([0, 1, 2], 20)
    one = probe(codes[:10], factor[:10], codes)  # labels of 0 only
    assert (one == 0).all()
    two = probe(codes[10:30], factor[10:30], codes)
    assert set(two) == {0, 1}
    assert (two == factor)[:40].mean() > 0.9
    # One value until the last fifth, which chooses the penalty.
    assert set(probe(codes[12:22], factor[12:22], codes)) <= {0, 1}


def test_fewer_points_than_labels_are_all_used(split):
    train, test = (part[:60] for part in split)
    found = linear_probe(train * 1.0, train, test * 1.0, test)
    assert found["linear_probe_100"] == found["linear_probe_1000"] == found["linear_probe_all"]
    tiny = linear_probe(train[:3] * 1.0, np.array([[0], [1], [1]]), test * 1.0, test[:, :1])
    assert 0 <= tiny["linear_probe_all"] <= 1


def test_bad_arrays_are_named(split):
    train, test = split
    with pytest.raises(ValueError, match="^codes must be finite"):
        linear_probe(train * np.nan, train, test * 1.0, test)
    with pytest.raises(ValueError, match="^test factors must vary"):
        linear_probe(train * 1.0, train, test * 1.0, 0 * test)
