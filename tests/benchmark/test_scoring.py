"""soberlook metrics FILE.npz: anybody's codes."""

import json
import re

import numpy as np
import pytest

from soberlook.benchmark.scoring import dci_minutes
from soberlook.metrics import score

SIZES = (3, 4, 5)
FEW = "--metrics", "mig,sap,irs"


@pytest.fixture
def grid():
    """Every cell's factors [60, 3]."""
    return np.indices(SIZES).reshape(3, -1).T


def save(folder, **arrays):
    file = folder / "codes.npz"
    np.savez(file, **arrays)
    return file


def test_points_as_a_table_and_as_json(soberlook, tmp_path, grid):
    file = save(tmp_path, codes=np.tile(grid, (9, 1)) * 1.0, factors=np.tile(grid, (9, 1)))
    code, shown, _ = soberlook("metrics", file, *FEW)
    assert code == 0 and "mig" in shown and "1.0000" in shown
    code, shown, _ = soberlook("metrics", file, *FEW, "--json")
    found = json.loads(shown)
    assert code == 0 and list(found) == ["mig", "sap", "irs"]
    assert found["mig"] == {"mig": pytest.approx(1)} and 0 < found["sap"]["sap"] < 1
    assert found == score(np.tile(grid, (9, 1)) * 1.0, np.tile(grid, (9, 1)), metrics=found).numbers


def test_a_grid_is_scored_as_in_a_study(soberlook, tmp_path, grid):
    file = save(tmp_path, codes=grid.astype(np.float32), factor_sizes=np.array(SIZES))
    names = ("--metrics", "factor_vae_score,mig,sap_disjoint")
    code, shown, _ = soberlook("metrics", file, *names, "--json")
    found = json.loads(shown)
    assert code == 0 and found["factor_vae_score"]["factor_vae_score"] == 1
    assert found["mig"]["mig"] > 0.99 and "sap_disjoint" in found["sap_disjoint"]
    _, other, _ = soberlook("metrics", file, *names, "--json", "--seed", "1")
    assert json.loads(other)["mig"] != found["mig"]


def test_what_cannot_be_computed_says_why_and_the_others_go_on(soberlook, tmp_path, grid):
    file = save(tmp_path, codes=grid * 1.0, factors=grid)
    names = ("--metrics", "beta_vae_score,dci_1000,iwae,mig")
    code, shown, said = soberlook("metrics", file, *names, "--json")
    assert code == 1 and list(json.loads(shown)) == ["mig"]
    assert "beta_vae_score: needs codes over a grid" in said
    assert "dci_1000: needs 1,500 points, found 60" in said


def test_continuous_factors_are_for_metrics_that_take_them(soberlook, tmp_path, grid):
    factors = grid + 0.5
    file = save(tmp_path, codes=grid * 1.0, factors=factors)
    code, shown, said = soberlook("metrics", file, "--metrics", "mig,sap_continuous", "--json")
    assert code == 1 and json.loads(shown)["sap_continuous"]["sap_continuous"] > 0.9
    assert "mig: factors must be whole numbers, found float64" in said


def test_wide_codes_say_what_they_cost(soberlook, tmp_path):
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((300, 4_096)).astype(np.float32)
    factors = rng.integers((3, 4), size=(300, 2))
    file = save(tmp_path, codes=codes, factors=factors)
    many = np.broadcast_to(codes[:1], (10_000, 4_096)), rng.integers((40, 32), size=(10_000, 2))
    assert dci_minutes(*many) > 1 > dci_minutes(codes[:, :10], factors)
    code, shown, said = soberlook("metrics", file, "--metrics", "mig,unsupervised", "--json")
    assert code == 1 and 0 <= json.loads(shown)["mig"]["mig"] < 0.1
    assert "unsupervised: joint histograms of 4,096 and 4,096 columns would take" in said


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"codes": np.eye(3)}, "expected codes and either factors or factor_sizes, found codes"),
        ({"factors": np.eye(3)}, "found factors"),
        ({"codes": np.eye(3), "factors": np.eye(4)}, "must be as long, found 3 and 4"),
        (
            {"codes": np.full((3, 2), np.nan), "factors": np.eye(3)},
            "codes must be finite.* 0",
        ),
        ({"codes": np.eye(3), "factor_sizes": [2, 2]}, "grid of 2 × 2 must have its cells"),
        ({"codes": np.eye(4), "factor_sizes": [2.0, 2]}, "factor_sizes must be whole numbers"),
        ({"codes": np.array([{}]), "factors": np.eye(1)}, "not an .npz file of plain arrays"),
        ({"codes": np.ones(3), "factors": np.arange(3)}, r"codes must be a table .* shape \(3,\)"),
    ],
)
def test_bad_files_are_one_line(soberlook, tmp_path, arrays, message):
    code, shown, said = soberlook("metrics", save(tmp_path, **arrays))
    assert code == 2 and not shown
    (line,) = said.strip().splitlines()
    assert line.startswith("error:") and re.search(message, line)


def test_files_that_are_not_there_or_no_archives(soberlook, tmp_path):
    code, _, said = soberlook("metrics", tmp_path / "none.npz")
    assert code == 2 and "expected an .npz file, found none" in said
    text = tmp_path / "text.npz"
    text.write_text("codes")
    code, _, said = soberlook("metrics", text)
    assert code == 2 and "not an .npz file of plain arrays" in said
    code, _, said = soberlook("metrics", text, "--metrics", "mgi")
    assert code == 2 and "did you mean 'mig'" in said
