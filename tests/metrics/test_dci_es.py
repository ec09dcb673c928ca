import numpy as np
import pytest

from soberlook.metrics import dci_es
from soberlook.metrics.dci_es import explicitness, loss_capacity_curve


def test_explicitness_of_known_curves():
    falling = np.linspace(1, 0, 5)
    at_once = np.full(5, 0.3)
    at_last = np.array([1, 1, 1, 1, 0])
    half = np.linspace(1, 0.5, 5)
    found = explicitness(np.stack([falling, at_once, at_last, half], axis=1))
    np.testing.assert_allclose(found, [0, 1, -1 + 1 / 4, 0.5])


@pytest.fixture
def split():
    """Independent uniform factors, 2,000 and 1,000 points."""
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (2_000, 2)), rng.uniform(-1, 1, (1_000, 2))


def scores(split, codes_of, **options):
    train, test = split
    found = dci_es(codes_of(train), train, codes_of(test), test, **options)
    return [found[f"dci_es_{key}"] for key in ("explicitness", "informativeness", "size")]


def test_linear_codes_are_explicit(split):
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((2, 2)))[0]
    assert scores(split, lambda v: v) == pytest.approx([1, 1, 1], abs=1e-5)
    assert scores(split, lambda v: 9 * v @ turn - 4) == pytest.approx([1, 1, 1], abs=1e-5)
    assert scores(split, lambda v: np.hstack([v, v])) == pytest.approx([1, 1, 0.5], abs=1e-5)
    assert scores(split, lambda v: np.pad(v, ((0, 0), (0, 3))))[2] == pytest.approx(2 / 5)


def test_the_more_codes_are_bent_the_less_explicit_they_are(split):
    def spiral(turns):
        def codes(v):  # the angle turns with the radius
            radius, angle = 2 + v[:, 0], np.pi * v[:, 1] * 0.9 + turns * v[:, 0]
            return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

        return codes

    e = [scores(split, spiral(turns)) for turns in (0, 2, 4)]
    assert 1 > e[0][0] > e[1][0] > e[2][0] > -1
    assert e[0][1] > 0.9  # all of it can be read


def test_codes_that_know_nothing_are_explicit_about_it(split):
    order = np.random.default_rng(1).permutation
    shuffled = scores(split, lambda v: v[order(len(v))])
    assert shuffled == pytest.approx([1, 0, 1], abs=0.01)
    assert scores(split, lambda v: np.ones((len(v), 4))) == [1, 0, 0.5]


def test_the_curve_is_that_of_least_squares_and_falls(split):
    train, test = ((part - split[0].mean(axis=0)) / split[0].std(axis=0) for part in split)
    codes, test_codes = np.sin(3 * train), np.sin(3 * test)
    codes, test_codes = codes - codes.mean(axis=0), test_codes - codes.mean(axis=0)
    loss = loss_capacity_curve(codes, train, test_codes, test)
    assert (np.diff(loss, axis=0) <= 0).all()
    linear = test_codes @ np.linalg.lstsq(codes, train, rcond=None)[0]
    expected = ((test - linear) ** 2).sum(axis=0) / ((test - test.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(loss[0], expected, atol=1e-3)


def test_seeds_and_dead_codes_hardly_matter(split):
    def bent(v):
        return np.tanh(3 * v @ np.array([[1, 0.5], [-0.5, 1]]))

    first = scores(split, bent)
    assert 0.3 < first[0] < 0.99
    assert scores(split, bent, seed=1) == pytest.approx(first, abs=0.02)
    dead = scores(split, lambda v: np.pad(bent(v), ((0, 0), (3, 0))))
    assert dead[:2] == pytest.approx(first[:2], abs=1e-9)
