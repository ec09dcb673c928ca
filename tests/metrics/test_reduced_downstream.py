import numpy as np
import pytest

from soberlook.metrics import reduced_downstream

SIZES = (3, 4, 5)
CHANCE = (1 / 3 + 1 / 4 + 1 / 5) / 3


@pytest.fixture
def halves():
    rng = np.random.default_rng(0)
    return rng.integers(SIZES, size=(600, 3)), rng.integers(SIZES, size=(900, 3))


def score(codes_of, halves, **settings):
    """Accuracies without 0, 1, … codes, of codes that are a function of factors."""
    (train, test), codes = halves, [codes_of(factors.astype(float)) for factors in halves]
    found = reduced_downstream(codes[0], train, codes[1], test, **settings)
    assert list(found) == [f"reduced_downstream_{k}" for k in range(len(found))]
    return list(found.values())


def test_perfect_codes_fall_to_chance_at_one(halves):
    whole, one, two = score(lambda v: v, halves)
    assert whole == 1
    assert one == pytest.approx(CHANCE, abs=0.05) and two == pytest.approx(CHANCE, abs=0.05)


def test_codes_that_are_there_twice_fall_at_two(halves):
    found = score(lambda v: np.hstack([v, -v]), halves, dropped=3)
    assert found[:2] == [1, 1]
    assert found[2:] == pytest.approx([CHANCE, CHANCE], abs=0.05)


def test_the_most_important_code_goes_first(halves):
    """A copy that is wrong for the highest value of each factor is what remains."""
    whole, one, two = score(lambda v: np.hstack([np.minimum(v, [1, 2, 3]), v]), halves)
    # It takes one of two values for the other: right for the others and half of these two.
    expected = [np.mean(np.append(np.ones(k - 2), [0.5, 0.5])) for k in SIZES]
    assert whole == 1
    assert one == pytest.approx(np.mean(expected), abs=0.03)
    assert two == pytest.approx(CHANCE, abs=0.05)


def test_rotated_codes_leak(halves):
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    rng = np.random.default_rng(0)
    whole, one, two = score(lambda v: v @ rotation + 0.3 * rng.standard_normal(v.shape), halves)
    assert whole > one + 0.1 > two + 0.15 and one > CHANCE + 0.05


def test_without_codes_the_most_frequent_value_is_predicted(halves):
    train, test = halves
    frequent = [np.bincount(factor).argmax() for factor in train.T]
    share = np.mean(test == frequent)
    whole, one, two = score(lambda v: v[:, :1], halves)
    assert whole == pytest.approx((1 + 1 / 4 + 1 / 5) / 3, abs=0.03) and one == two == share
    assert score(lambda v: np.full_like(v, 0.1), halves) == [share] * 3


def test_codes_of_other_points_are_at_chance_throughout(halves):
    rng = np.random.default_rng(1)
    found = score(lambda v: rng.permutation(v), halves)
    assert found == pytest.approx([CHANCE] * 3, abs=0.05)


def test_arrays_are_left_alone_and_checked(halves):
    train, test = halves
    codes = train.astype(float)
    before = codes.copy()
    reduced_downstream(codes, train, test.astype(float), test, dropped=1)
    np.testing.assert_array_equal(codes, before)
    with pytest.raises(ValueError, match="codes must be finite.* column 0"):
        reduced_downstream(np.full((600, 3), np.inf), train, codes, train)
