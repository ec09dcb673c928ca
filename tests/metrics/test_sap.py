import numpy as np
import pytest

from soberlook.metrics import sap
from soberlook.metrics.sap import predictability

NOISE = 0.00181  # one standard deviation between draws of cells


def test_reference_scores(reference):
    scores = predictability(*reference.split)
    np.testing.assert_allclose(scores, reference.arrays["sap"], atol=NOISE)
    assert sap(*reference.split)["sap"] == pytest.approx(reference.scores["sap"], abs=NOISE)


def test_known_answers():
    factors = np.tile(np.indices((2, 2, 3)).reshape(3, -1).T, (50, 1))
    # The extremes of one axis are told from the rest; its middle is left for them to win.
    codes = np.array([-10, 10, 0])[factors].astype(float)
    codes[:, 2] = factors[:, 2] - 1

    def score(codes, factors=factors):
        return sap(codes, factors, codes, factors)["sap"]

    two = factors[:, :2]
    assert score(codes[:, :2], two) == pytest.approx(0.5)  # right always, and half of the time
    assert score(codes[:, [0, 1, 0, 1]], two) == pytest.approx(0)
    assert score(0 * codes) == 0
    assert score(codes[:, :1], two[:, :1]) == pytest.approx(1)  # a second best of nothing
    assert score(codes[:, [0]], two) == pytest.approx((1 + 0.5) / 2)
    assert 0.2 < score(codes) < 0.6
