"""What the README says is so."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from soberlook import models, results
from soberlook.benchmark.listing import model_rows

AS_SHIPPED = True

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def block(containing, language="python"):
    """The one fenced block with this text in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return found


def test_the_two_commands_are_whole_lines():
    assert block("run quick\n", "sh").splitlines()[0] == (
        "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/soberlook run quick"
    )
    line = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
    assert block("pytest", "sh").strip() == line
    assert "grep -m1 '^python3 .*/pytest$' README.md" in (ROOT / ".ci" / "run").read_text()


def test_the_model_runs_and_the_query_answers(tmp_path, monkeypatch, soberlook, capsys):
    monkeypatch.chdir(tmp_path)
    Path("capacity_vae.py").write_text(block("@register"))
    command = block("--plugin", "sh").split()[1:]
    code, _, said = soberlook(*command, "--seeds", "1", "--updates", "20")
    assert code == 0, said
    try:
        exec(block("results.load"), {})
        printed = capsys.readouterr().out
        assert re.search(r"^0\.5 ", printed, flags=re.MULTILINE) and "mig" in printed
        runs = results.load("runs/quick")
        assert sorted(runs.query("model == 'capacity_vae'").capacity) == [2, 5, 8]
        code, shown, said = soberlook(*shlex.split(block("soberlook query", "sh"))[1:])
        assert code == 0 and "mig_median" in shown, said
    finally:
        models.MODELS.pop("capacity_vae", None)


def test_the_metrics_measure(tmp_path, monkeypatch, soberlook):
    monkeypatch.chdir(tmp_path)
    program = [sys.executable, "-c", block("import mig")]
    result = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert 0.8 < float(re.search(r"[\d.]+", result.stdout)[0]) <= 1, result.stderr
    assert "irs" in result.stdout
    command = block("soberlook metrics", "sh").split()[1:]
    code, shown, said = soberlook(*command)
    assert code == 0 and {"mig", "sap", "dci", "irs"} <= set(json.loads(shown)), said


def test_the_map_shows_every_folder_and_pictures_are_there():
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert folders == set(re.findall(r"^\| `(\w+)/` \|", README, flags=re.MULTILINE))
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).stat().st_size > 0


def test_every_model_is_listed_as_it_is():
    head = "| model | paper | needs | sweep |"
    expected = [head, "|---|---|---|---|"]
    for name, paper, needs, strength, values, _ in model_rows():
        swept = f"`{strength}` {values}" if strength else ""
        expected.append(f"| `{name}` | {paper} | {needs} | {swept} |")
    start = README.index(head)
    listed = README[start : README.index("\n\n", start)].splitlines()
    assert listed == expected, "it should be:\n" + "\n".join(expected)
