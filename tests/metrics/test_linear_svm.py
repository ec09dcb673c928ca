"""The lines are those of scikit-learn's LinearSVC where that is left to finish."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from soberlook.metrics.linear_svm import fit_lines


@pytest.mark.parametrize("classes", [2, 3, 9])
@pytest.mark.parametrize("c", [0.01, 1.0])
def test_lines_are_those_of_liblinear(classes, c):
    rng = np.random.default_rng(classes)
    labels = rng.integers(classes, size=400) + 5
    labels[:100] = 5  # unbalanced
    codes = labels[:, None] * [1.0, -0.3, 0.0, 0.01] + rng.standard_normal((400, 4))
    codes[:, 3] *= 1000
    lines = fit_lines(codes, labels, c)
    for i, code in enumerate(codes.T):
        peer = LinearSVC(C=c, class_weight="balanced", dual=False, tol=1e-12, max_iter=100_000)
        peer.fit(code[:, None], labels)
        np.testing.assert_allclose(lines.w[i], peer.coef_[:, 0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(lines.b[i], peer.intercept_, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(lines.predict(code, i), peer.predict(code[:, None]))


def test_a_constant_code_says_one_class():
    labels = np.repeat([0, 1, 2], [10, 20, 30])
    lines = fit_lines(np.full((60, 1), 0.1), labels)
    assert np.isfinite(lines.w).all() and len(set(lines.predict(np.full(5, 0.1), 0))) == 1
