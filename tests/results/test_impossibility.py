import numpy as np
import pandas as pd
import planted
import pytest
from scipy import optimize, stats

from soberlook.registry import BadInput
from soberlook.results.impossibility import impossibility, noticed, twins_of

RNG = np.random.default_rng


def pairs(before, after):
    """One dataset, one method, one strength: its runs' MIG and their twins'."""
    columns = {"mig": before, "mig_rotated": after}
    return planted.frame_of({c: np.array(v, float)[None, None, None] for c, v in columns.items()})


def test_by_hand():
    runs = pairs([0.2, 0.4, 0.6, 0.8, np.nan], [0.1, 0.3, 0.1, 0.9, np.nan])
    found = impossibility(runs).set_index("kind")
    expected = {"before": 0.5, "after": 0.2, "difference": -0.3, "lost": 0.6, "higher": 0.25}
    assert found["value"].to_dict() == pytest.approx(expected)
    assert (found["runs"] == 4).all() and (found["seeds"] == 4).all()
    few = found.drop(index="higher")  # medians of four seeds have no interval
    assert few["low"].isna().all() and set(few["why"]) == {"too few seeds for an interval"}
    assert found.loc["higher", "low"] < 0.25 < found.loc["higher", "high"]
    twice = runs.assign(seed=runs["seed"] + 5, run_id=runs["run_id"] + "again")
    found = impossibility(pd.concat([runs, twice], ignore_index=True)).set_index("kind")
    assert found["value"].to_dict() == pytest.approx(expected) and (found["why"] == "").all()
    assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()
    always = impossibility(pairs([0.4, 0.5, 0.6], [0.1, 0.3, 0.2])).set_index("kind")
    assert always.loc["higher", ["value", "low"]].tolist() == [0, 0]
    assert always.loc["higher", "high"] == pytest.approx(1 - 0.025 ** (1 / 3))


def test_the_median_of_drawn_seeds_is_numpys():
    rng = RNG(0)
    columns = {c: planted.effects(rng, (1, 2, 3, 7)) + 3 for c in ("mig", "mig_rotated")}
    columns["mig"][0, 0, 1, 2] = np.nan  # a run without its score
    runs = planted.frame_of(columns)
    # Seeds are drawn as `interval.bootstrap` draws them, and three draws are their own quantiles.
    taken = RNG(1).integers(7, size=(3, 7))
    table = np.stack([np.where(np.isnan(columns["mig"]), np.nan, v) for v in columns.values()])
    medians = [np.nanmedian(table[..., take], axis=(1, 2, 3, 4)) for take in taken]
    found = impossibility(runs, rng=RNG(1), draws=3).set_index("kind")
    for kind, drawn in zip(("before", "after"), np.transpose(medians), strict=True):
        assert drawn.min() <= found.loc[kind, "low"] <= found.loc[kind, "high"] <= drawn.max()
    one = impossibility(runs, rng=RNG(1), draws=1).set_index("kind")
    assert one.loc[["before", "after"], "low"].tolist() == pytest.approx(medians_of_one(table))


def medians_of_one(table):
    take = RNG(1).integers(7, size=(1, 7))[0]
    return np.nanmedian(table[..., take], axis=(1, 2, 3, 4)).tolist()


def test_what_notices_a_rotation_and_what_does_not():
    rng = RNG(0)
    score = 0.5 + 0.02 * planted.effects(rng, (1, 2, 6, 10), setting=1)
    noise = 0.005 * rng.standard_normal(score.shape)
    columns = {"mig": score, "mig_rotated": 0.4 * score + noise}
    columns |= {"beta_vae_score": score, "beta_vae_score_rotated": score + noise}
    columns |= {"modularity": score, "modularity_rotated": 1.3 * score}
    few = {"sap": score[..., :3], "sap_rotated": score[..., :3] * [0.5, 1.0, 1.5]}
    found = impossibility(planted.frame_of(columns), rng=RNG(0))
    said = noticed(found).droplevel("dataset").to_dict()
    assert said == {"mig": "yes", "beta_vae_score": "no", "modularity": "rises"}
    assert noticed(impossibility(planted.frame_of(few), rng=RNG(0))).tolist() == ["cannot tell"]
    higher = found[found["kind"] == "higher"].set_index("metric")
    # Every run alike: the open end is what ten seeds can exclude.
    assert higher.loc["mig", ["value", "low", "high"]].tolist() == pytest.approx(
        [0, 0, 0.3085], 1e-3
    )
    assert higher.loc["modularity", "low"] == pytest.approx(0.6915, 1e-3)


def test_poor_input_says_why():
    runs = pairs([0.2, 0.4, 0.6], [0.1, 0.3, 0.1])
    assert impossibility(runs[:0], rng=RNG(0)).empty and twins_of(runs[:0]) == []
    assert impossibility(runs.drop(columns="mig_rotated"), rng=RNG(0)).empty
    with pytest.raises(BadInput, match="sap_rotated"):
        impossibility(runs.assign(sap=1.0), ["sap"], rng=RNG(0))
    lost = impossibility(runs.assign(mig_rotated=np.nan), ["mig"], rng=RNG(0))
    assert set(lost["why"]) == {"no run has mig and mig_rotated"} and lost["value"].isna().all()
    one = impossibility(runs[:1], rng=RNG(0))
    assert (
        set(one["why"]) == {"one seed"} and one["value"].notna().all() and one["low"].isna().all()
    )
    nothing = impossibility(runs.assign(mig=0.0), rng=RNG(0)).set_index("kind")
    assert nothing.loc["lost", "why"] == "the score is 0 before"
    assert noticed(nothing.reset_index()).tolist() == ["cannot tell"]


SHAPE = 1, 6, 6, 10


def study(rng):
    """Scores about a centre of each setting, of which a part survives rotation; and the truth."""
    centre = 0.1 * rng.standard_normal((*SHAPE[:3], 1))
    means, luck = (0.5 + centre, 0.3 + 0.6 * centre), (1, 2)
    columns = {
        name: mean + 0.05 * planted.effects(rng, SHAPE, seed=0.5, luck=own)
        for name, mean, own in zip(("mig", "mig_rotated"), means, luck, strict=True)
    }
    spread = [0.05 * np.hypot(0.5, own) for own in luck]
    before, after = map(median_of, means, spread)
    truth = {"before": before, "after": after, "difference": after - before}
    truth["lost"] = 1 - after / before
    truth["higher"] = stats.norm.cdf((means[1] - means[0]) / np.hypot(*spread)).mean()
    return planted.frame_of(columns), pd.Series(truth)


def median_of(means, spread):
    """Of a mixture of normals."""
    return optimize.brentq(lambda x: stats.norm.cdf((x - means) / spread).mean() - 0.5, -2, 3)


def covered(rng: np.random.Generator) -> dict[str, float]:
    runs, truth = study(rng)
    found = impossibility(runs, rng=rng).set_index("kind")
    return ((found["low"] <= truth) & (truth <= found["high"])).astype(float).to_dict()


def test_intervals_cover():
    shares = pd.DataFrame([covered(RNG([i, 12])) for i in range(40)]).mean()
    assert (shares >= 0.9).all(), shares
