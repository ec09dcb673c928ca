import re

import numpy as np
import pandas as pd
import pytest

from soberlook import results
from soberlook.results.report import render, write_report
from soberlook.results.store import Store
from soberlook.results.summary import extremes, labelled, summarize, symbol


@pytest.fixture
def runs():
    """Two strengths, three seeds; one run diverged."""
    frame = pd.DataFrame({"strength": [1.0] * 3 + [4.0] * 3, "seed": [0, 1, 2] * 2})
    frame["mig"] = [0.1, 0.2, 0.3, 0.5, 0.9, np.nan]
    frame["kl"], frame["reconstruction"] = 10 - frame["strength"], 10 + frame["strength"]
    frame["run_id"] = [f"r{i}" for i in range(6)]
    frame["setting"] = frame["strength"].map("s{:g}".format)
    frame["status"], frame["reason"] = ["done"] * 5 + ["diverged"], [""] * 5 + ["it <blew> up"]
    fixed = {"dataset": "d", "model": "m", "strength_name": "lambda_od", "updates": 100}
    fixed |= {"batch_size": 64, "parameters": 9, "device": "cpu", "mapping": "vmap", "width": 6}
    fixed |= {"network": "mlp", "soberlook": "1", "git_revision": "a", "jax": "1", "python": "3"}
    return frame.assign(**fixed, train_seconds=1.0, evaluate_seconds=0.5)


def test_summary(runs):
    table = summarize(runs).set_index("label")
    assert table.loc["λ_od = 1", ["mig_median", "mig_min", "mig_max"]].tolist() == [0.2, 0.1, 0.3]
    assert table.loc["λ_od = 4", "mig_median"] == pytest.approx(0.7)
    assert table["runs"].tolist() == [3, 3] and table["lost"].tolist() == [0, 1]
    assert symbol("beta") == "β" and symbol("c_max") == "c_max"


def test_runs_are_never_pooled_that_differ_in_more_than_the_seed(runs):
    other = runs.assign(updates=200, setting=runs["setting"] + "b")
    both = pd.concat([runs, other], ignore_index=True)
    assert set(labelled(both)["label"]) == {
        f"λ_od = {s}, {u} updates" for s in (1, 4) for u in (100, 200)
    }
    third = runs.assign(setting=runs["setting"] + "c")
    assert len(summarize(pd.concat([both, third], ignore_index=True))) == 6
    assert set(labelled(runs.assign(strength_name=None, setting="s"))["label"]) == {"default"}


def test_extremes(runs):
    found = [(r.label, r.which, r.seed) for r in extremes(runs).itertuples()]
    assert found == [
        ("λ_od = 1", "best", 2),
        ("λ_od = 1", "worst", 0),
        ("λ_od = 4", "best", 1),
        ("λ_od = 4", "worst", 0),
    ]
    assert len(extremes(runs[runs["seed"] == 0])) == 2


def test_the_report_of_a_study(small_store):
    place = write_report(small_store)
    page = (small_store / "report.html").read_text()
    assert place == str(small_store / "report.html")
    assert page.count("<svg") == 2 and page.count("data:image/png;base64,") == 8
    assert "of <strong>beta_vae</strong> at β = " in page and "8 done" in page
    # Self-contained: nothing is fetched, nothing is run.
    addresses = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^")\s]+)', page)
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "<script" not in page
    assert len(page) < 500_000


def test_two_reports_of_the_same_rows_are_the_same(small_store):
    write_report(small_store)
    first = (small_store / "report.html").read_bytes()
    write_report(small_store)
    assert (small_store / "report.html").read_bytes() == first


def test_every_run_is_a_dot(runs):
    page = render({"study": "s", "about": "t"}, runs, *nothing(), planned=6)
    first, second = page.split("<svg")[1:]
    assert len(re.findall(r"<use [^>]*/>|<use ", first)) >= 5
    assert "NaN" not in page and "nan" not in page.replace("nano", "")


def test_floors_and_ceilings_are_named_and_tabled(runs):
    values = {"random": 0.011, "rotated": 0.123, "supervised": 0.654, "factors": 1.002}
    values["unheard of"] = 0.5
    bounds = pd.DataFrame({"codes": values.keys(), "value": values.values()})
    bounds = bounds.assign(dataset="d", metric="mig")
    other = pd.concat([runs, runs.assign(model="n")], ignore_index=True)
    for codes in ({"random", "supervised", "factors"}, {*values}):
        some = bounds[bounds["codes"].isin(codes)]
        about = {"study": "s", "about": "t"}
        page = render(about, other, nothing()[0], some, planned=12)
        methods, strengths, *_ = re.split("<h2>Strength and seed|<h2>Floors", page)
        for name in ("random codes", "supervised encoder", "true factors"):
            assert f">{name}</text>" in methods
        # Of two panels each; the best run has .9, so that 1.002 is above their axes.
        for name in ("random", "supervised", "↑ factors 1.00"):
            assert strengths.count(f">{name}</text>") == 2
        assert ("rotated factors</text>" in methods) == ("rotated" in codes)
        cells = [f"<td>{values[c]:.3f}</td>" if c in codes else "<td></td>" for c in [*values][:4]]
        assert "<td>d</td><td>MIG</td>" + "".join(cells) + "<td>0.300</td><td>0.900</td>" in page
        assert "unheard of" not in page
    assert "<h2>Floors" not in render(about, other, *nothing(), planned=12)


def test_what_went_wrong_is_said_and_data_is_escaped(runs):
    evil = runs.assign(model="<script>alert(1)</script>", dataset="$\\bad$")
    page = render({"study": "<i>", "about": "<b>\n\n<u>"}, evil, *nothing(), planned=9)
    for tag in ("<script", "<i>", "<b>", "<u>", "<blew>"):
        assert tag not in page
    assert "1 × it &lt;blew&gt; up" in page and "1 diverged, 3 not finished" in page


def test_parts_that_cannot_be_said_are_left_out(runs):
    about = {"study": "s", "about": "t"}
    bare = runs.drop(columns=["mig", "kl", "reconstruction"])
    assert "No run has a score yet." in render(about, bare, *nothing(), planned=6)
    lost = runs.assign(mig=np.nan, status="diverged")
    assert "6 diverged" in render(about, lost, *nothing(), planned=6)
    failed = bare.assign(status="failed", train_seconds=np.nan, evaluate_seconds=np.nan)
    assert "nan" not in render(about, failed, *nothing(), planned=6)
    one = runs.iloc[:1]
    assert "One seed says nothing about luck" in render(about, one, *nothing(), planned=6)


def test_a_study_without_finished_runs_has_no_report(tmp_path):
    Store(tmp_path / "s").create("s", "about")
    assert results.load(tmp_path / "s").empty
    with pytest.raises(ValueError, match="no finished runs yet"):
        write_report(tmp_path / "s")


def nothing():
    """No pictures and no bounds."""
    pictures = pd.DataFrame({"run_id": [], "name": [], "png": []})
    return pictures, pd.DataFrame({"dataset": [], "codes": [], "metric": [], "value": []})
