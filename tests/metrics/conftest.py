"""Codes whose scores in the study's own metric code are recorded in reference/."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from soberlook.metrics import Representation

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


def at(grid_codes, cells):
    """(codes, factors) of these cells of dSprites' grid."""
    return grid_codes[cells], np.stack(np.unravel_index(cells, SIZES), axis=1)


@pytest.fixture(autouse=True, scope="session")
def one_thread_of_linear_algebra():
    """NumPy and SciPy bring a pool of threads each: on few cores they wait for one another."""
    with threadpool_limits(1, "blas"):
        yield


class Reference(NamedTuple):
    """One representation of dSprites' grid at the recorded cells, with what is recorded of it."""

    name: str
    grid_codes: np.ndarray  # [737280, z]
    split: tuple  # codes, factors, test codes and test factors of 10,000 and 5,000 cells
    dci_split: tuple  # the same of the 1,000 and 500 cells that DCI saw
    scores: dict[str, float]
    arrays: dict[str, np.ndarray]

    def representation(self):
        """The grid as metrics of interventions get it; its likelihoods are not looked at."""
        nothing = np.broadcast_to(np.float32(0), self.grid_codes.shape)
        return Representation(self.grid_codes, nothing, nothing[:, 0], SIZES)


@pytest.fixture(scope="session", params=sorted(SCORES))
def reference(request):
    """Every recorded representation in turn."""
    name = request.param
    recorded = np.load(REFERENCE / "cells.npz")
    arrays = {k.removeprefix(f"{name}."): recorded[k] for k in recorded if k.startswith(name)}
    codes = make_codes(name)
    halves = ("train_cells", "test_cells", "dci_train_cells", "dci_test_cells")
    train, test, dci_train, dci_test = (at(codes, recorded[half]) for half in halves)
    splits = (*train, *test), (*dci_train, *dci_test)
    return Reference(name, codes, *splits, SCORES[name], arrays)
