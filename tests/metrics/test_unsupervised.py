import numpy as np
import pytest

from soberlook.metrics import unsupervised

# constdead10 is identity5 and five constant codes, which are independent of everything; the
# study's code takes the logarithm of their variance.
UNDEFINED = {"constdead10": {"gaussian_total_correlation": 0.0008544060775660025}}


def test_reference_scores(reference):
    expected = UNDEFINED.get(reference.name, {}) | reference.scores
    for key, value in unsupervised(*reference.split[:2]).items():
        assert value == pytest.approx(expected[key], abs=1e-6), key


def measured(codes):
    return unsupervised(codes, np.arange(len(codes)).reshape(-1, 1))


def test_two_correlated_codes():
    # Signs of equal variance with correlation r: 3 of 4 agree, so r = ½.
    codes = np.array([[1, 1], [-1, -1]] * 3 + [[1, -1], [-1, 1]], float)
    variance = 8 / 7  # of ±1, with n − 1
    found = measured(codes)
    assert found["gaussian_total_correlation"] == pytest.approx(-0.5 * np.log(1 - 0.5**2))
    w = variance * (4 - 2 * (np.sqrt(1.5) + np.sqrt(0.5)))
    assert found["gaussian_wasserstein_correlation"] == pytest.approx(w)
    assert found["gaussian_wasserstein_correlation_norm"] == pytest.approx(w / (2 * variance))
    information = np.log(2) + 0.75 * np.log(0.75) + 0.25 * np.log(0.25)
    assert found["mutual_information_score"] == pytest.approx(information)


def test_edges():
    codes = np.indices((5, 5)).reshape(2, -1).T.astype(float)
    independent = measured(codes)
    assert all(value == pytest.approx(0, abs=1e-12) for value in independent.values())
    nothing = dict.fromkeys(independent, 0)
    assert measured(codes[:, :1]) == pytest.approx(nothing)
    assert measured(0 * codes + 0.1) == nothing
    assert measured(np.full((25, 1), 0.1)) == nothing
    twice = measured(np.hstack([codes, 2 * codes[:, :1]]))
    assert twice["gaussian_total_correlation"] == np.inf
    assert 0 < twice["gaussian_wasserstein_correlation_norm"] < 1


def test_total_correlation_forgets_scales():
    codes = np.random.default_rng(0).standard_normal((200, 3)) @ np.array(
        [[1, 1, 0], [0, 1, 1], [0, 0, 1]]
    )
    scaled = measured(codes * [1, 1e6, 1e-6])["gaussian_total_correlation"]
    assert scaled == pytest.approx(measured(codes)["gaussian_total_correlation"], rel=1e-9)
