import numpy as np
import pytest

from soberlook.results.multiplicity import false_discovery_rate, holm


def test_holm_by_hand():
    # Four questions: .01 × 4, .02 × 3, .03 × 2, .04 × 1, and none below the one before.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1, 1]


def test_false_discoveries_by_hand():
    # p × m / rank, and none above the one after: .01 × 4 / 1, .02 × 4 / 2, .03 × 4 / 3, .5.
    assert false_discovery_rate([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.04, 0.04])


@pytest.mark.parametrize("adjust", [holm, false_discovery_rate])
def test_what_was_not_asked_does_not_count(adjust):
    p = np.array([[0.01, np.nan, 0.2], [np.nan, 0.03, np.nan]])
    found = adjust(p)
    assert found.shape == p.shape and (np.isnan(found) == np.isnan(p)).all()
    assert found[~np.isnan(p)] == pytest.approx(adjust([0.01, 0.2, 0.03]))
    assert adjust([]).shape == (0,) and np.isnan(adjust([np.nan])).all()
    assert adjust([0.04]).tolist() == [0.04]


def test_both_hold_what_they_promise():
    rng = np.random.default_rng(0)
    none = rng.random((2_000, 15))  # nothing to be found
    assert np.mean([(holm(p) < 0.05).any() for p in none]) == pytest.approx(0.05, abs=0.015)
    mixed = np.concatenate([none, rng.random((2_000, 15)) * 0.003], axis=1)  # half are true
    found = np.array([false_discovery_rate(p) < 0.05 for p in mixed])
    false = found[:, :15].sum(axis=1) / np.maximum(found.sum(axis=1), 1)
    assert false.mean() == pytest.approx(0.025, abs=0.01)  # .05 × the share that is not
