import itertools

import numpy as np
import pandas as pd
import planted
import pytest

from soberlook.registry import BadInput
from soberlook.results.frontier import frontiers, hypervolume, hypervolumes, undominated

RNG = np.random.default_rng
ALL = "reconstruction, kl, mig"


def tiny(**columns):
    """One dataset, two methods of two strengths, seeds last."""
    return planted.frame_of({c: np.array(v, float)[None] for c, v in columns.items()})


@pytest.fixture
def runs():
    # Means of reconstruction 4 0 | 4 2, of KL 0 4 | 1 4, of MIG .2 .6 | .4 .2.
    reconstruction = [[[3, 5], [0, 0]], [[4, 4], [2, 2]]]
    kl = [[[0, 0], [3, 5]], [[1, 1], [4, 4]]]
    mig = [[[0.2, 0.2], [0.5, 0.7]], [[0.4, 0.4], [0.2, 0.2]]]
    return tiny(reconstruction=reconstruction, kl=kl, mig=mig)


def test_settings_that_none_dominates(runs):
    found = frontiers(runs, rng=RNG(0)).set_index(["objectives", "model", "strength"])
    on = {"reconstruction, kl": (1, 1, 0, 0), "reconstruction, mig": (0, 1, 0, 0)}
    on[ALL] = (1, 1, 1, 0)
    for objectives, overall in on.items():
        some = found.loc[objectives]
        assert some["overall"].tolist() == [bool(x) for x in overall], objectives
        assert some["reconstruction"].tolist() == [4, 0, 4, 2] and (some["runs"] == 2).all()
        assert (some["value"].to_numpy() >= 0).all() and some["low"].isna().all()
    # Within its method the last is cheaper to reconstruct, and the first of it scores higher.
    assert found.loc["reconstruction, mig"]["within"].tolist() == [False, True, True, True]
    np.testing.assert_allclose(found.loc[ALL]["mean"], [0.2, 0.6, 0.4, 0.2])
    assert found.loc["reconstruction, kl"]["mean"].isna().all()
    assert found.loc[(ALL, "annealed_vae", 2.0), "value"] == 1  # in every resample


def test_volumes_by_hand(runs):
    exact = pd.concat([runs, runs.assign(seed=runs["seed"] + 2)])  # no seed differs from itself
    for column in ("reconstruction", "kl", "mig"):
        exact[column] = exact.groupby("setting")[column].transform("mean")
    exact["run_id"] = exact["setting"] + exact["seed"].astype(str)
    found = hypervolumes(exact, rng=RNG(0)).set_index(["objectives", "model"])
    # Put between 0 and 1: (0, 1, 0), (1, 0, 1) | (0, ¾, ½), (½, 0, 0).
    area = found.loc["reconstruction, mig", "value"]
    assert area.tolist() == pytest.approx([1, 0])
    assert found.loc["reconstruction, kl", "value"].tolist() == pytest.approx([0, 0])
    better = exact.assign(kl=exact["kl"].where(exact["setting"] != "0-1-1", 3))
    found = hypervolumes(better, rng=RNG(0)).set_index(["objectives", "model"])
    assert found.loc[("reconstruction, kl", "beta_tcvae"), "value"] == pytest.approx(0.5 * 0.25)
    both = found.loc[("reconstruction, kl", "beta_tcvae")]
    assert both["low"] == pytest.approx(both["high"]) and both["settings"] == 2


def test_volume_of_three_objectives_is_inclusion_and_exclusion():
    rng = RNG(0)
    points = rng.random((20, 5, 3))
    expected = 0
    for size in range(1, 6):
        for chosen in itertools.combinations(range(5), size):
            common = points[:, chosen].min(axis=1).prod(axis=-1)
            expected = expected + (-1) ** (size + 1) * common
    np.testing.assert_allclose(hypervolume(points), expected)
    worse = np.concatenate([points, points * 0.9, -points, np.full_like(points, np.nan)], axis=1)
    np.testing.assert_allclose(hypervolume(worse), expected)


def test_dominance():
    points = np.array([[1, 1.0], [1, 1], [1, 0], [0, 2], [np.nan, 3]])
    assert undominated(points).tolist() == [True, True, False, True, False]
    own = np.eye(5, dtype=bool)
    assert undominated(points, own).tolist() == [True] * 4 + [False]


def test_luck_alone_is_not_a_frontier(runs):
    """Equal settings: the measured best is above the truth, and what is said of it is not sure."""
    rng = RNG(3)
    noise = {c: planted.effects(rng, (1, 2, 6, 10)) for c in ("reconstruction", "kl", "mig")}
    found = frontiers(planted.frame_of(noise), rng=RNG(0))
    on = found[(found["objectives"] == "reconstruction, mig") & found["overall"]]
    assert on["value"].mean() < 0.8
    same = hypervolumes(planted.frame_of(noise), rng=RNG(0))
    assert ((same["high"] - same["low"]) > 0.4).mean() > 0.8


def study(rng):
    """Methods that trade reconstruction for KL, each with a strength of its own that suits MIG."""
    t = np.linspace(0, 1, 6)
    reach, cost, best, height = (rng.uniform(*ends, (1, 6, 1)) for ends in UNEQUAL)
    truth = {"reconstruction": 13 + 20 * t**1.5 * reach, "kl": 1 + 12 * (1 - t) * cost}
    truth["mig"] = 0.05 + height * np.exp(-(((t - best) / 0.3) ** 2))
    luck = {"reconstruction": 0.7, "kl": 0.25, "mig": 0.06}
    shape = (1, 6, 6, 10)
    columns = {
        c: truth[c][..., None] + planted.effects(rng, shape, seed=sd / 2, luck=sd)
        for c, sd in luck.items()
    }
    return truth, planted.frame_of(columns)


UNEQUAL = ((0.3, 1.2), (0.6, 1), (0.2, 0.8), (0.04, 0.2))


def covered(rng: np.random.Generator) -> dict[str, float]:
    truth, runs = study(rng)
    found = hypervolumes(runs, rng=rng)
    means = runs.groupby("setting")[[*truth]].mean()
    shares = {}
    for objectives, some in found.groupby("objectives"):
        worth = []
        for name in objectives.split(", "):
            ends = means[name].max(), means[name].min()
            worst, best = ends if name != "mig" else ends[::-1]
            worth.append((truth[name][0] - worst) / (best - worst))
        volume = hypervolume(np.stack(worth, axis=-1))
        inside = (some["low"] <= volume) & (volume <= some["high"])
        shares[objectives] = inside.mean()
    return shares


def test_intervals_are_not_wide_without_reason():
    """The negative control of what covers."""
    found = pd.concat([hypervolumes(study(RNG([i, 11]))[1]) for i in range(5)])
    assert (found["high"] - found["low"]).median() < 0.5 * found["value"].median()
    runs = study(RNG(0))[1]
    assert hypervolumes(runs).equals(hypervolumes(runs, rng=RNG(0)))


def test_intervals_cover():
    shares = pd.DataFrame([covered(RNG([i, 11])) for i in range(40)]).mean()
    assert (shares >= 0.9).all(), shares


def test_poor_input_says_why(runs):
    empty = hypervolumes(runs[:0], rng=RNG(0))
    assert empty.empty and {"value", "low", "high", "why"} <= {*empty.columns}
    assert frontiers(runs[:0], rng=RNG(0)).empty
    with pytest.raises(BadInput, match="kl"):
        hypervolumes(runs.drop(columns="kl"), rng=RNG(0))
    lost = runs.assign(reconstruction=np.nan, kl=np.nan, mig=np.nan, status="diverged")
    for some, why in (
        (runs[runs["seed"] == 0], "one seed"),
        (lost.assign(mig=0.0), "no run has reconstruction, kl"),
        (runs.assign(kl=1.0), "no two settings differ in kl"),
        (runs[runs["setting"] == "0-0-0"], "no two settings differ in reconstruction"),
    ):
        found = hypervolumes(some, rng=RNG(0))
        assert found["why"].iloc[0] == why
        assert found.loc[found["why"] != "", "low"].isna().all()
        assert found.loc[found["why"] == why, "value"].notna().all() == (why == "one seed")
        points = frontiers(some, rng=RNG(0))
        assert points["why"].ne("").all() and not points.isin([np.inf, -np.inf]).any(axis=None)
    mixed = runs.assign(likelihood=np.where(runs["model"] == "beta_tcvae", "a", "b"))
    for question in (hypervolumes, frontiers):
        found = question(mixed)
        assert set(found["why"]) == {"its runs have several likelihoods, a, b"}
        assert found["value"].isna().all()
    # A method without a number alone does not take the others with it.
    part = runs.assign(kl=runs["kl"].where(runs["model"] != "beta_tcvae"))
    found = hypervolumes(part, rng=RNG(0)).set_index(["objectives", "model"])["why"]
    assert found["reconstruction, kl"].tolist() == ["", "no run has reconstruction, kl"]
    assert (frontiers(runs.drop(columns="mig"), rng=RNG(0))["metric"] == "").all()
