import numpy as np
import pandas as pd
import planted
import pytest
from scipy import optimize, stats

from soberlook.registry import BadInput
from soberlook.results.downstream import by_thirds, families, with_efficiencies

RNG = np.random.default_rng
GBT, LR = "downstream_gbt_accuracy_", "downstream_lr_accuracy_"


def one_setting(**columns):
    """One dataset, method and strength; seeds."""
    return planted.frame_of({c: np.array(v, float)[None, None, None] for c, v in columns.items()})


def test_families_are_found_by_name():
    names = [GBT + "1000", GBT + "10", "downstream_gbt_min_accuracy_10", LR + "100", "dci_x_10"]
    names += ["dci_informativeness", "dci_informativeness_100", "dci_informativeness_train_100"]
    names += ["linear_probe_10", "linear_probe_all", "dci_informativeness_disjoint"]
    runs = one_setting(**dict.fromkeys(names, [0.1, 0.2])).assign(**{LR + "10": np.nan})
    found = {f.name: list(f.accuracies.items()) for f in families(runs)}
    assert found == {
        "downstream_lr_accuracy": [(100, LR + "100")],
        "downstream_gbt_accuracy": [(10, GBT + "10"), (1_000, GBT + "1000")],
        "linear_probe": [(10, "linear_probe_10")],
        "dci_informativeness": [
            (100, "dci_informativeness_100"),
            (10_000, "dci_informativeness"),
        ],
    }


def test_efficiency_names_what_it_divides_by():
    columns = {GBT + "100": [0.2, 0.3, 0.3], GBT + "1000": [0.4, 0.4, 0.4]}
    columns |= {GBT + "10000": [0.8, 0.6, 0.0]}
    runs = one_setting(**columns)
    both, found = with_efficiencies(runs)
    assert found == {"downstream_gbt_efficiency_100": GBT + "10000"}
    efficiency = both["downstream_gbt_efficiency_100"]
    np.testing.assert_allclose(efficiency, [0.25, 0.5, np.nan])  # chance of nothing is nothing
    # Of two datasets one has fewer labels: two columns, never mixed.
    other = runs.assign(dataset="d1").assign(**{GBT + "10000": np.nan})
    both, found = with_efficiencies(pd.concat([runs, other], ignore_index=True))
    few = "downstream_gbt_efficiency_100_of_1000"
    assert found == {"downstream_gbt_efficiency_100": GBT + "10000", few: GBT + "1000"}
    np.testing.assert_allclose(both[few], [np.nan] * 3 + [0.5, 0.75, 0.75])
    assert with_efficiencies(runs[[*runs.columns.drop(GBT + "100")]])[1] == {}


def test_the_papers_efficiency_is_that_of_the_frame():
    measured = {GBT + "100": [0.2, 0.3], GBT + "10000": [0.8, 0.6]}
    runs = one_setting(**measured, downstream_gbt_efficiency_100=[0.25, 0.5])
    pd.testing.assert_frame_equal(with_efficiencies(runs)[0], runs)


def test_thirds_by_hand():
    runs = one_setting(mig=[3, 1, 2, 6, 5, 4], **{GBT + "10": [0.3, 0.1, 0.2, 0.9, 0.5, 0.4]})
    found = by_thirds(runs).set_index("third")
    expected = {"low": 0.15, "middle": 0.35, "high": 0.7, "high − low": 0.55}
    assert found["value"].to_dict() == pytest.approx(expected)
    assert (found["low"] < found["value"]).all() and (found["runs"] == 6).all()
    assert set(found["accuracy"]) == {GBT + "10"} and set(found["metric"]) == {"mig"}


def test_runs_that_score_alike_are_shared_among_thirds():
    runs = one_setting(mig=[0, 0, 0, 1], **{GBT + "10": [0.1, 0.2, 0.3, 0.8]})
    found = by_thirds(runs).set_index("third")["value"]
    # Thirds of 4/3 runs: two of what the three alike have on average, and the last with a third of
    # one of those.
    assert found.tolist() == pytest.approx([0.2, 0.2, (0.8 + 0.2 / 3) / (4 / 3), 0.45])


def test_thirds_agree_with_pandas():
    rng = RNG(0)
    columns = {c: planted.effects(rng, (2, 3, 2, 9), setting=1) for c in ("mig", "sap")}
    columns[GBT + "10"] = 0.5 * columns["mig"] + planted.effects(rng, (2, 3, 2, 9))
    runs = planted.frame_of(columns)
    found = by_thirds(runs).set_index(["dataset", "metric", "third"])["value"]
    for score in ("mig", "sap"):
        for dataset, some in runs.groupby("dataset"):
            means = some.groupby(pd.qcut(some[score], 3, labels=False))[GBT + "10"].mean()
            assert found.loc[(dataset, score)].to_numpy()[:3] == pytest.approx(means.to_numpy())


def test_thirds_of_nothing():
    """A score that has nothing to do with an accuracy: the difference's interval has 0 in it."""
    inside, widths = [], []
    for i in range(30):
        columns = {c: planted.effects(RNG([i, 1]), (1, 3, 2, 10)) for c in ("mig",)}
        columns[GBT + "10"] = planted.effects(RNG([i, 2]), (1, 3, 2, 10))
        last = by_thirds(planted.frame_of(columns)).iloc[-1]
        inside.append(last["low"] < 0 < last["high"])
        widths.append(last["high"] - last["low"])
    assert np.mean(inside) > 0.85 and np.median(widths) < 2  # luck's deviation is 1


def test_poor_input_says_why():
    runs = one_setting(mig=[1, 2, 3], **{GBT + "10": [0.1, 0.2, 0.3]})
    for empty in (runs[:0], runs.drop(columns=GBT + "10"), runs.drop(columns="mig")):
        assert by_thirds(empty).empty and with_efficiencies(empty)[1] == {}
    with pytest.raises(BadInput, match="sap"):
        by_thirds(runs, ["sap"])
    for some, why in (
        (runs[:2], "fewer than three runs have both"),
        (runs.assign(mig=1.0), "mig never varies"),
        (runs.assign(**{GBT + "10": np.nan}), "fewer than three runs have both"),
        (runs.assign(**{GBT + "10": 0.3}), "every seed says the same"),
        (runs.assign(seed=0, setting=["a", "b", "c"]), "one seed"),
    ):
        found = by_thirds(some, ["mig"], [GBT + "10"])
        assert set(found["why"]) == {why} and found["low"].isna().all() and len(found) == 4
    assert found["value"].notna().all()


SHAPE = 1, 6, 6, 10
SLOPE, SCORE_LUCK, LUCK, SEED = 0.4, 0.06, 0.02, 0.5


def covered(rng: np.random.Generator) -> dict[str, float]:
    score = 0.3 + planted.effects(rng, (*SHAPE[:3], 1), model=0.05, setting=0.05, luck=0)
    accuracy = 0.5 + SLOPE * score + planted.effects(rng, (*SHAPE[:3], 1), setting=0.03, luck=0)
    luck = SCORE_LUCK * planted.effects(rng, SHAPE, seed=SEED)
    others = LUCK * planted.effects(rng, SHAPE, seed=SEED)
    columns = {"mig": score + luck, GBT + "10": accuracy + SLOPE * luck + others}
    found = by_thirds(planted.frame_of(columns)).set_index("third")
    truth = thirds_of(score.ravel(), accuracy.ravel(), SCORE_LUCK * np.hypot(1, SEED))
    return ((found["low"] <= truth) & (truth <= found["high"])).astype(float).to_dict()


def thirds_of(means, accuracies, spread):
    """What normal runs about these settings have, where accuracy goes up with the score."""

    def below(x):
        return stats.norm.cdf((x - means) / spread)

    inner = [optimize.brentq(lambda x, s=s: below(x).mean() - s, -9, 9) for s in (1 / 3, 2 / 3)]
    ends = [-9, *inner, 9]
    values = []
    for a, b in zip(ends[:-1], ends[1:], strict=True):
        density = stats.norm.pdf((a - means) / spread) - stats.norm.pdf((b - means) / spread)
        values.append(3 * (accuracies * (below(b) - below(a)) + SLOPE * spread * density).mean())
    return pd.Series([*values, values[-1] - values[0]], ["low", "middle", "high", "high − low"])


def test_intervals_cover():
    shares = pd.DataFrame([covered(RNG([i, 13])) for i in range(50)]).mean()
    assert (shares >= 0.9).all(), shares
