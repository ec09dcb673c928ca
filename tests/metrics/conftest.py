"""Codes whose scores in the study's own metric code are recorded in reference/."""

import json
from pathlib import Path

import numpy as np
import pytest

REFERENCE = Path(__file__).parent / "reference"
SCORES = json.loads((REFERENCE / "scores.json").read_text())["scores"]
SIZES = (3, 6, 40, 32, 32)  # dSprites': shape, scale, orientation, x, y


def make_codes(name):
    """codes [737280, z] float32 over dSprites' grid; the draws stay in this order."""
    rng = np.random.RandomState(12345)
    index = np.indices(SIZES).reshape(len(SIZES), -1).T.astype(np.float64)
    size = np.asarray(SIZES, np.float64)
    z = (index - (size - 1) / 2) / np.sqrt((size**2 - 1) / 12)
    n, f = z.shape
    if name == "identity5":  # perfect, one code a factor
        codes = z
    elif name == "halfdead10":  # perfect, and five collapsed codes
        codes = np.concatenate([z, 0.01 * rng.randn(n, f)], 1)
    elif name == "noisy10":  # noisy, and five codes of pure noise
        codes = np.concatenate([z + 0.3 * rng.randn(n, f), rng.randn(n, f)], 1)
    elif name == "rotated5":  # all the information, entangled
        q, r = np.linalg.qr(rng.randn(f, f))
        codes = z @ (q * np.sign(np.diag(r))).T
    elif name == "tanhmix10":  # entangled and not linear
        codes = np.tanh(z @ (rng.randn(f, 10) / np.sqrt(f)))
        codes = codes + 0.05 * rng.randn(n, 10)
    elif name == "random10":  # no information
        codes = rng.randn(n, 10)
    elif name == "constdead10":  # perfect, and five exactly constant codes
        codes = np.concatenate([z, np.zeros((n, f))], 1)
    return codes.astype(np.float32)


@pytest.fixture(scope="session", params=sorted(SCORES))
def reference(request):
    """(name, codes, factors, recorded scores, recorded arrays) at the recorded cells."""
    arrays = np.load(REFERENCE / "cells.npz")
    cells = arrays["train_cells"]
    factors = np.stack(np.unravel_index(cells, SIZES), axis=1)
    name = request.param
    recorded = {k.removeprefix(f"{name}."): arrays[k] for k in arrays if k.startswith(name)}
    return name, make_codes(name)[cells], factors, SCORES[name], recorded
