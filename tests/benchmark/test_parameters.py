"""What runs have learnt: kept by policy, asked again, scored again, and believed only as it was."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from soberlook import results
from soberlook.benchmark import parameters, worker
from soberlook.registry import BadInput
from soberlook.results import arrays
from soberlook.results.store import Store

SMALL = ("run", "small", "--seeds", "2", "--updates", "30", "--set", "beta=1,4")
SMALL += ("--metrics", "kl,reconstruction")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A small study of which all parameters were kept."""
    return _run(tmp_path_factory.mktemp("kept") / "all", "--keep", "all")


def _run(where, *options):
    import sys

    from soberlook.benchmark import cli

    before, sys.argv = sys.argv, ["soberlook", *SMALL, *options, "--out", str(where)]
    try:
        with pytest.raises(SystemExit) as stop:
            cli.main()
    finally:
        sys.argv = before
    assert not stop.value.code
    return where


def file_of(where):
    store = Store(where)
    (name,) = store.names("parameters")
    return store, f"parameters/{name}"


def changed(where, tmp_path, change):
    """A store that holds the same parameters with another header or other leaves."""
    store, name = file_of(where)
    leaves, about = arrays.from_bytes(store.get(name))
    change(leaves, about)
    other = Store(tmp_path / "changed")
    other.create("small", "")
    other.put(name, arrays.to_bytes(leaves, about))
    return tmp_path / "changed", about["runs"][0]["id"]


def test_a_model_can_be_asked_again(kept):
    runs = results.load(kept)
    for run in runs.itertuples():
        model, state = results.checkpoint(kept, run.run_id)
        assert (model.name, model.beta) == ("beta_vae", run.beta)
        dataset = worker.datasets.make("mini_sprites")
        x = dataset.observe(dataset.load(), np.arange(dataset.size), None)
        kl = model.encode(state, x).kl().mean()
        assert kl == pytest.approx(run.kl, rel=1e-4)
        z = model.encode(state, x).mean
        assert model.decode(state, z).mean.shape == x.shape


def test_scored_again_is_scored_at_once(kept, tmp_path, soberlook):
    """More metrics of kept parameters are what the study would have had, to the last bit."""
    whole = _run(tmp_path / "whole", "--metrics", "kl,reconstruction,mig,iwae,udr")
    code, _, said = soberlook("evaluate", kept, "--metrics", "mig,iwae,udr,kl")
    assert code == 0 and "4 runs scored by mig, iwae, udr, kl" in said
    order = ["run_id", "step", "draw", "metric"]
    both = [
        results.rows(where).sort_values(order, ignore_index=True).drop(columns="version")
        for where in (kept, whole)
    ]
    assert len(both[0]) and both[0].equals(both[1])
    code, _, said = soberlook("evaluate", kept, "--metrics", "udr,mig")
    assert code == 0 and "are scored by udr, mig already" in said
    code, _, said = soberlook("evaluate", kept, "--metrics", "mig", "--draws", "2")
    assert code == 0 and "4 runs scored" in said
    long = results.rows(kept).query("metric == 'mig'")
    assert long.groupby("run_id").size().tolist() == [2] * 4


def test_the_documented_example_runs(kept, tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "trained-models.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "quick").symlink_to(kept)
    monkeypatch.chdir(tmp_path)
    images = np.zeros((3, 16, 16, 1), np.float32)
    space = {"images": images}
    exec(code, space)
    assert space["image"].shape == images.shape


def test_best_is_the_lowest_loss_of_a_setting(tmp_path):
    where = _run(tmp_path / "best", "--keep", "best", "--seeds", "4")
    runs = results.load(where)
    runs["own"] = runs["kl"] + runs["reconstruction"]
    best = runs.loc[runs.groupby("setting")["own"].idxmin(), "run_id"]
    for run_id in runs["run_id"]:
        if run_id in set(best):
            results.checkpoint(where, run_id)
        else:
            with pytest.raises(BadInput, match="were not kept"):
                results.checkpoint(where, run_id)


def test_who_has_no_loss_is_not_the_best():
    class Pack:
        runs = [dataclasses.make_dataclass("R", ["setting"])(s) for s in "aaabb"]

    outcomes = [
        worker.Outcome(status, "", loss)
        for status, loss in [
            ("diverged", float("nan")),
            ("done", 3.0),
            ("done", 2.0),
            ("done", float("nan")),
            ("done", 5.0),
        ]
    ]
    assert parameters.chosen(Pack, outcomes, "best") == [2, 4]
    assert parameters.chosen(Pack, outcomes, "all") == [1, 2, 3, 4]
    assert parameters.chosen(Pack, outcomes, "none") == []


def test_nothing_is_kept_unless_it_is_asked_for(tmp_path, soberlook):
    where = _run(tmp_path / "none")
    assert Store(where).names("parameters") == []
    code, _, said = soberlook("evaluate", where, "--metrics", "mig")
    assert code == 2 and said.splitlines()[-1].startswith("error: ") and "were kept there" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _, a: a["runs"][0].update(version=99), "was trained as version 99 of beta_vae"),
        (lambda _, a: a["runs"][0].update(model="beta_va"), "did you mean 'beta_vae'"),
        (lambda _, a: a["runs"][0].update(model="factor_vae"), "unknown setting of factor_vae"),
        (lambda _, a: a["runs"][0]["settings"].update(latents=3), "must be float32"),
        (lambda _, a: a["runs"][0]["settings"].update(bita=3), "bita"),
        (lambda _, a: a.update(schema=99), "has schema 99, this version reads up to"),
        (lambda _, a: a.pop("batch"), "batch"),
        (lambda leaves, _: leaves.popitem(), "its arrays are others"),
    ],
)
def test_what_is_not_as_it_was_is_one_clear_line(kept, tmp_path, change, message):
    where, run_id = changed(kept, tmp_path, change)
    with pytest.raises(BadInput, match=message) as raised:
        results.checkpoint(where, run_id)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"\x80\x04cos\nsystem\n", b"\xff" * 64])
def test_bytes_of_others_are_named_and_not_run(kept, tmp_path, content):
    store = Store(tmp_path / "s")
    store.create("small", "")
    store.put("parameters/abc", content)
    with pytest.raises(BadInput, match="parameters/abc: "):
        results.checkpoint(tmp_path / "s", "0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--keep", "bset"), "did you mean 'best'"),
        (("--checkpoint-every", "-1"), "must be a whole number ≥ 0"),
        (("--resources", "gpu=1"), "give --ray, too"),
    ],
)
def test_wrong_options_are_one_line_before_training(soberlook, tmp_path, options, message):
    code, _, said = soberlook(*SMALL, *options, "--out", tmp_path / "q")
    assert code == 2 and message in said and said.count("\n") == 1
    assert not (tmp_path / "q").exists()
