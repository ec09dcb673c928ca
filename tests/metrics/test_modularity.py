import numpy as np
import pytest

from soberlook.metrics import modularity

# constdead10 is identity5 and five constant codes, which count as 0. The study's code fails on it.
UNDEFINED = {"constdead10": 0.9999615678183291 / 2}


def test_reference_scores(reference):
    expected = reference.scores.get("modularity", UNDEFINED.get(reference.name))
    assert modularity(*reference.split[:2])["modularity"] == pytest.approx(expected, abs=1e-6)


def test_known_answers():
    factors = np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))
    codes = factors.astype(float)

    def score(codes):
        return modularity(codes, factors)["modularity"]

    assert score(codes) == pytest.approx(1)
    assert score(0 * codes) == 0
    assert score(codes * [1, 1, 0]) == pytest.approx(2 / 3)  # an empty code counts as 0
    assert score(codes[:, :2]) == pytest.approx(1)  # a missed factor does not count
    assert score(np.hstack([codes, codes])) == pytest.approx(1)
    # A code of two factors: I = log 4 with the one, log 5 with the other, 0 with the third.
    both = codes[:, :1] + 4 * codes[:, 1:2]
    assert score(both) == pytest.approx(1 - (np.log(4) / np.log(5)) ** 2 / 2)


def test_a_single_factor():
    factors = np.arange(20).reshape(-1, 1) // 5
    assert modularity(factors.astype(float), factors)["modularity"] == pytest.approx(1)
