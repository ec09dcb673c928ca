import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from soberlook.metrics import METRICS, udr
from soberlook.metrics.udr import agreement, correlation, lasso

REFERENCE = Path(__file__).parent / "reference"
RECORDED = json.loads((REFERENCE / "udr.json").read_text())
SIZES = (3, 6, 40, 32, 32)  # dSprites'


def reference_run(name, cells):
    """(codes [n, 10], kl [10]) at these cells of the grid; the draws stay in this order."""
    rng = np.random.RandomState(100 + RECORDED["models"].index(name))
    index = np.stack(np.unravel_index(cells, SIZES), axis=1)
    size = np.asarray(SIZES, np.float64)
    z = (index - (size - 1) / 2) / np.sqrt((size**2 - 1) / 12)
    noise = rng.randn(np.prod(SIZES), 5)[cells]
    dead = 0.01 * rng.randn(np.prod(SIZES), 5)[cells]
    q, r = np.linalg.qr(rng.randn(5, 5))
    columns, signs = rng.permutation(10), rng.choice([-1.0, 1.0], 10)
    kl = np.array([2.0] * 5 + [0.001] * 5)
    if name.startswith("rotated"):
        z = z @ (q * np.sign(np.diag(r))).T
    elif name == "partial":  # shape below the threshold, no orientation, x and y turned by 45°
        x, y = z[:, 3] + z[:, 4], z[:, 3] - z[:, 4]
        z = np.stack([z[:, 0], z[:, 1], noise[:, 2], np.sqrt(0.5) * x, np.sqrt(0.5) * y], axis=1)
        kl[0], kl[2] = 0.009, 0.5
    codes = np.hstack([z + (0.5 if name == "noisy" else 0.05) * noise, dead])
    return (codes[:, columns] * signs).astype(np.float32), kl[columns]


@pytest.fixture(scope="module")
def reference_runs():
    """codes [6, 10000, 10] and kl [6, 10] of the recorded setting."""
    cells = np.load(REFERENCE / "cells.npz")["train_cells"]
    codes, kl = zip(*(reference_run(name, cells) for name in RECORDED["models"]), strict=True)
    return np.stack(codes), np.stack(kl)


def test_reference_scores(reference_runs):
    found = udr(*reference_runs)
    # scikit-learn's lasso ends at a gap of 1e-4, this one where nothing moves.
    np.testing.assert_allclose(found["udr_lasso"], RECORDED["lasso"]["runs"], atol=1e-4)
    np.testing.assert_allclose(found["udr_spearman"], RECORDED["spearman"]["runs"], atol=1e-7)


def test_reference_scores_of_pairs(reference_runs):
    codes, kl = reference_runs
    pairs = agreement(lasso(correlation(codes, kl > 0.01), 0.1), kl > 0.01)
    np.fill_diagonal(pairs, 0)
    np.testing.assert_allclose(pairs, RECORDED["lasso"]["pairs"], atol=1e-4)


def mixtures(m=3, n=500, z=4):
    """Runs [m, n, z] of codes that are correlated within a run and between runs."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((n, z))
    noise = 0.5 * rng.standard_normal((m, n, z))
    return shared @ rng.standard_normal((m, z, z)) + noise


def test_the_lasso_is_that_of_scikit_learn():
    codes = mixtures()
    codes = (codes - codes.mean(axis=1, keepdims=True)) / codes.std(axis=1, keepdims=True)
    found = lasso(correlation(codes, np.ones((3, 4), bool)), 0.1)
    for i in range(3):
        for j in range(3):
            model = Lasso(alpha=0.1, tol=1e-12, max_iter=100_000).fit(codes[i], codes[j])
            np.testing.assert_allclose(found[i, :, j], np.abs(model.coef_).T, atol=1e-7)


@pytest.fixture
def grid():
    """Codes [60, 3] of a whole grid: no two are correlated in the least."""
    return np.indices((3, 4, 5)).reshape(3, -1).T.astype(float)


def scores(*runs, kl=None):
    codes = np.stack(runs)
    found = udr(codes, np.ones((len(codes), codes.shape[2])) if kl is None else np.asarray(kl))
    return found["udr_lasso"], found["udr_spearman"]


def test_known_answers(grid):
    moved = 7 - 100 * grid[:, [2, 0, 1]]  # other order, sign, scale and place
    of_lasso, of_spearman = scores(grid, moved, grid)
    np.testing.assert_allclose(of_lasso, 0.9)
    np.testing.assert_allclose(of_spearman, 1)
    # One run knows the first code only. It is found in full, and of a third of the others' codes.
    first = grid * [1, 0, 0]
    of_lasso, of_spearman = scores(grid, first, kl=[[1.0, 1, 1], [1.0, 0, 0]])
    np.testing.assert_allclose(of_spearman, (1 + 1 / 3) / 2)
    np.testing.assert_allclose(of_lasso, 0.9 * (1 + 1 / 3) / 2)
    # Two codes turned by 45°: each is to equal parts in two, and a half of the strength is left.
    standard = (grid - grid.mean(axis=0)) / grid.std(axis=0)
    turned = np.stack([standard[:, 0] + standard[:, 1], standard[:, 0] - standard[:, 1]], axis=1)
    of_lasso, _ = scores(standard[:, :2], turned)
    np.testing.assert_allclose(of_lasso, (np.sqrt(0.5) - 0.1) / 2)


def test_dead_codes_and_codes_that_are_constant_do_not_matter(grid):
    rng = np.random.default_rng(0)
    codes = np.stack([grid, grid @ np.linalg.qr(rng.standard_normal((3, 3)))[0]])
    expected = scores(*codes)
    dead = np.concatenate([codes, 0.01 * rng.standard_normal((2, 60, 2))], axis=2)
    found = scores(*dead, kl=[[1, 1, 1, 0.01, 0.002]] * 2)  # the threshold itself is not above it
    np.testing.assert_allclose(found, expected, atol=1e-9)
    constant = np.concatenate([codes, np.full((2, 60, 1), 0.1)], axis=2)
    # One that claims to be informative counts, and is found nowhere.
    np.testing.assert_allclose(scores(*constant), 3 / 4 * np.array(expected), atol=1e-9)


def test_runs_without_an_informative_code_agree_with_none(grid):
    alive, dead = [1.0] * 3, [0.0] * 3
    of_lasso, of_spearman = scores(grid, grid, grid, kl=[alive, alive, dead])
    np.testing.assert_allclose(of_lasso, [0.45, 0.45, 0])  # medians of 0.9 and 0
    np.testing.assert_allclose(of_spearman, [0.5, 0.5, 0])
    for found in scores(grid, grid, kl=[dead, dead]):
        assert found.tolist() == [0, 0]


def test_codes_that_know_nothing_in_common_score_nothing():
    rng = np.random.default_rng(0)
    of_lasso, of_spearman = scores(*rng.standard_normal((4, 2_000, 5)))
    assert (of_lasso == 0).all()
    assert (of_spearman >= 0).all() and (of_spearman < 0.05).all()


def test_the_order_of_runs_codes_and_points_does_not_matter():
    codes, order = mixtures(m=4), [2, 0, 3, 1]
    expected = np.stack(scores(*codes))
    assert (expected > 0).all() and (expected < 0.8).all()
    np.testing.assert_allclose(scores(*codes[order]), expected[:, order], atol=1e-7)
    np.testing.assert_allclose(scores(*-codes[:, :, order]), expected, atol=1e-7)
    points = np.random.default_rng(1).permutation(500)
    np.testing.assert_allclose(scores(*codes[:, points]), expected, atol=1e-7)


def test_it_is_a_metric_of_a_setting():
    assert METRICS["udr"].of == "setting" and METRICS["udr"].points == 10_000


@pytest.mark.parametrize(
    ("codes", "kl", "message"),
    [
        (np.eye(3)[None], np.ones((1, 3)), "two runs at least, found one"),
        (np.ones((2, 1, 3)), np.ones((2, 3)), "two samples at least, found one"),
        (
            np.ones((2, 4, 3)),
            np.ones((2, 2)),
            "a KL of every code, found 3 and 2 columns",
        ),
        (np.ones((2, 4, 3)), np.ones((3, 3)), r"found shapes \(2, 4, 3\) and \(3, 3\)"),
        (np.ones((4, 3)), np.ones((4, 3)), r"must be \[m, n, z\]"),
        (np.full((2, 4, 3), np.nan), np.ones((2, 3)), "^codes must be finite"),
        (np.ones((2, 4, 3)), np.full((2, 3), np.inf), "^kl must be finite"),
    ],
)
def test_bad_arrays_are_named(codes, kl, message):
    # Without the annotations, which other calls are checked against, too.
    with pytest.raises(ValueError, match=message):
        getattr(udr, "__wrapped__", udr)(codes, kl)
