import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from soberlook.metrics import explicitness
from soberlook.metrics.explicitness import area_under_roc

# constdead10 is identity5 and five constant codes: the study's code fails on it, and constant
# codes tell nothing.
UNDEFINED = {
    "constdead10": {"explicitness": 0.9871072086498464, "explicitness_train": 0.9885860931629681}
}


def test_reference_scores(reference):
    found = explicitness(*reference.split)
    for key, value in found.items():
        expected = reference.scores.get(key) or UNDEFINED[reference.name][key]
        assert value == pytest.approx(expected, abs=0.00076)  # evaluation noise: one sd


def test_areas_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 5, 200)
    scores = rng.random((200, 5)).round(1)  # with ties
    truth = values[:, None] == np.arange(5)
    assert area_under_roc(scores, truth) == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert area_under_roc(scores[:, :1], truth[:, :1] | True) == 0.5  # nothing to tell it from


def test_known_answers():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 2, (400, 3))
    half = np.arange(400) < 200

    def score(codes):
        return explicitness(codes[half], factors[half], codes[~half], factors[~half])[
            "explicitness"
        ]

    codes = factors.astype(float)
    assert score(codes) == 1
    assert score(codes[:, :2]) == pytest.approx((1 + 1 + 0.5) / 3, abs=0.03)  # a missed factor
    assert score(codes @ np.array([[1, 2, 3], [3, 1, 1], [0, 1, 5]])) == 1  # linear: still explicit
    assert score(0 * codes + 0.1) == 0.5
    # Which of two factors differ cannot be told by a linear classifier: exclusive or.
    assert score((codes[:, :1] + codes[:, 1:2]) % 2) == pytest.approx(0.5, abs=0.05)


def test_values_that_one_half_lacks_are_left_out():
    factors = np.arange(60).reshape(-1, 1) % 6
    codes = np.hstack([np.eye(6)[factors[:, 0]], factors])
    few, many = factors[:, 0] < 3, factors[:, 0] >= 1
    for train, test in ((few, many), (many, few)):
        found = explicitness(codes[train], factors[train], codes[test], factors[test])
        assert 0.9 < found["explicitness"] <= 1
    apart = explicitness(codes[few], factors[few], codes[~few], factors[~few])
    assert apart["explicitness"] == 0.5
