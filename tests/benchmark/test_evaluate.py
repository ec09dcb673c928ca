"""Evaluations: on several draws, at shares of the budget, of models that are asked."""

import dataclasses

import numpy as np
import pytest

from soberlook import results
from soberlook.benchmark.cohort import cohorts
from soberlook.benchmark.study import STUDIES
from soberlook.benchmark.worker import work
from soberlook.datasets import HeldOut
from soberlook.results.store import Store

SMALL_STUDY = STUDIES["small"]
SMALL = ("run", "small", "--seeds", "2", "--updates", "20", "--set", "beta=1,4")


@pytest.fixture
def rows(soberlook, tmp_path):
    """The rows of a small study with other options."""

    def run(*options):
        code, _, said = soberlook(*SMALL, *options, "--out", tmp_path / "r")
        assert code == 0, said
        return results.rows(tmp_path / "r"), results.load(tmp_path / "r")

    return run


def test_draws_are_rows_of_their_own_and_their_mean_is_the_run(rows):
    long, frame = rows("--metrics", "mig,kl,unsupervised", "--draws", "2")
    mig = long[long["metric"] == "mig"].pivot(index="run_id", columns="draw", values="value")
    assert mig.columns.tolist() == [0, 1] and (mig[0] != mig[1]).all()
    assert frame.set_index("run_id")["mig"].to_dict() == pytest.approx(mig.mean(axis=1).to_dict())
    # Nothing about the whole grid depends on a draw of cells.
    kl = long[long["metric"] == "kl"].pivot(index="run_id", columns="draw", values="value")
    assert (kl[0] == kl[1]).all()


def test_noise_is_drawn_several_times(rows):
    long, _ = rows("--metrics", "mig,kl", "--datasets", "mini_sprites_noisy")
    kl = long[long["metric"] == "kl"].pivot(index="run_id", columns="draw", values="value")
    assert kl.columns.tolist() == [0, 1, 2]
    assert (kl.std(axis=1) > 0).all() and (kl.std(axis=1) < 0.1 * kl.mean(axis=1)).all()


def test_cells_held_out_of_training_are_scored_apart():
    training = HeldOut(kind="extrapolation", factors=("scale",), share=0.5)
    datasets = (("mini_sprites", {"training": training.settings()}),)
    study = dataclasses.replace(SMALL_STUDY, datasets=datasets, metrics=("reconstruction", "iwae"))
    (cohort,) = cohorts("small", study.narrowed(updates=200, seeds=[0]).expand(), study.metrics)
    ((_, tables),) = work(cohort)
    title = "mini_sprites(training=held_out(kind=extrapolation, share=0.5, factors=('scale',)))"
    assert {row["dataset"] for row in tables.runs} == {title}  # never pooled with other training
    found = {(row["run_id"], row["metric"]): row["value"] for row in tables.rows}
    for run in cohort.runs:
        # Trained on the two smaller scales, scored on the two larger.
        worse = found[run.id, "reconstruction_held_out"], found[run.id, "reconstruction"]
        assert worse[0] > worse[1] + 3
        assert found[run.id, "elbo_held_out"] < found[run.id, "elbo"] - 3


def test_runs_are_scored_at_shares_of_their_updates(rows):
    long, frame = rows("--metrics", "mig,reconstruction", "--evaluate-at", ".1,.5,1")
    by_step = long[long["metric"] == "reconstruction"].groupby("step")["value"].median()
    assert by_step.index.tolist() == [2, 10, 20] and by_step.is_monotonic_decreasing
    assert frame["reconstruction"].median() == by_step.loc[20]


def test_metrics_ask_the_model_and_compare_the_runs_of_a_setting(rows, tmp_path):
    names = "iwae,aggregate_posterior,interpolation,perturbation,frechet,udr"
    _, frame = rows("--metrics", names)
    assert (frame["elbo"] <= frame["iwae_64"]).all()
    assert np.allclose(frame["elbo"], -frame["train_loss"], rtol=0.2)
    assert frame["information_xz"].between(-1, np.log(1_000)).all()
    assert frame[["udr_lasso", "udr_spearman"]].notna().all(axis=None)
    reasons = Store(tmp_path / "r").read("runs").to_pandas()["reason"]
    assert (reasons == "").all(), reasons.tolist()


def test_a_single_run_of_a_setting_has_no_partner(soberlook, tmp_path):
    code, _, _ = soberlook(*SMALL, "--seeds", "1", "--metrics", "mig,udr", "--out", tmp_path / "r")
    frame = results.load(tmp_path / "r")
    assert code == 0 and "udr_lasso" not in frame and frame["mig"].notna().all()
    assert frame["reason"].str.contains("udr").all()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--draws", "0"), "--draws must be a whole number ≥ 1, found '0'"),
        (("--evaluate-at", "x"), "--evaluate-at must be numbers up to 1, by comma, found 'x'"),
        (("--evaluate-at", ".5"), "evaluate_at must be rising shares up to 1"),
    ],
)
def test_bad_options_are_one_line(soberlook, tmp_path, option, message):
    code, _, said = soberlook(*SMALL, *option, "--out", tmp_path / "r")
    assert code == 2 and message in said and not (tmp_path / "r").exists()
