"""Floors and ceilings: what they are, and that they are computed once."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from soberlook import metrics
from soberlook.benchmark import bounds
from soberlook.benchmark.arguments import find_study
from soberlook.benchmark.evaluate import measure
from soberlook.benchmark.plan import make_plan
from soberlook.datasets import MiniSprites
from soberlook.results.frame import bounds as load_bounds
from soberlook.results.store import Store

SMALL = find_study("small")
RUN = ("run", "small", "--seeds", "1", "--set", "beta=1", "--updates", "20")
ALL = {"random", "rotated", "factors", "supervised"}
COMPUTED = ("train", "measure")


def score(codes, *names):
    one = bounds.representation(codes, MiniSprites())
    return {key: v for name in names for key, v, _ in measure(name, [one])[0][0]}


def keep(where, **changes):
    """Keep the bounds of this study, as `run` does it when everything is trained."""
    study = SMALL.narrowed(**{"seeds": [0], "updates": 20} | changes)
    store = Store(where)
    store.create(study.name, study.about)
    bounds.keep_bounds(store, make_plan(study, store))


def mig(where):
    return load_bounds(where).query("metric == 'mig'").set_index("codes")["value"].to_dict()


@pytest.fixture
def computed(monkeypatch):
    """The names of what is computed, call by call."""
    calls = []
    for name in COMPUTED:
        real = getattr(bounds, name)

        def call(*arguments, name=name, real=real):
            calls.append(name)
            return real(*arguments)

        monkeypatch.setattr(bounds, name, call)
    return calls


def test_rotated_factors_know_everything_and_are_entangled():
    factors, rotated = (f(MiniSprites()) for f in (bounds.true_factors, bounds.rotated_factors))
    rotation, residuals, rank, _ = np.linalg.lstsq(rotated, factors, rcond=None)
    np.testing.assert_allclose(rotated @ rotation, factors, atol=1e-5)  # nothing is lost
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(5), atol=1e-5)
    assert np.abs(rotation).max() < 0.65  # no factor is nearly alone; √(1/5) = .45 is the least
    np.testing.assert_array_equal(rotated, bounds.rotated_factors(MiniSprites()))
    names = ("mig", "linear_r2", "dci_1000")
    told, turned = score(factors, *names), score(rotated, *names)
    assert told["mig"] > 0.99 and turned["mig"] < 0.05
    assert told["linear_r2"] == pytest.approx(1) and turned["linear_r2"] == pytest.approx(1)
    entangled = "dci_disentanglement_1000"
    assert told[entangled] > 0.95 and turned[entangled] < 0.2


def test_a_single_factor_cannot_be_mixed():
    class One(MiniSprites):
        factor_names, factor_sizes = ("only",), (7,)

    one = object.__new__(One)
    np.testing.assert_allclose(
        np.abs(bounds.rotated_factors(one)), np.abs(bounds.true_factors(one))
    )


def test_the_supervised_encoder_is_between_the_floor_and_the_ceiling(tmp_path, capsys):
    keep(tmp_path, updates=400, metrics=["mig", "linear_r2"])
    said = capsys.readouterr().err
    assert "floors and ceilings of mini_sprites: random, rotated, factors, supervised" in said
    assert "supervised on mini_sprites, 1 runs · update 0 of 400" in said
    found = load_bounds(tmp_path)
    assert set(found["codes"]) == ALL and len(found) == 2 * 4
    known = mig(tmp_path)
    assert known["random"] < 0.01 < 0.3 < known["supervised"] < known["factors"] - 0.1
    r2 = found.query("metric == 'linear_r2'").set_index("codes")["value"]
    assert r2["random"] < 0.01 and 0.7 < r2["supervised"] < r2["factors"]
    assert set(found.query("codes == 'supervised'")["updates"]) == {400}
    assert found.query("codes != 'supervised'")["updates"].isna().all()


def test_an_encoder_that_learns_nothing_is_at_the_floor():
    study = SMALL.narrowed(seeds=[0], updates=1, fields={"learning_rate": 1e-9})
    codes = bounds.supervised_codes(bounds.supervised_run(study.expand()[0], study.budget), study)
    assert codes.shape == (6_144, 5) and np.isfinite(codes).all()
    assert score(codes, "mig")["mig"] < 0.1


def test_what_the_supervised_encoder_is():
    study = SMALL.narrowed(
        seeds=[7, 8], evaluate_at=[0.5, 1], fields={"latents": 3, "network": "linear"}
    )
    first, other, *_ = study.expand()
    told = bounds.supervised_run(first, study.budget)
    assert told.model.latents == 5 and told.model.network == "linear"
    assert told.model.learning_rate == 1e-3 and told.budget.updates == 2_000
    assert told.id == bounds.supervised_run(other, study.budget).id  # the dataset's, not a run's
    once = dataclasses.replace(study.budget, evaluate_at=(1.0,))
    assert told.id == bounds.supervised_run(first, once).id
    longer = dataclasses.replace(study.budget, updates=9_000)
    assert told.id != bounds.supervised_run(first, longer).id


def test_what_is_there_is_not_computed_again(tmp_path, computed, capsys):
    keep(tmp_path)
    assert computed.count("train") == 1 and computed.count("measure") == 4
    (file,) = (tmp_path / "bounds").iterdir()
    content = file.read_bytes()
    del computed[:]
    capsys.readouterr()
    for more in ({}, {"seeds": [3, 4]}, {"evaluate_at": [0.5, 1]}, {"draws": 2}):
        keep(tmp_path, **more)
    assert computed == [] and file.read_bytes() == content and capsys.readouterr().err == ""
    # Another metric: its numbers alone, for which the encoder is needed again.
    keep(tmp_path, metrics=["mig", "modularity"])
    assert computed.count("train") == 1 and computed.count("measure") == 4


def test_another_budget_is_another_ceiling_and_the_longest_is_shown(tmp_path, computed):
    keep(tmp_path)
    short = mig(tmp_path)
    del computed[:]
    keep(tmp_path, updates=200)
    assert computed == ["train", "measure"]
    long = mig(tmp_path)
    assert long["supervised"] > short["supervised"] + 0.1
    assert {**long, "supervised": 0} == {**short, "supervised": 0}
    keep(tmp_path)
    assert computed == ["train", "measure"] and mig(tmp_path) == long


def test_an_interruption_keeps_what_is_there_and_the_rest_comes_next_time(
    soberlook, tmp_path, monkeypatch
):
    def interrupted(*_):
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patch:
        patch.setattr(bounds, "train", interrupted)
        code, _, said = soberlook(*RUN, "--out", tmp_path)
    assert code == 130
    assert f"stopped: all 1 runs are kept in {tmp_path}, but not all floors and" in said
    assert set(mig(tmp_path)) == ALL - {"supervised"}
    code, _, said = soberlook(*RUN, "--out", tmp_path)
    assert code == 0 and set(mig(tmp_path)) == ALL
    assert "floors and ceilings of mini_sprites: supervised\n" in said


def test_what_goes_wrong_with_bounds_does_not_take_the_study_along(
    soberlook, tmp_path, monkeypatch
):
    def broken(*_):
        raise RuntimeError("out of luck")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(bounds, "train", broken)
        code, shown, said = soberlook(*RUN, "--out", tmp_path)
    assert code == 0 and "report: " in shown
    assert "not all floors and ceilings are there, RuntimeError: see " in said
    assert "out of luck" in (tmp_path / "failures" / "bounds.txt").read_text()
    soberlook(*RUN, "--out", tmp_path)
    assert set(mig(tmp_path)) == ALL


def test_a_metric_that_gives_no_number_is_not_asked_again(tmp_path, computed):
    @metrics.register("refuses", of="codes")
    def refuse(codes, factors):
        raise ValueError("it wants other codes")

    try:
        for _ in range(2):
            keep(tmp_path, metrics=["mig", "refuses"])
        assert computed.count("train") == 1 and computed.count("measure") == 4 * 2
        assert set(load_bounds(tmp_path)["metric"]) == {"mig"}
    finally:
        del metrics.METRICS["refuses"]


def test_files_without_the_newer_columns_are_read_and_completed(tmp_path):
    keep(tmp_path)
    new, (file,) = mig(tmp_path), (tmp_path / "bounds").iterdir()
    rows = pd.read_parquet(file)
    rows = rows[rows["codes"].isin(["random", "factors"])].drop(columns=["setting", "updates"])
    rows.assign(value=-1.0).to_parquet(file)
    assert mig(tmp_path) == {"random": -1, "factors": -1}
    keep(tmp_path)
    assert mig(tmp_path) == new


def test_bounds_are_of_codes_alone_and_of_every_dataset(tmp_path):
    keep(tmp_path, updates=2, datasets=["mini_sprites", "mini_sprites_noisy"])
    rows = Store(tmp_path).read("bounds").to_pandas()
    assert set(rows["source"]) == {"mig"}  # and not of reconstruction and KL
    assert len(rows) == 2 * 4 and set(rows["dataset"]) == {"mini_sprites", "mini_sprites_noisy"}
    assert {path.stem for path in (tmp_path / "bounds").iterdir()} == set(rows["dataset"])
    supervised = rows[rows["codes"] == "supervised"]
    assert supervised["setting"].nunique() == 2 and supervised["value"].nunique() == 2
