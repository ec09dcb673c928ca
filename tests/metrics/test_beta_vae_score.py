import numpy as np
import pytest

from soberlook.metrics import Representation, beta_vae_score


def test_reference_scores(reference):
    found = beta_vae_score(reference.representation(), np.random.default_rng(0))
    for key, points in (("beta_vae_score", 5_000), ("beta_vae_score_train", 10_000)):
        recorded = reference.scores[key]
        # Draws differ: their spread over five draws of tanhmix10, or that of counting.
        noise = max(9e-5, np.sqrt(recorded * (1 - recorded) / points))
        assert found[key] == pytest.approx(recorded, abs=3 * noise)


def over_grid(codes, sizes):
    nothing = np.zeros_like(codes)
    return Representation(codes, nothing, nothing[:, 0], sizes)


def test_known_answers():
    sizes = (8, 9, 10)
    factors = np.indices(sizes).reshape(3, -1).T.astype(np.float32)

    def score(codes):
        found = beta_vae_score(
            over_grid(codes, sizes), np.random.default_rng(0), points=2_000, test_points=2_000
        )
        return found["beta_vae_score"]

    assert score(factors) == 1
    assert score(0 * factors) == pytest.approx(1 / 3, abs=0.05)
    # Two factors in codes of their own and one in none: still the one whose code does not move.
    assert score(factors[:, :2]) == pytest.approx(1, abs=0.01)
    # One factor in a code: that one is told from the other two, they are not from one another.
    assert score(factors[:, :1]) == pytest.approx(2 / 3, abs=0.05)


def test_one_generator_one_score():
    codes = np.random.default_rng(1).standard_normal((60, 2))
    draws = [
        beta_vae_score(over_grid(codes, (6, 10)), np.random.default_rng(seed), points=300)
        for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]
