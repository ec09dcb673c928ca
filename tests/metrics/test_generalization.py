import numpy as np
import pytest

from soberlook.metrics import Representation, strong_generalization

POINTS = {"points": 800, "test_points": 800}


def score(codes_of, sizes=(4, 5, 6), seed=0, **settings):
    """Of codes that are a function of the factors of a grid."""
    codes = codes_of(np.indices(sizes).reshape(len(sizes), -1).T.astype(float))
    representation = Representation(codes, np.zeros_like(codes), codes[:, 0], sizes)
    rng = np.random.default_rng(seed)
    found = strong_generalization(representation, rng, **POINTS | settings)
    prefix = "strong_generalization_"
    return {key.removeprefix(prefix): value for key, value in found.items()}


def test_perfect_codes_lose_nothing():
    assert score(lambda v: v) == {"gap": 0, "accuracy": 1, "ordinary": 1}
    assert score(lambda v: np.pad(-v, ((0, 0), (0, 2)))) == {"gap": 0, "accuracy": 1, "ordinary": 1}


def exclusive_or(v):
    return (v[:, 0] != v[:, 1]).astype(float)


def test_what_is_learnt_under_one_value_may_be_wrong_under_all_others():
    found = score(lambda v: exclusive_or(v)[:, None], sizes=(2, 2))
    assert found["gap"] == 1 and found["accuracy"] == 0
    assert found["ordinary"] == pytest.approx(0.5, abs=0.05)
    # With a third factor of a code of its own: clamping that leaves the others at a half.
    # Strong: (0 + 1/2 + 0 + 1/2 + 1 + 1) / 6; ordinary: (1/2 + 1/2 + 1) / 3.
    found = score(lambda v: np.stack([exclusive_or(v), v[:, 2]], axis=1), sizes=(2, 2, 3))
    assert found["accuracy"] == pytest.approx(1 / 2, abs=0.03)
    assert found["ordinary"] == pytest.approx(2 / 3, abs=0.03)
    assert found["gap"] == pytest.approx(1 / 4, abs=0.05)


def test_rotated_codes_lose_much():
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0]
    found = score(lambda v: v @ rotation)
    assert found["ordinary"] > 0.95 and found["gap"] > 0.4
    assert found["gap"] == pytest.approx(1 - found["accuracy"] / found["ordinary"])


def test_noise_is_learnt_by_heart_where_cells_are_few():
    rng = np.random.default_rng(0)
    found = score(lambda v: rng.standard_normal((len(v), 3)))
    chance = (1 / 4 + 1 / 5 + 1 / 6) / 3
    assert found["accuracy"] == pytest.approx(chance, abs=0.06)
    assert found["ordinary"] > 0.9


def test_codes_that_know_nothing_have_no_gap_where_cells_are_many():
    rng = np.random.default_rng(0)
    found = score(lambda v: rng.standard_normal((len(v), 2)), sizes=(6,) * 5, points=200)
    assert found["accuracy"] == pytest.approx(1 / 6, abs=0.02)
    assert abs(found["gap"]) < 0.2


def test_constant_codes_a_single_code_and_a_single_factor():
    constant = score(lambda v: np.full_like(v, 0.1))
    assert constant["ordinary"] == pytest.approx((1 / 4 + 1 / 5 + 1 / 6) / 3, abs=0.04)
    assert abs(constant["gap"]) < 0.15
    one = score(lambda v: v[:, :1])
    assert 1 / 3 < one["accuracy"] < 1 and abs(one["gap"]) < 0.1
    assert score(lambda v: v, sizes=(5,)) == {"gap": 0, "accuracy": 1, "ordinary": 1}


def test_equal_generators_give_equal_numbers():
    def noisy(v):
        return v + np.random.default_rng(0).standard_normal(v.shape)

    first, again, other = (score(noisy, seed=seed, points=100) for seed in (0, 0, 1))
    assert first == again != other


def test_bad_codes_and_a_factor_of_one_value_are_refused():
    with pytest.raises(ValueError, match="mean must be finite.* column 2"):
        score(lambda v: np.where(np.arange(3) == 2, np.nan, v))
    with pytest.raises(ValueError, match="factors must vary"):
        score(lambda v: v, sizes=(4, 1, 3))
