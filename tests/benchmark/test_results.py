"""`soberlook query` and `compare`, through the command line."""

import json

import pandas as pd
import pytest

from soberlook import results


def test_a_query_is_a_table(soberlook, small_store):
    code, shown, said = soberlook(
        "query", small_store, "--where", "model == 'beta_vae' and beta <= 4", "--by", "beta"
    )
    assert code == 0 and "6 runs" in said
    header, *rows = shown.splitlines()
    assert header.split() == ["beta", "runs", "mig_median"] and len(rows) == 3
    medians = results.load(small_store).groupby("beta")["mig"].median()
    assert rows[0].split() == ["0.25", "2", f"{medians[0.25]:.4g}"]


def test_a_query_is_csv_or_json(soberlook, small_store, tmp_path):
    asked = ("query", small_store, "--by", "model,beta", "--metric", "mig,kl", "--agg", "mean,ci")
    _, shown, _ = soberlook(*asked, "--csv")
    (tmp_path / "shown.csv").write_text(shown)
    frame = pd.read_csv(tmp_path / "shown.csv")
    columns = ["model", "beta", "runs", "mig_mean", "mig_median", "mig_low", "mig_high"]
    assert frame.columns.tolist()[:7] == columns and len(frame) == 4
    means = results.load(small_store).groupby("beta")["mig"].mean()
    assert frame["mig_mean"].tolist() == means.tolist()  # every digit
    _, shown, _ = soberlook(*asked, "--json")
    found = json.loads(shown)
    assert found[0]["mig_low"] is None and found[0]["mig_mean"] == means.iloc[0]
    for name in ("a/b.csv", "c.json"):
        code, written, _ = soberlook(*asked, "--out", tmp_path / name)
        assert code == 0 and written == ""
    assert (tmp_path / "a" / "b.csv").read_text() == (tmp_path / "shown.csv").read_text()
    assert json.loads((tmp_path / "c.json").read_text()) == found


def test_a_query_of_nothing_is_an_empty_table(soberlook, small_store):
    code, shown, said = soberlook("query", small_store, "--where", "mig > 2", "--by", "beta")
    assert code == 0 and "0 runs" in said and len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "__import__('os').system('touch x')"), "character 11: expected and, or, or"),
        (("--where", "bta == 1"), "unknown column 'bta': did you mean 'beta'?"),
        (("--where", "model > 3"), "model is text: expected text to compare it with, found 3"),
        (("--by", "bta"), "unknown column 'bta': did you mean 'beta'?"),
        (("--metric", "mgi"), "unknown column 'mgi': did you mean 'mig'?"),
        (("--agg", "avg"), "unknown aggregate 'avg': "),
        (("--csv", "--json"), "--csv and --json exclude each other"),
        (("--out", "x.txt"), "--out must be a file that ends in .csv or .json, found 'x.txt'"),
    ],
)
def test_a_query_that_is_wrong_is_one_line(
    soberlook, small_store, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    code, shown, said = soberlook("query", small_store, *arguments)
    assert code == 2 and shown == "" and message in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_line(soberlook, small_store, tmp_path):
    (tmp_path / "x.csv").mkdir()
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "x.csv", tmp_path / "file" / "x.csv"):
        code, _, said = soberlook("query", small_store, "--out", place)
        assert code == 2 and "--out must be a file to write, " in said and said.count("\n") == 1


def test_medians_without_an_interval_are_explained(soberlook, small_store):
    _, _, said = soberlook("query", small_store, "--by", "beta", "--agg", "ci")
    assert "8 runs; an interval takes six seeds or more that differ" in said
    _, _, said = soberlook("query", small_store, "--where", "mig > 2", "--agg", "ci")
    assert said.strip() == "0 runs"


def test_what_is_missing_is_left_empty(capsys):
    from soberlook.benchmark.cli_results import show

    show(pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [None, 2.5]}))
    _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split() for row in rows] == [["1"], ["2.5"]]
