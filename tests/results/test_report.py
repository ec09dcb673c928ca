import re
import warnings

import numpy as np
import pandas as pd
import pytest
from planted import effects, frame_of, rows_of

from soberlook import results
from soberlook.registry import BadInput
from soberlook.results import report
from soberlook.results.report import write_report
from soberlook.results.store import Store
from soberlook.results.summary import labelled, summarize, symbol

NAMES = ("mig", "sap", "kl", "reconstruction", "mig_rotated", "udr_lasso")
NAMES += ("gaussian_total_correlation", "gaussian_total_correlation_sampled")
NAMES += ("dci_informativeness_100", "dci_informativeness_1000")


def planted(shape=(2, 3, 3, 7), names=NAMES, seed=0):
    rng = np.random.default_rng(seed)
    one = effects(rng, shape, model=1, setting=1, seed=0.3, luck=0.5)
    return frame_of({n: 0.5 + 0.05 * (one + rng.standard_normal(shape)) for n in names})


def sections_of(runs, bounds=None):
    nothing = report.nothing()
    study = report.study_of(runs, rows_of(runs[:0], {"mig": np.zeros((1, 0))}), nothing[1])
    if bounds is not None:
        study = report.study_of(runs, study.rows, bounds)
    return study, report.answer(study, nothing[0])


def page_of(runs, about="t", planned=(), bounds=None):
    study, sections = sections_of(runs, bounds)
    return report.page_of({"study": "s", "about": about}, study, sections, dict(planned))


def test_the_report_of_a_study(small_store):
    place = write_report(small_store)
    page = (small_store / "report.html").read_text()
    assert place == str(small_store / "report.html")
    assert page.count("<svg") >= 4 and page.count("data:image/png;base64,") >= 4
    assert "8 done" in page and "not finished" not in page
    # Self-contained: nothing is fetched.
    addresses = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^")\s]+)', page)
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert len(page) < 1_500_000


def test_two_reports_of_the_same_rows_are_the_same(small_store):
    write_report(small_store)
    first = (small_store / "report.html").read_bytes()
    write_report(small_store)
    assert (small_store / "report.html").read_bytes() == first


POOR = {
    "one seed": lambda r: r[r["seed"] == 0],
    "two seeds": lambda r: r[r["seed"] < 2],
    "one method": lambda r: r[r["model"] == "beta_vae"],
    "one dataset": lambda r: r[r["dataset"] == "d0"],
    "one setting": lambda r: r[(r["model"] == "beta_vae") & (r["strength"] == 1)],
    "one run": lambda r: r[:1],
    "no scores": lambda r: r.drop(columns=["mig", "sap"]),
    "scores alone": lambda r: r.drop(columns=[n for n in NAMES if n not in ("mig", "sap")]),
    "nothing measured": lambda r: r.drop(columns=list(NAMES)),
    "all diverged": lambda r: r.assign(status="diverged", **dict.fromkeys(NAMES, np.nan)),
    "all failed": lambda r: r.assign(
        status="failed", **dict.fromkeys([*NAMES, "train_seconds", "evaluate_seconds"], np.nan)
    ),
    "constant scores": lambda r: r.assign(mig=0.5, sap=0.5),
    "half of it": lambda r: r[::2],
    "another seed for each method": lambda r: r.assign(
        seed=r["seed"] + 100 * r["model"].astype("category").cat.codes
    ),
    "no strength": lambda r: r[r["strength"] == 1].assign(strength_name=None, strength=np.nan),
    "other scores on another dataset": lambda r: r.assign(
        **{n: r[n].where(r["dataset"] == "d0") for n in ("sap", "kl", "reconstruction")}
    ),
    "two networks and likelihoods": lambda r: r.assign(
        likelihood=np.where(r["dataset"] == "d0", "bernoulli", "gaussian")
    ),
    "odd names": lambda r: r.replace(
        {"dataset": {"d0": "a/b(c='d', e=\"f\")", "d1": "..\\x\x1b[2J"}}
    ),
    "mixed versions": lambda r: r.assign(soberlook=np.where(r["seed"] < 3, "1", "2")),
}


@pytest.mark.parametrize("poor", POOR)
def test_what_can_be_said_is_said_and_the_rest_says_why_not(poor):
    """Without a warning: they are errors here."""
    study, sections = sections_of(POOR[poor](planted()))
    for section in sections:
        assert section.why or section.findings or section.tables, section.name
        for text in (section.why, section.about, *section.findings):
            assert not re.search(r"\b(nan|NaN|None|<NA>|inf)\b", text), (section.name, text)
        for table in section.tables:
            assert all(isinstance(v, str) for v in table.data.to_numpy().ravel()), section.name
            text = table.data.to_csv()
            assert not re.search(r"\b(nan|None|NaN|<NA>|inf)\b", text), (section.name, text)
    page = report.page_of({"study": "s", "about": "t"}, study, sections, {})
    assert not re.search(r">(nan|NaN|None|inf)<", page)


def test_a_study_with_everything_answers_every_question():
    _, sections = sections_of(planted())
    silent = [section.name for section in sections if section.why]
    # No floors were computed, no pictures are there.
    assert {*silent} <= {"bounds", "images"}, silent
    names = [picture.name for section in sections for picture in section.pictures]
    assert len(set(names)) == len(names) and all(re.fullmatch(r"[\w-]+", name) for name in names)
    assert all(p.alt and p.caption and len(p.data) for s in sections for p in s.pictures)


def test_data_is_escaped():
    evil = planted().replace({"model": {"beta_vae": "<script>alert(1)</script>"}})
    evil["dataset"] = evil["dataset"].replace("d0", '"><u>$\\bad$')
    evil["reason"], evil["status"] = "it <blew> up", "diverged"
    page = page_of(evil, about="<b>x</b>\n\n<i>y</i>")
    for tag in ("<script>alert", "<u>", "<b>", "<i>", "<blew"):
        assert tag not in page
    assert "it &lt;blew&gt; up" in page


def test_what_is_missing_is_said():
    runs = planted()
    planned = {run_id: ("d0", "beta_vae") for run_id in runs["run_id"]}
    planned |= {f"more{i}": ("d1", "factor_vae") for i in range(3)}
    page = page_of(runs, planned=planned)
    assert "3 of 129 runs are not finished: 3 of factor_vae on d1" in page
    assert "not finished" not in page_of(runs, planned=dict.fromkeys(runs["run_id"], ("d", "m")))


def test_every_figure_is_a_file_of_each_kind(tmp_path):
    runs = planted((2, 2, 2, 4), ("mig", "kl", "reconstruction"))
    names = {
        "d0": "sprites(training=held_out(kind='x'))",
        "d1": "../../own(folder=/data/" + "a" * 200,
    }
    _, sections = sections_of(runs.replace({"dataset": names}))
    for folder in (tmp_path / "a", tmp_path / "b"):
        report.write_figures(sections, folder)
    pictures = [picture for section in sections for picture in section.pictures]
    assert len(list((tmp_path / "a").iterdir())) == 3 * len(pictures) > 6
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
    for picture in pictures:
        svg, pdf, csv = (tmp_path / "a" / f"{picture.name}.{k}" for k in ("svg", "pdf", "csv"))
        assert svg.read_text().startswith("<?xml") and "currentColor" not in svg.read_text()
        assert pdf.read_bytes().startswith(b"%PDF-")
        assert len(pd.read_csv(csv)) == len(picture.data)
        for file in (svg, pdf, csv):
            assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="--figures must be a folder"):
        report.write_figures(sections, tmp_path / "file" / "x")


def test_a_question_that_fails_says_so_and_costs_no_other(monkeypatch):
    def fail(study):
        raise ZeroDivisionError("of <something>")

    monkeypatch.setattr(report.variance, "section", fail)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        page = page_of(planted((1, 2, 2, 4)))
    assert "This part failed, ZeroDivisionError: of &lt;something&gt;" in page
    assert any("report, variance: ZeroDivisionError" in str(w.message) for w in said)
    assert page.count("<section") == len(report.QUESTIONS) + 1


def test_a_study_without_finished_runs_has_no_report(tmp_path):
    Store(tmp_path / "s").create("s", "about")
    assert results.load(tmp_path / "s").empty
    with pytest.raises(ValueError, match="no finished runs yet"):
        write_report(tmp_path / "s")


def test_the_command_line(soberlook, small_store, tmp_path):
    code, said, _ = soberlook("report", small_store, "--figures", tmp_path / "f")
    assert code == 0 and said.strip().endswith("report.html")
    assert {p.suffix for p in (tmp_path / "f").iterdir()} == {".svg", ".pdf", ".csv"}
    code, _, said = soberlook("report", tmp_path / "none")
    assert code == 2 and "expected a folder of results" in said


@pytest.fixture
def runs():
    """Two strengths, three seeds; one run diverged."""
    return frame_of({"mig": np.array([[[[0.1, 0.2, 0.3], [0.5, 0.9, np.nan]]]])}, "lambda_od")


def test_summary(runs):
    table = summarize(runs).set_index("label")
    assert table.loc["λ_od = 1", ["mig_median", "mig_min", "mig_max"]].tolist() == [0.2, 0.1, 0.3]
    assert table.loc["λ_od = 2", "mig_median"] == pytest.approx(0.7)
    assert table["runs"].tolist() == [3, 3] and table["lost"].tolist() == [0, 1]
    assert symbol("beta") == "β" and symbol("c_max") == "c_max"


def test_runs_are_never_pooled_that_differ_in_more_than_the_seed(runs):
    other = runs.assign(updates=200, setting=runs["setting"] + "b")
    both = pd.concat([runs, other], ignore_index=True)
    assert set(labelled(both)["label"]) == {
        f"λ_od = {s}, {u} updates" for s in (1, 2) for u in ("1,000", "200")
    }
    third = runs.assign(setting=runs["setting"] + "c")
    assert len(summarize(pd.concat([both, third], ignore_index=True))) == 6
    assert set(labelled(runs.assign(strength_name=None, setting="s"))["label"]) == {"default"}
