import numpy as np
import pytest

from soberlook.metrics import Representation, abstract_reasoning
from soberlook.metrics.abstract_reasoning import codes_of_levels

SIZES = (4, 8, 4, 4, 4)  # so many cells that codes of noise are not learnt by heart
FACTORS = np.indices(SIZES).reshape(5, -1).T.astype(np.float32)
SMALL = {"edge_widths": (24,), "graph_widths": (24,), "test_points": 1_600, "learning_rate": 1e-2}


def over_grid(codes, sizes=SIZES):
    nothing = np.zeros_like(codes)
    return Representation(codes, nothing, nothing[:, 0], sizes)


def accuracy(codes, steps=30, seed=0, sizes=SIZES, **options):
    rng = np.random.default_rng(seed)
    found = abstract_reasoning(over_grid(codes, sizes), rng, steps=[steps], **SMALL | options)
    assert list(found) == [f"abstract_reasoning_accuracy_{steps}"]
    return found[f"abstract_reasoning_accuracy_{steps}"]


def standard(factors=FACTORS):
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


def test_perfect_codes_are_reasoned_with_and_codes_that_know_nothing_are_not():
    noise = np.random.default_rng(0).standard_normal(FACTORS.shape).astype(np.float32)
    elsewhere = np.random.default_rng(1).permutation(standard())  # the same, at other cells
    assert accuracy(standard(), steps=600) > 0.45
    for codes in noise, elsewhere, np.full_like(noise, 0.1):
        chance = pytest.approx(1 / 6, abs=4 * np.sqrt(1 / 6 * 5 / 6 / SMALL["test_points"]))
        assert accuracy(codes, steps=600) == chance


def test_one_generator_one_number_and_no_other_randomness():
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    draws = [accuracy(standard(), seed=seed) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert (np.random.get_state()[1] == before).all()


def test_a_longer_training_goes_on_from_a_shorter_one():
    rng = np.random.default_rng(0)
    found = abstract_reasoning(over_grid(standard()), rng, steps=[30, 0, 10], **SMALL)
    assert [key.split("_")[-1] for key in found] == ["0", "10", "30"]
    assert found["abstract_reasoning_accuracy_30"] == accuracy(standard())


def test_dropout_is_for_training_alone():
    assert accuracy(standard(), steps=0, dropout=0.5) == accuracy(standard(), steps=0)
    assert accuracy(standard(), dropout=0.5) != accuracy(standard())


def test_units_do_not_matter():
    assert accuracy(standard() * 1024) == accuracy(standard())
    assert 0 <= accuracy(standard() * 1e30) <= 1


def test_factors_of_many_values_are_seen_at_few():
    cells = np.arange(len(FACTORS), dtype=np.float32)[:, None]
    seen, levels = codes_of_levels(over_grid(cells), 4)
    assert levels == (4, 4, 4, 4, 4)
    factors = np.indices(levels).reshape(5, -1) * [[1], [2], [1], [1], [1]]  # ⌊v · 8 / 4⌋ = 2 v
    expected = np.ravel_multi_index(factors, SIZES)
    expected = (expected - expected.mean()) / expected.std()
    np.testing.assert_allclose(seen[:, 0], expected, rtol=1e-5)
    assert codes_of_levels(over_grid(cells), (3, 5, 2, 4, 9))[1] == (3, 5, 2, 4, 4)
    # What is not seen does not matter, nor does a factor of one value.
    unseen = FACTORS[:, 1:2] % 2 == 1
    codes = standard() - standard()[~unseen[:, 0]].mean(axis=0)
    number = accuracy(codes)
    assert accuracy(np.where(unseen, 1e6, codes).astype(np.float32)) == number
    assert accuracy(codes, sizes=(4, 1, 8, 4, 4, 4)) == number


def test_collapsed_codes_stay_small_and_constant_ones_are_nothing():
    wide, collapsed = 5 * standard()[:, :1], 0.05 * standard()[:, 1:2]
    constant = np.full_like(wide, 0.1)
    seen, _ = codes_of_levels(over_grid(np.hstack([wide, collapsed, constant])), 8)
    np.testing.assert_allclose(seen.std(axis=0), [1, 0.01, 0], rtol=1e-5)
    assert (seen[:, 2] == 0).all()


def test_bad_input():
    for sizes, reason in (
        ((96,), "2 factors that vary at least, found 1"),
        ((96, 1), "2 factors that vary at least, found 1"),
        ((2, 2), "5 wrong answers, factors of 2, 2 values have 2"),
    ):
        codes = np.zeros((int(np.prod(sizes)), 2))
        with pytest.raises(ValueError, match=reason):
            accuracy(codes, sizes=sizes)
    with pytest.raises(ValueError, match="mean must be finite.* column 1"):
        accuracy(np.where(np.arange(5) == 1, np.nan, FACTORS))
    with pytest.raises(ValueError, match="values must be 2 at least"):
        accuracy(FACTORS, values=1)
    with pytest.raises(ValueError, match="alternatives must be easy or hard"):
        accuracy(FACTORS, alternatives="simple")
    with pytest.raises(ValueError, match="steps must be 0 or more"):
        accuracy(FACTORS, steps=-1)
    with pytest.raises(ValueError, match="edge_widths must be one at least"):
        accuracy(FACTORS, edge_widths=())
    with pytest.raises(ValueError, match="training must not diverge"):
        accuracy(standard(), learning_rate=1e30)
