"""Codes with known regressions on each other, and which latents live."""

import numpy as np
import pytest

from soberlook.metrics import Representation, latent_predictability, live_latents


def predictability(codes):
    return latent_predictability(codes, np.zeros((codes.shape[-2], 1), int))[
        "latent_predictability"
    ]


def test_regressions():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2_000, 5))
    z[:, 1] += 2 * z[:, 0] - z[:, 2]
    z = np.float32(z)
    expected = []
    for i in range(5):
        others = np.delete(np.float64(z), i, axis=1)
        others = np.hstack([others, np.ones((2_000, 1))])
        residual = z[:, i] - others @ np.linalg.lstsq(others, z[:, i])[0]
        expected.append(1 - residual.var() / z[:, i].var())
    assert predictability(z) == pytest.approx(np.mean(expected), abs=1e-6)


def test_a_pair_with_correlation_9():
    z = np.random.default_rng(0).standard_normal((1_000, 2))
    z = np.linalg.qr(z - z.mean(axis=0))[0] @ [[1, 0.9], [0, np.sqrt(0.19)]]
    assert predictability(z) == pytest.approx(0.81)
    dead = np.hstack([z, np.full((1_000, 3), 0.1)])
    assert predictability(dead) == pytest.approx(0.81)
    runs = np.stack([dead, np.hstack([z, z, z[:, :1]]), np.zeros((1_000, 5))])
    np.testing.assert_allclose(predictability(runs), [0.81, 1, 0], atol=1e-7)
    assert predictability(z[:, :1]) == 0


def test_live_latents():
    mean = np.array([[0.1, 0.5, 0.3], [0.1, 0.55, 0.9], [0.1, 0.71, 0.2]])
    run = Representation(mean, mean, mean[:, 0], (1, 3, 1, 1))
    assert live_latents(run) == {"live_latents": 2, "live_latents_per_factor": 0.5}
    assert live_latents(run, threshold=0.5)["live_latents"] == 1
