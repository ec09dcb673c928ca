import numpy as np
import pytest
from planted import effects, frame_of
from scipy import stats
from test_best_of_sweep import expected, planted

from soberlook.registry import BadInput
from soberlook.results.compare_methods import compare_methods, difference, improvement
from soberlook.results.multiplicity import holm


def covered(rng: np.random.Generator, off: float = 0.0) -> dict[str, float]:
    """`off` is added to the planted values: with it, intervals should not contain them."""
    means = rng.normal(0, 1, (4, 3, 4))
    scores = planted(rng, means, seed=np.array([0, 0, 1, 1])[:, None, None, None])
    runs = frame_of({"mig": scores})
    found, first, second = {}, *np.triu_indices(3, 1)
    for of, own in (("all", means.mean(axis=-1)), ("best", expected(means, 5))):
        table = compare_methods(runs, of=of)
        truth = (own[:, first] - own[:, second]).ravel() + off
        inside = (table["low"] <= truth) & (truth <= table["high"])
        for shared, name in ((False, "seeds alone"), (True, "shared seeds")):
            which = table["dataset"].isin(["d2", "d3"]) == shared
            found[f"difference, {of}, {name}"] = inside[which].mean()
            if of == "all":
                chance = stats.norm.cdf(truth / np.sqrt(2 * (0.25 + shared)))
                held = (table["better_low"] <= chance) & (chance <= table["better_high"])
                at_least = " (at least)" if shared else ""
                found[f"improvement, {name}{at_least}"] = held[which].mean()
    return found


def test_intervals_cover():
    found = [covered(np.random.default_rng([i, 72])) for i in range(40)]
    for kind in found[0]:
        share = np.mean([one[kind] for one in found])
        assert share >= 0.9, (kind, share)


def test_intervals_do_not_contain_what_is_far_off():
    found = [covered(np.random.default_rng([i, 72]), off=3.0) for i in range(10)]
    for kind in found[0]:
        assert np.mean([one[kind] for one in found]) <= 0.3, kind


def test_differences_are_those_of_scipy():
    rng = np.random.default_rng(0)
    common, a, b = rng.normal(size=(3, 12))
    pairs = {True: (a + 2 * common, b + 2 * common), False: (a + common, b - common)}
    for paired, (x, y) in pairs.items():
        known = stats.ttest_rel(x, y) if paired else stats.ttest_ind(x, y, equal_var=False)
        found = difference(x, y)
        assert found.paired == paired and found.p() == pytest.approx(known.pvalue)
        assert found.interval() == pytest.approx(tuple(known.confidence_interval()))
        assert found.correlation == pytest.approx(np.corrcoef(x, y)[0, 1])
        assert found.p_above() == pytest.approx(
            known.pvalue / 2 if known.statistic > 0 else 1 - known.pvalue / 2
        )
    missing = np.where(np.arange(12) < 3, np.nan, b + 2 * common)  # other seeds are no pairs
    known = stats.ttest_ind(a + 2 * common, missing[3:], equal_var=False)
    found = difference(a + 2 * common, missing)
    assert not found.paired and found.p() == pytest.approx(known.pvalue)


def test_improvement_by_hand():
    # 5 beats both, 3 beats 2 and ties with 3, of 2 × 2 pairs.
    value, low, high = improvement(np.array([5, 3.0]), np.array([2, 3.0]))
    assert value == 3.5 / 4 and low < value < high <= 1
    value, low, high = improvement(np.arange(10) + 100.0, np.arange(10.0))
    assert value == 1 and 0.6 < low < 0.85 and high == 1
    # Newcombe's equation holds at the ends: 10 against 10 seeds, 60 of 100 pairs.
    value, low, _ = improvement(np.arange(10.0) + 1.2, np.arange(10.0))
    more = (1 - low) / (2 - low) + low / (1 + low)
    variance = low * (1 - low) * (1 + 9 * more) / 100
    assert (value - low) ** 2 == pytest.approx(1.959964**2 * variance, rel=0.02)
    assert np.isnan(improvement(np.array([1.0]), np.array([0.0]))).all()


def test_a_table_by_hand():
    rng = np.random.default_rng(0)
    values = effects(rng, (2, 3, 2, 8), seed=2.0)
    runs = frame_of({"mig": values, "sap": values**2})
    found = compare_methods(runs, of="all")
    assert found.groupby(["dataset", "metric"], sort=False).size().tolist() == [3, 3, 3, 3]
    row = found.iloc[1]  # d0, mig, the first and the third method
    a, b = values[0, 0].mean(axis=0), values[0, 2].mean(axis=0)
    assert (row["model"], row["other"]) == ("annealed_vae", "beta_vae") and row["paired"]
    assert row["p"] == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert row["effect"] == pytest.approx(
        (a - b).mean() / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    )
    assert found["p_holm"].iloc[:3].tolist() == pytest.approx(holm(found["p"].iloc[:3]).tolist())
    assert found["p_fdr"].tolist() == pytest.approx(stats.false_discovery_control(found["p"]))
    assert (found["p_holm"] >= found["p"]).all() and found["better"].between(0, 1).all()


def test_where_methods_do_not_differ_little_is_found():
    wrong = []
    for i in range(60):
        values = effects(np.random.default_rng([i, 3]), (3, 4, 3, 10), seed=1.0)
        table = compare_methods(frame_of({"mig": values}))
        wrong += (table.groupby("dataset")["p_holm"].min() < 0.05).tolist()
    assert np.mean(wrong) <= 0.08


def test_a_method_that_is_better_is_found():
    values = effects(np.random.default_rng(0), (1, 2, 3, 10), seed=1.0)
    values[0, 1] += 3
    row = compare_methods(frame_of({"mig": values})).iloc[0]
    assert row["high"] < 0 and row["p_holm"] < 0.01 and row["better_high"] < 0.5


def test_what_cannot_be_said_is_why():
    one = compare_methods(frame_of({"mig": np.ones((1, 2, 1, 1))})).iloc[0]
    assert one["why"] == "one seed" and one["value"] == 0 and np.isnan(one["p"])
    flat = compare_methods(frame_of({"mig": np.full((1, 2, 2, 5), 0.3)})).iloc[0]
    assert (
        flat["why"] == "every seed says the same"
        and np.isnan(flat[["low", "p", "effect"]].astype(float)).all()
    )
    lost = compare_methods(frame_of({"mig": np.full((1, 2, 2, 5), np.nan)}), ["mig"]).iloc[0]
    assert lost["why"] == "too few runs" and np.isnan(lost["better"])
    assert compare_methods(frame_of({"mig": np.ones((2, 1, 2, 5))})).empty
    empty = compare_methods(frame_of({"mig": np.ones((1, 1, 1, 1))})[:0])
    assert empty.empty and {"p_fdr", "why"} <= {*empty.columns}
    with pytest.raises(BadInput, match="of='worst': expected one of 'best', 'all'"):
        compare_methods(frame_of({"mig": np.ones((1, 2, 1, 5))}), of="worst")
    with pytest.raises(BadInput, match="seed"):
        compare_methods(frame_of({"mig": np.ones((1, 2, 1, 5))}).drop(columns="seed"))
