import dataclasses

import pytest

from soberlook.benchmark.arguments import find_study, names, seeds, settings, whole_number
from soberlook.benchmark.cohort import MAX_WIDTH, Cohort, cohorts
from soberlook.benchmark.study import Budget, Run
from soberlook.datasets import DATASETS, VIEWS, HeldOut, MiniSprites, View
from soberlook.models import VAE, BetaVAE
from soberlook.registry import BadInput

SMALL = find_study("small")


def test_a_study_is_every_combination_once():
    runs = SMALL.expand()
    assert len(runs) == len({run.id for run in runs}) == 4 * 5
    assert [run.seed for run in runs[:5]] == [0, 1, 2, 3, 4]
    assert all(run.model.network == "mlp" for run in runs)  # "auto" was resolved
    assert len({run.setting for run in runs}) == 4


def test_ids_are_made_from_what_a_run_is(monkeypatch):
    run = Run(MiniSprites(), BetaVAE(beta=2), 0, Budget())
    same = Run(MiniSprites(), BetaVAE(beta=2.0), 0, Budget())
    assert run.id == same.id == "9e8e67b3f9a88917"  # as on any machine and in any year
    others = [
        Run(MiniSprites(), BetaVAE(beta=3), 0, Budget()),
        Run(MiniSprites(), BetaVAE(beta=2, latents=9), 0, Budget()),
        Run(MiniSprites(), BetaVAE(beta=2), 1, Budget()),
        Run(MiniSprites(), BetaVAE(beta=2), 0, Budget(updates=1)),
        Run(MiniSprites(), BetaVAE(beta=2), 0, Budget(evaluate_at=(0.5, 1.0))),
    ]
    monkeypatch.setattr(BetaVAE, "version", 2)
    others.append(Run(MiniSprites(), BetaVAE(beta=2), 0, Budget()))
    assert len({other.id for other in others} | {run.id}) == 7


def test_narrowing_keeps_what_the_study_says():
    study = SMALL.narrowed(models=["beta_vae"], seeds=[7], fields={"latents": 4}, updates=9)
    runs = study.expand()
    assert [run.model.beta for run in runs] == [0.25, 1, 4, 8]
    assert {run.model.latents for run in runs} == {4} and {run.seed for run in runs} == {7}
    assert {run.model.learning_rate for run in runs} == {1e-3}
    assert {run.budget.updates for run in runs} == {9}
    assert len(SMALL.narrowed(fields={"beta": [3, 3, 5]}, seeds=[0]).expand()) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": []}, "study 'small': models must be at least one"),
        ({"seeds": []}, "study 'small': seeds must be at least one"),
        ({"metrics": []}, "study 'small': metrics must be at least one"),
        ({"seeds": [-1]}, "seeds must be from 0"),
        ({"fields": {"beta": []}}, "the sweep of beta_vae.beta must not be empty"),
        ({"models": ["bta_vae"]}, "unknown model 'bta_vae': did you mean 'beta_vae'"),
        (
            {"datasets": ["mini_sprite"]},
            "dataset 'mini_sprite': did you mean 'mini_sprites'",
        ),
        ({"metrics": ["mgi"]}, "unknown metric 'mgi': did you mean 'mig'"),
        ({"updates": 0}, "updates must be a whole number ≥ 1, found 0"),
    ],
)
def test_bad_studies_are_one_clear_line(changes, message):
    with pytest.raises(BadInput) as error:
        SMALL.narrowed(**changes).expand()
    assert message in str(error.value) and "\n" not in str(error.value)


def test_values_outside_0_and_1_need_a_likelihood_that_has_them():
    study = SMALL.narrowed(datasets=["gp_curves"], seeds=[0], metrics=["kl"])
    with pytest.raises(BadInput, match="'gp_curves': likelihood must be gaussian, found bernoulli"):
        study.expand()
    assert len(study.narrowed(fields={"likelihood": "gaussian", "beta": 1}).expand()) == 1


def test_a_dataset_that_cannot_supply_a_view_is_an_error_before_training(monkeypatch):
    class Never(View):
        name = "never"

        def check(self, dataset):
            raise BadInput("never can be supplied")

        def draw(self, d):
            raise AssertionError

    monkeypatch.setitem(VIEWS, "never", Never)
    monkeypatch.setattr(BetaVAE, "needs", ("images", "never"))
    with pytest.raises(BadInput, match="model 'beta_vae' on 'mini_sprites': never can be supplied"):
        SMALL.expand()
    monkeypatch.setattr(BetaVAE, "needs", ("images", "imagse"))
    with pytest.raises(BadInput, match="did you mean 'images'"):
        SMALL.expand()


@pytest.mark.parametrize(
    ("needs", "dataset", "message"),
    [
        (("images", "factors"), "causal_model", "view 'factors' is of factors, and it has none"),
        (("images", "groups"), "causal_model", "view 'groups' is of factors"),
        (("pairs", ("pairs", {"changed": 1})), "mini_sprites", "view 'pairs' is needed twice"),
    ],
)
def test_views_are_of_what_a_dataset_has_and_needed_once(monkeypatch, needs, dataset, message):
    monkeypatch.setattr(BetaVAE, "needs", needs)
    with pytest.raises(BadInput, match=message):
        SMALL.narrowed(datasets=[dataset], metrics=["kl"]).expand()
    monkeypatch.setattr(BetaVAE, "needs", ("images", "second_images", "masks"))
    assert SMALL.narrowed(datasets=["causal_model"], metrics=["kl"]).expand()


def test_narrowing_keeps_all_that_have_the_name():
    held_out = {"training": HeldOut(share=0.1).settings()}
    twice = dataclasses.replace(SMALL, datasets=("mini_sprites", ("mini_sprites", held_out)))
    assert len(twice.narrowed(datasets=["mini_sprites"]).expand()) == 40
    assert len({run.dataset.title for run in twice.expand()}) == 2


def test_metrics_that_ask_for_factors_are_for_data_that_have_some():
    table = SMALL.narrowed(datasets=["causal_model"])
    with pytest.raises(BadInput, match="'causal_model' has no factors, which mig ask for"):
        table.expand()
    assert table.narrowed(metrics=["reconstruction", "unsupervised", "udr", "iwae"]).expand()


def test_a_dataset_that_is_not_here_is_an_error_before_training(monkeypatch):
    monkeypatch.setattr(MiniSprites, "missing", lambda self: "mini_sprites is not here: fetch it")
    with pytest.raises(BadInput, match="mini_sprites is not here: fetch it"):
        SMALL.expand()


def test_a_budget_says_when_to_evaluate():
    assert Budget(updates=1000, evaluate_at=(0.1, 0.5, 1.0)).evaluation_steps == (100, 500, 1000)
    assert Budget(updates=3, evaluate_at=(0.01, 1.0)).evaluation_steps == (1, 3)
    for wrong in ((), (0.5,), (1.0, 0.5), (0.0, 1.0), (0.5, 0.5, 1.0)):
        with pytest.raises(BadInput, match="evaluate_at must be rising shares up to 1"):
            Budget(evaluate_at=wrong)


def test_cohorts_are_what_can_be_one_program():
    wide = SMALL.narrowed(seeds=range(40))
    parts = cohorts("small", wide.expand(), ("mig",))
    assert [len(part.runs) for part in parts] == [53, 54, 53] and MAX_WIDTH >= 54
    assert [run.id for part in parts for run in part.runs] == [run.id for run in wide.expand()]
    narrow = SMALL.narrowed(fields={"latents": 3}).expand() + SMALL.expand()
    assert [len(part.runs) for part in cohorts("small", narrow, ("mig",))] == [20, 20]


def test_a_cohort_travels_as_json():
    (cohort,) = cohorts("small", SMALL.expand(), SMALL.metrics)
    again = Cohort.from_json(cohort.to_json())
    assert again.id == cohort.id and again.metrics == cohort.metrics
    assert [run.id for run in again.runs] == [run.id for run in cohort.runs]


def test_what_is_finished_is_left_out():
    (cohort,) = cohorts("small", SMALL.expand(), ("mig",))
    done = {run.id for run in cohort.runs[:7]}
    assert [run.id for run in cohort.without(done).runs] == [run.id for run in cohort.runs[7:]]
    assert cohort.without({run.id for run in cohort.runs}) is None
    assert cohort.without(set()).id == cohort.id != cohort.without(done).id


def test_what_people_type():
    assert names("a, b") == ["a", "b"] and names("") is None
    assert seeds("3") == [0, 1, 2] and seeds("5-7") == [5, 6, 7] and seeds("0,3") == [0, 3]
    assert seeds("") is None and whole_number("--updates", "2,000") == 2000
    assert settings(["beta=1,.5,2e3", "network=mlp"]) == {
        "beta": [1, 0.5, 2000],
        "network": "mlp",
    }
    assert settings(["plain=true"]) == {"plain": True}
    for wrong in ("0", "x", "3-1", "1-2-3", "1,", "1.5", "-1", "999999999999"):
        with pytest.raises(BadInput, match="--seeds must be"):
            seeds(wrong)
    for wrong in ("beta", "=1", "beta="):
        with pytest.raises(BadInput, match="--set must be NAME=VALUE"):
            settings([wrong])


def test_plain_vae_is_no_model():
    assert "name" not in vars(VAE)


def test_a_method_may_train_for_another_time():
    study = dataclasses.replace(SMALL, budgets={"beta_vae": Budget(updates=7)})
    assert {run.budget.updates for run in study.expand()} == {7}
    assert {run.budget.updates for run in study.narrowed(updates=9).expand()} == {9}


def test_the_studies_are_the_sizes_they_say():
    assert find_study("sober_look").size == 12_600
    assert find_study("sober_mini").size == len(find_study("sober_mini").expand()) == 360
    assert find_study("sober_small").size == len(find_study("sober_small").expand()) == 1_440
    assert find_study("quick").size == len(find_study("quick").expand()) == 54


def test_the_study_of_the_paper(monkeypatch, tmp_path):
    study = find_study("sober_look")
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path))
    with pytest.raises(BadInput, match="'dsprites' is not here"):  # before anything trains
        study.expand()
    assert set(study.datasets) <= set(DATASETS)
    runs = study.narrowed(datasets=["sprites"], seeds=[0]).expand()
    assert len(runs) == 36 and {run.model.network for run in runs} == {"conv"}
    updates = {run.model.name: run.budget.updates for run in runs}
    assert updates.pop("factor_vae") == 150_000 and set(updates.values()) == {300_000}
    assert {run.model.learning_rate for run in runs} == {1e-4}
    assert {run.model.latents for run in runs} == {10}
