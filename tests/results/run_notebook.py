"""Run a notebook's cells in order, and keep what they show in it:

    python tests/results/run_notebook.py docs/querying.ipynb [STORE]

Of STORE, if given, the results are taken that it shows, whatever its first cell says. Knows no
Jupyter: what is printed, the value of a last line that does not end in ";", and figures.
"""

import ast
import base64
import contextlib
import io
import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402
import pandas as pd  # noqa: E402


def run(notebook: dict, store: str | Path | None = None) -> dict:
    """The notebook with the outputs of its cells; `store` replaces the `where` of its first."""
    names, count = {}, 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        count += 1
        cell["execution_count"] = count
        cell["outputs"] = list(_outputs("".join(cell["source"]), names, count))
        if count == 1 and store is not None:
            names["where"] = str(store)
    return notebook


def _outputs(source, names, count):
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if last else None
    if text := printed.getvalue():
        yield {"name": "stdout", "output_type": "stream", "text": text.splitlines(True)}
    if value is not None and not source.rstrip().endswith(";"):
        result = {"execution_count": count, "metadata": {}, "output_type": "execute_result"}
        yield result | {"data": _shown(value)}
    for number in plt.get_fignums():
        content = io.BytesIO()
        plt.figure(number).savefig(content, format="png", dpi=80, bbox_inches="tight", metadata={})
        png = base64.b64encode(content.getvalue()).decode()
        yield {"data": {"image/png": png}, "metadata": {}, "output_type": "display_data"}
    plt.close("all")


def _shown(value):
    if not isinstance(value, pd.DataFrame):
        return {"text/plain": repr(value).splitlines(True)}
    texts = {"text/plain": value.to_string(), "text/html": value.to_html()}
    return {kind: text.splitlines(True) for kind, text in texts.items()}


def main():
    """Run a file and write it."""
    path, store = Path(sys.argv[1]), (sys.argv[2:] or [None])[0]
    notebook = run(json.loads(path.read_text()), store)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
