"""The life of a study, through the command line."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from soberlook import models, results
from soberlook.benchmark import worker
from soberlook.results.store import Store

AS_SHIPPED = True
SMALL = ("run", "small", "--seeds", "2", "--updates", "40")

PLUGIN = '''
from soberlook.models import VAE, hyperparameter, register

@register("capacity_vae")
class CapacityVAE(VAE):
    """A user's own."""

    gamma: float = hyperparameter(10.0, sweep=(1, 10), low=0)

    def regularizer(self, t):
        kl = t.posterior.kl()
        return self.gamma * abs(kl.mean() - 5), {"kl": kl}
'''


@pytest.fixture
def plugin(tmp_path):
    """A file that registers a model, which is forgotten afterwards."""
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    yield file
    forget("capacity_vae")


def forget(model):
    """Undo what a plugin did: its model and its module."""
    cls = models.MODELS.pop(model, None)
    if cls is not None:
        del sys.modules[cls.__module__]


def contents(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def test_a_second_run_trains_nothing(soberlook, tmp_path, monkeypatch):
    out = tmp_path / "q"
    code, shown, said = soberlook(*SMALL, "--out", out)
    assert code == 0 and "8 of 8 runs to train" in said
    assert "cohort 1 of 1: beta_vae on mini_sprites, 8 runs" in said
    assert "β = 0.25" in shown and f"report: {out}/report.html" in shown
    first = {path: c for path, c in contents(out).items() if path.suffix == ".parquet"}

    def refuse(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(worker, "work", refuse)
    monkeypatch.setattr("soberlook.benchmark.keep.work", refuse)
    code, shown, said = soberlook(*SMALL, "--out", out)
    assert code == 0 and "all 8 runs are in" in said and "β = 0.25" in shown
    assert {path: contents(out)[path] for path in first} == first


def test_more_seeds_train_what_is_missing_and_rows_equal_a_fresh_run(soberlook, tmp_path):
    grown, fresh = tmp_path / "grown", tmp_path / "fresh"
    soberlook(*SMALL, "--out", grown)
    _, _, said = soberlook(*SMALL, "--seeds", "3", "--out", grown)
    assert "4 of 12 runs to train" in said
    soberlook(*SMALL, "--seeds", "3", "--out", fresh)
    columns = ["run_id", "step", "metric", "value", "version"]
    a, b = (results.rows(where)[columns].sort_values(columns[:3]) for where in (grown, fresh))
    assert len(a) and a.to_dict("list") == b.to_dict("list")


def test_a_model_in_a_file_of_its_own_reaches_the_frame(soberlook, tmp_path, plugin):
    out = tmp_path / "q"
    code, _, said = soberlook(
        *SMALL, "--plugin", plugin, "--models", "capacity_vae,beta_vae", "--out", out
    )
    assert code == 0, said
    runs = results.load(out)
    mine = runs.query("model == 'capacity_vae'")
    assert sorted(mine.gamma.unique()) == [1, 10] and mine.mig.notna().all()
    assert (mine.strength_name == "gamma").all() and (mine.learning_rate == 1e-3).all()
    assert runs.query("model == 'beta_vae'").gamma.isna().all()
    code, shown, _ = soberlook("list", "models", "--plugin", plugin)
    assert "capacity_vae" in shown and "A user's own." in shown


def test_dry_run_writes_nothing(soberlook, tmp_path):
    code, shown, _ = soberlook(*SMALL, "--dry-run", "--out", tmp_path / "q")
    assert code == 0 and "8 of 8 runs to train, cohorts: 1, images: 20,480" in shown
    assert not (tmp_path / "q").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "quik"), "unknown study 'quik': did you mean 'quick'?"),
        ((*SMALL, "--models", "betavae"), "unknown model 'betavae': did you mean 'beta_vae'?"),
        ((*SMALL, "--metrics", "mgi"), "unknown metric 'mgi': did you mean 'mig'?"),
        (
            (*SMALL, "--datasets", "minisprites"),
            "'minisprites': did you mean 'mini_sprites",
        ),
        ((*SMALL, "--set", "bta=1"), "unknown setting of beta_vae 'bta': did you mean 'beta'?"),
        ((*SMALL, "--set", "beta=-1"), "beta_vae: beta must be a finite number ≥ 0, found -1.0"),
        ((*SMALL, "--set", "latents=0"), "beta_vae: latents must be a whole number ≥ 1, found 0"),
        ((*SMALL, "--seeds", "0"), "--seeds must be at least one seed, found '0'"),
        ((*SMALL, "--updates", "many"), "--updates must be a whole number, found 'many'"),
        ((*SMALL, "--plugin", "none.py"), "--plugin must be a Python file, found none at"),
        (("list", "model"), "unknown kind of thing 'model': did you mean 'models'?"),
        (("report", "nowhere"), "nowhere: expected a folder of results, found none"),
        (("status", "nowhere"), "nowhere: expected a folder of results, found none"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    soberlook, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    code, shown, said = soberlook(*arguments)
    assert code == 2 and shown == ""
    assert said.startswith("error: ") and message in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_plugin_that_cannot_be_imported_is_one_line(soberlook, tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("\nimport nothing_of_this_name")
    code, _, said = soberlook(*SMALL, "--plugin", file)
    assert code == 2
    assert "broken.py, line 2: ModuleNotFoundError: No module named 'nothing_of_this_" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("study.json", '{"study": "other", "about": "", "schema": 1}', "holds study 'other'"),
        ("study.json", '{"study": "small", "about": "", "schema": 99}', "has schema 99"),
        ("study.json", "<html>", "study.json: not a soberlook study"),
        ("thesis.tex", "years of work", "expected an empty or new folder, or one of results"),
    ],
)
def test_a_folder_of_something_else_is_left_alone(soberlook, tmp_path, file, content, message):
    (tmp_path / file).write_text(content)
    code, _, said = soberlook(*SMALL, "--out", tmp_path)
    assert code == 2 and message in said and said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).read_text() == content


def test_a_cohort_that_raises_becomes_failed_runs_and_the_others_go_on(
    soberlook, tmp_path, monkeypatch, plugin
):
    work = worker.work

    def sometimes(cohort, *rest):
        if cohort.runs[0].model.name == "beta_vae":
            raise RuntimeError("out of luck\nand a second line")
        return work(cohort, *rest)

    monkeypatch.setattr("soberlook.benchmark.keep.work", sometimes)
    out = tmp_path / "q"
    names = ("--models", "beta_vae,capacity_vae")
    code, _, said = soberlook(*SMALL, "--plugin", plugin, *names, "--out", out)
    assert code == 1 and "8 of 12 runs failed or diverged" in said
    runs = results.load(out)
    assert runs.groupby(["model", "status"]).size().to_dict() == {
        ("beta_vae", "failed"): 8,
        ("capacity_vae", "done"): 4,
    }
    assert set(runs.query("status == 'failed'").reason) == {"RuntimeError: out of luck"}
    _, shown, _ = soberlook("status", out)
    assert "8 × RuntimeError: out of luck" in shown
    (traceback,) = (out / "failures").iterdir()
    assert "in sometimes" in traceback.read_text()


def test_an_interruption_keeps_finished_cohorts(soberlook, tmp_path, monkeypatch, plugin):
    work, calls = worker.work, []

    def interrupted(cohort, *rest):
        calls.append(cohort)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return work(cohort, *rest)

    monkeypatch.setattr("soberlook.benchmark.keep.work", interrupted)
    out = tmp_path / "q"
    names = (*SMALL, "--plugin", plugin, "--models", "capacity_vae,beta_vae", "--out", out)
    code, _, said = soberlook(*names)
    assert code == 130
    assert "stopped: 4 of 12 runs are kept in" in said and "the same command goes on" in said
    assert len(results.load(out)) == 4
    _, shown, _ = soberlook("status", out)
    pending = ["mini_sprites", "beta_vae", "0", "0", "0", "0", "8"]
    assert pending in [line.split() for line in shown.splitlines()]
    code, _, said = soberlook(*names)
    assert code == 0 and "8 of 12 runs to train" in said and len(results.load(out)) == 12


# Whoever starts the tests in the background may have the signal ignored.
HEEDING = """
import signal
from soberlook.benchmark.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def test_ctrl_c_stops_it(tmp_path):
    command = [sys.executable, "-c", HEEDING, "run", "quick", "--seeds", "1"]
    command += ["--models", "beta_vae", "--updates", "10000000", "--out", str(tmp_path / "q")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        while "images/s" not in process.stderr.readline():  # past compilation, into training
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130 and "stopped: 0 of 3 runs are kept" in said
    assert "Traceback" not in said


@pytest.mark.filterwarnings("default::soberlook.results.store.StoreWarning")
def test_a_damaged_file_is_named_and_kept_and_its_runs_are_trained_again(soberlook, tmp_path):
    out = tmp_path / "q"
    soberlook(*SMALL, "--out", out)
    whole = results.load(out)
    for table in ("runs", "rows"):
        (file,) = (out / table).iterdir()
        damaged = file.read_bytes()[:-20]
        file.write_bytes(damaged)
        code, _, said = soberlook(*SMALL, "--out", out)
        assert code == 0 and f"{file} was passed over" in said and "8 of 8 runs to train" in said
        assert "Traceback" not in said and file.read_bytes() == damaged
        again = results.load(out)
        assert again["mig"].to_list() == whole["mig"].to_list()
        file.unlink()
    assert Store(out).finished() == set(whole["run_id"])
