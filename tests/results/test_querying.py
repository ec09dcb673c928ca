"""What docs/querying says is so, and its notebook runs."""

import json
import re
import shlex
from pathlib import Path

import pytest
import run_notebook

from soberlook.results.aggregate import HOW
from soberlook.results.query import conditions

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "querying.md").read_text()
NOTEBOOK = DOCS / "querying.ipynb"


def blocks(language):
    """The fenced blocks of a language, or of none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def test_the_notebook_runs(small_store):
    notebook = run_notebook.run(json.loads(NOTEBOOK.read_text()), small_store)
    kinds = [
        output["output_type"] for cell in notebook["cells"] for output in cell.get("outputs", [])
    ]
    assert kinds.count("display_data") == 1 and kinds.count("execute_result") == 4


def test_the_notebook_shows_what_its_cells_show():
    cells = [c for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "code"]
    shown = [output for cell in cells for output in cell["outputs"]]
    pictures = [output for output in shown if "image/png" in output.get("data", {})]
    assert all(cell["outputs"] for cell in cells[1:]) and len(pictures) == 1
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not re.search(r"/tmp/|/home/|/root/|/work/", NOTEBOOK.read_text())
    assert NOTEBOOK.stat().st_size < 300_000


@pytest.mark.parametrize("line", blocks("sh")[0].splitlines())
def test_the_commands_work(soberlook, small_store, line):
    words = [small_store if word.startswith("runs/") else word for word in shlex.split(line)[1:]]
    code, shown, said = soberlook(*words)
    assert code == 0 and shown, said


def test_the_conditions_are_conditions_and_the_calls_work(small_store):
    for line in blocks("")[0].splitlines():
        assert conditions(line)
    code = re.sub(r'"runs/[^"]*"', repr(str(small_store)), blocks("python")[0])
    names = {}
    exec(code, names)
    assert set(names["runs"]["model"]) == {"beta_vae"} and set(names["rows"]["metric"]) > {"mig"}


def test_every_aggregate_is_said():
    assert all(f"`{name}`" in TEXT for name in HOW)
