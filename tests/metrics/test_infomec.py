import json
from pathlib import Path

import numpy as np
import pytest

from soberlook.metrics import METRICS, infomec, infomec_distinct, infomec_training, infomec_tripod
from soberlook.metrics.infomec import dominance, explicitness, normalized_information, standardized

RECORDED = json.loads((Path(__file__).parent / "reference/infomec.json").read_text())
# The reference draws its noise anew each time. It decides where codes tie, and only there:
# InfoM and InfoC of perfect codes have a standard deviation of .0013.
TIE = ("constdead10", "halfdead10", "identity5")
DEAD = {"constdead10": 5, "halfdead10": 5}
EMPTY = {"infom": 0, "infoc": 0, "infoe": 0}


def test_reference_scores(reference):
    codes, factors, *_ = reference.split
    found = infomec(codes, factors)
    for key, value in RECORDED["infomec"][reference.name].items():
        tolerance = 3e-5 if key == "infoe" else 0.004 if reference.name in TIE else 3e-4
        assert found[key] == pytest.approx(value, abs=tolerance), key


def test_both_published_rules_agree_on_the_reference(reference):
    assert RECORDED["infomec_tripod"][reference.name] == RECORDED["infomec"][reference.name]
    codes, factors, *_ = reference.split
    active = np.arange(codes.shape[1]) < codes.shape[1] - DEAD.get(reference.name, 0)
    for spread, least in ((np.ptp(codes, axis=0), 1 / 20), (quartiles(codes), 1 / 10)):
        np.testing.assert_array_equal(spread > spread.max() * least, active)


def quartiles(codes):
    return np.subtract(*np.percentile(codes, [75, 25], axis=0))


def test_reference_information(reference):
    active = slice(reference.grid_codes.shape[1] - DEAD.get(reference.name, 0))
    codes, factors, *_ = reference.split
    expected = np.transpose(RECORDED["nmi"][reference.name])[active]
    found = normalized_information(codes[:, active], factors, discrete=False, neighbors=10)
    tolerance = 0.004 if reference.name in TIE else 2e-5
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_reference_scores_of_discrete_codes(reference):
    if reference.name not in RECORDED["discrete"]:
        pytest.skip("recorded for noiseless codes only")
    codes, factors, *_ = reference.split
    # Both implementations: all of these codes are active to either, but the constant ones.
    recorded = pytest.approx(RECORDED["discrete"][reference.name], abs=1e-6)
    metric = infomec_tripod if reference.name == "constdead10" else infomec
    assert metric(codes, factors, discrete=True) == recorded


@pytest.fixture
def factors():
    """factors [600, 3] with 4, 5 and 6 values, each combination five times."""
    return np.tile(np.indices((4, 5, 6)).reshape(3, -1).T, (5, 1))


def test_known_answers(factors):
    codes = factors.astype(float)
    perfect = pytest.approx({"infom": 1, "infoc": 1, "infoe": 1}, abs=0.002)
    assert infomec(codes, factors, discrete=True) == perfect
    assert infomec(codes[:, [2, 0, 1]], factors, discrete=True) == perfect
    dead = np.hstack([codes, np.full((600, 2), 0.1)])
    assert infomec(dead, factors, discrete=True) == perfect
    duplicated = infomec(np.hstack([codes, codes]), factors, discrete=True)
    # Half of a factor's information is in each of two codes of six.
    assert duplicated == pytest.approx({"infom": 1, "infoc": 2 / 5, "infoe": 1}, abs=0.002)
    missed = infomec(codes[:, :2], factors, discrete=True)  # the third factor is in no code
    assert missed == pytest.approx({"infom": 1, "infoc": 2 / 3, "infoe": 2 / 3}, abs=0.002)
    both = np.stack([codes[:, 0] + 4 * codes[:, 1], codes[:, 2]], axis=1)
    merged = infomec(both, factors, discrete=True)  # N is 1 for either of two factors of three
    assert merged == pytest.approx({"infom": (1 / 4 + 1) / 2, "infoc": 1, "infoe": 1}, abs=0.002)


def test_points_drawn_often():
    """Perfect codes that differ in every cell, as a noisy encoder's: 10,000 draws of 120 cells."""
    cells = np.indices((4, 5, 6)).reshape(3, -1).T
    rng = np.random.default_rng(0)
    codes = cells + 0.01 * rng.standard_normal(cells.shape)
    drawn = rng.integers(0, len(cells), 10_000)
    often = codes[drawn], cells[drawn]
    found = infomec_distinct(*often)
    assert found["infom"] > 0.99 and found["infoc"] > 0.99 and found["infoe"] > 0.999
    assert infomec(*often)["infom"] < 0.01  # every neighbour is the point itself
    order = np.unique(drawn, return_index=True)[1]
    assert found == infomec_distinct(often[0][np.sort(order)], often[1][np.sort(order)])
    assert infomec_distinct(codes, cells) == infomec(codes, cells)
    with pytest.raises(ValueError, match="found 4 different points and as many values in column 0"):
        infomec_distinct(np.tile(np.eye(4), (9, 1)), np.tile(np.arange(4), 9)[:, None])


@pytest.mark.parametrize("metric", [infomec, infomec_distinct, infomec_training, infomec_tripod])
def test_known_answers_of_continuous_codes(metric, factors):
    rng = np.random.default_rng(0)
    codes = factors + 0.01 * rng.standard_normal(factors.shape)
    found = metric(codes, factors)
    assert found["infom"] > 0.93 and found["infoc"] > 0.93 and found["infoe"] > 0.999
    permuted = metric(codes[:, [1, 2, 0]], factors)
    assert permuted == pytest.approx(found, abs=1e-3)
    collapsed = metric(np.hstack([codes, 1e-4 * rng.standard_normal((600, 3))]), factors)
    assert collapsed == pytest.approx(found, abs=1e-3)  # inactive
    rotation = np.eye(3) - 2 / 3  # each code has a part of each factor
    rotated = metric(standardized(codes) @ rotation, factors)
    assert rotated["infom"] < 0.7 and rotated["infoc"] < 0.7 and rotated["infoe"] > 0.999


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("metric", [infomec, infomec_training, infomec_tripod])
def test_few_active_codes(metric, discrete, factors):
    assert metric(np.full((600, 3), 0.1), factors, discrete=discrete) == EMPTY
    assert metric(np.zeros((600, 1)), factors, discrete=discrete) == EMPTY
    one = np.hstack([factors[:, :1] + 0.0, np.full((600, 2), 0.1)])
    found = metric(one, factors, discrete=discrete)
    assert found["infom"] == pytest.approx(1, abs=0.05)
    assert found["infoc"] == 1
    assert found["infoe"] == pytest.approx(1 / 3, abs=0.01)
    one_factor = metric(factors + 0.0, factors[:, :1], discrete=discrete)
    assert one_factor["infom"] == 1 and one_factor["infoe"] == pytest.approx(1, abs=0.001)


def test_codes_of_other_cells_are_not_explicit(factors):
    order = np.random.default_rng(0).permutation(600)
    codes = factors + 0.1 * np.random.default_rng(1).standard_normal(factors.shape)
    assert infomec(codes[order], factors)["infoe"] < 0.02 < 0.98 < infomec(codes, factors)["infoe"]


def test_which_codes_are_active(factors):
    """InfoC of a code and its copy, which is as informative however narrow it is: 0 if both count,
    and 1 if one does."""
    code = factors[:, :1] + 0.0

    def counted(metric, width, **options):
        return metric(np.hstack([code, code * width]), factors[:, :1], **options)["infoc"] < 0.5

    for metric, border in ((infomec, 1 / 20), (infomec_training, 1 / 8), (infomec_tripod, 1 / 10)):
        assert counted(metric, 1.01 * border) and not counted(metric, 0.99 * border)
    assert counted(infomec, 1e-9, discrete=True)
    assert not counted(infomec_training, 0.99 / 8, discrete=True)
    # Quartiles of 0, 1, 2, 3, equally frequent: 0.75 and 2.25.
    border = 0.1 / quartiles(code)[0]
    assert counted(infomec_tripod, 1.01 * border, discrete=True)
    assert not counted(infomec_tripod, 0.99 * border, discrete=True)
    # A range is that of one point, quartiles are those of most.
    outlier = np.hstack([code, code])
    outlier[0, 0] = 100
    assert infomec(outlier, factors)["infoc"] == 1
    assert infomec_tripod(outlier, factors)["infoc"] < 0.5


def test_dominance():
    assert dominance(np.eye(4)) == pytest.approx(1)
    assert dominance(np.ones((2, 4))) == pytest.approx(0)
    assert dominance(np.zeros((2, 4))) == 0
    assert dominance(np.array([[1.0, 1, 0], [0, 0, 0]])) == pytest.approx((1 / 4 + 0) / 2)
    assert dominance(np.ones((3, 1))) == dominance(np.zeros((3, 1))) == 1


def test_explicitness_of_no_inputs_is_0_whatever_the_frequencies():
    factors = np.repeat([0, 1, 2], [900, 90, 10])[:, None]
    assert explicitness(np.zeros((1_000, 2)), factors) == pytest.approx(0, abs=1e-12)


def test_explicitness_of_two_values_of_a_binary_input():
    """p of either value is that of its half, so the cross-entropy is the conditional entropy."""
    factor = np.repeat([0, 1], 500)
    inputs = np.where(np.arange(1_000) % 10 == 0, 1 - factor, factor)[:, None] + 0.0
    expected = 1 + (0.9 * np.log(0.9) + 0.1 * np.log(0.1)) / np.log(2)
    assert explicitness(inputs, factor[:, None]) == pytest.approx(expected, abs=1e-5)


def test_variants_have_names_of_their_own():
    suffixes = {name: METRICS[name].suffix for name in METRICS if name.startswith("infomec")}
    assert suffixes == {
        "infomec": "",
        "infomec_distinct": "_distinct",
        "infomec_training": "_training",
        "infomec_tripod": "_tripod",
    }


@pytest.mark.parametrize("metric", [infomec, infomec_training, infomec_tripod])
def test_the_metric_checks_its_arrays(metric, factors):
    with pytest.raises(ValueError, match="codes must be finite"):
        metric(np.full((600, 2), np.nan), factors)
    with pytest.raises(ValueError, match="fewer classes than samples"):
        metric(np.eye(4), np.arange(4)[:, None])
