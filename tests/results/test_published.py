"""The published tables open, and the findings are what the command says of them."""

import re
from pathlib import Path

import pytest

from soberlook import results
from soberlook.results.report import write_findings

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"−?-?\d[\d,]*\.?\d*")


@pytest.fixture(scope="module")
def runs():
    return results.load(DOCS / "sober_small")


def test_the_published_tables_are_a_whole_study(runs):
    assert len(runs) == 1_440 == runs["run_id"].nunique()
    grid = runs.groupby(["dataset", "model"])[["strength", "seed"]].nunique()
    assert len(grid) == 4 * 6 and (grid["strength"] == 6).all() and (grid["seed"] == 10).all()
    assert runs["git_revision"].nunique() == runs["jax"].nunique() == 1
    scores = ["mig", "sap", "modularity", "factor_vae_score", "dci_disentanglement_1000"]
    done = runs[runs["status"] == "done"]
    assert done[[*scores, "kl", "reconstruction", "mig_rotated"]].notna().all(axis=None)
    assert done[scores].stack().between(0, 1).all()
    size = sum(path.stat().st_size for path in (DOCS / "sober_small").rglob("*"))
    assert size < 5e6


def test_the_findings_are_what_the_command_says():
    """Word by word; numbers to a unit of their last digits, which other libraries may move."""
    kept, said = (DOCS / "findings.md").read_text(), write_findings(DOCS / "sober_small")
    kept, said = (re.sub(r"`soberlook findings .*?`", "", text) for text in (kept, said))
    assert NUMBER.sub("#", kept) == NUMBER.sub("#", said)
    for one, other in zip(NUMBER.findall(kept), NUMBER.findall(said), strict=True):
        first, second = (float(n.replace(",", "").replace("−", "-")) for n in (one, other))
        assert first == pytest.approx(second, rel=0.02, abs=0.011), (one, other)
