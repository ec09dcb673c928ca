"""Conditions as text: what they mean, and that they are never code."""

import numpy as np
import pandas as pd
import pytest

from soberlook import results
from soberlook.registry import BadInput


@pytest.fixture
def frame():
    columns = {
        "model": ["beta_vae", "beta_vae", "factor_vae", "dip_vae"],
        "beta": [1.0, 4.0, np.nan, np.nan],
        "seed": [0, 1, 2, 3],
        "mig": [0.1, 0.3, np.nan, 0.2],
        "images": pd.array([64, None, 128, 2], "Int64"),
        "shuffled": pd.array([True, False, None, True], "boolean"),
        "written": [True, False, True, False],
        "reason": pd.array(["", None, "it's off", "and so on"], "str"),
        "estimator": [np.nan] * 4,
    }
    return pd.DataFrame(columns, index=list("abcd"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("model == 'beta_vae'", "ab"),
        ('model != "beta_vae"', "cd"),
        ("model == 'beta_vae' and mig > .1", "b"),
        ("model == 'dip_vae' or mig >= 0.3", "bd"),
        ("seed == 0 or seed == 1 and beta == 4 or seed == 3", "abd"),
        ("(seed == 0 or seed == 1) and beta == 4", "b"),
        (".1 < mig <= 0.3", "bd"),
        ("0 <= seed < beta", "ab"),
        ("beta in [1, 2, 4]", "ab"),
        ("seed in (0, 3,)", "ad"),
        ("beta in []", ""),
        ("beta not in [4]", "a"),
        ("model in ['dip_vae', 'factor_vae']", "cd"),
        ("not model in ['dip_vae', 'factor_vae']", "ab"),
        ("not not (seed == 2)", "c"),
        ("not beta == beta", "cd"),
        ("-1 < -.5e0 < seed < 1e0", "a"),
        ("seed > -1", "abcd"),
        ("written", "ac"),
        ("not written and shuffled", "d"),
        ("shuffled == True", "ad"),
        ("shuffled != True", "b"),
        ("images > 2", "ac"),
        ('reason == "it\'s off"', "c"),
        ("reason == ''", "a"),
        ("reason != ''", "cd"),
        ("reason == 'and so on' and model >= 'c'", "d"),
        ("estimator == 'x' or estimator > 3 or estimator in [1]", ""),
        ("estimator or seed == 1", "b"),
        ("4 == beta", "b"),
        ("  seed\n ==\t1 ", "b"),
    ],
)
def test_what_a_condition_means(frame, text, found):
    assert "".join(results.query(frame, text).index) == found


def test_pandas_agrees_where_nothing_is_missing():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 5, 200), "b": rng.random(200)})
    frame["c"] = rng.choice(["x", "y", "z"], 200)
    for text in (
        "a == 3 and b > .5 or c == 'x' and not a in [1, 2]",
        "not (a < 2 or b < .3) and c != 'y'",
        "0.2 < b < 0.7 and a >= 1 or c in ['z']",
        "a > b and not c < 'y'",
    ):
        pd.testing.assert_frame_equal(results.query(frame, text), frame.query(text))


def test_a_mapping_says_the_same(frame):
    def found(**columns):
        return "".join(results.query(frame, columns).index)

    assert found(model="beta_vae") == "ab" and found(model=["beta_vae", "dip_vae"]) == "abd"
    assert found(seed=range(2)) == "ab" and found(seed=np.int64(2)) == "c"
    assert found(seed=np.arange(3), beta={1.0, 4}) == "ab" and found(written=True) == "ac"
    assert found(model=pd.Series(["factor_vae"])) == "c" and found() == "abcd"


def test_categories_are_their_values(frame):
    frame["model"] = frame["model"].astype("category")
    assert results.query(frame, "model == 'dip_vae'").index.tolist() == ["d"]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch x')",
        "model.str.upper() == 'A'",
        "seed.__class__ == 1",
        "(lambda: 1)() == 1",
        "f'{seed}' == '0'",
        "(x := 1) == 1",
        "@seed == 1",
        "`seed` == 1",
        "[seed for seed in [1]]",
        "seed[0] == 1",
        "eval('1') == 1",
        "seed == exec",
        "seed if seed else seed",
        "seed + 1 == 2",
        "seed ** 9999999 > 1",
        "seed & 1",
        "seed == 1 | seed == 2",
        "~written",
        "seed = 1",
        "seed == 1; seed",
        "seed is 1",
        "seed in seed",
        "seed in [seed]",
        "seed == (1, 2)",
        "{'a': 1}",
        "seed == 0x10",
        "seed == 1_000",
        "seed == '''a'''",
        "seed == 'open",
        "'a' 'b' == model",
        "",
        "   ",
        "and",
        "not",
        "seed ==",
        "== 1",
        "(seed == 1",
        "seed == 1)",
        "seed == --1",
        "seed == -model",
        "seed in [1",
        "1 in [1]",
        "seed < 3 in [1]",
        "(seed == 1) == 1",
        "seed == (beta == 1)",
        "1",
        "True",
        "\0",
        "seed == \u0661 and ü",
    ],
)
def test_what_is_no_condition_is_one_clear_line(frame, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as raised:
        results.query(frame, text)
    assert "\n" not in str(raised.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("sed == 1", "unknown column 'sed': did you mean 'seed'?"),
        ({"sed": 1}, "unknown column 'sed': did you mean 'seed'?"),
        ("model > 3", "model is text: expected text to compare it with, found 3, which is a numb"),
        ("seed == 'a'", "seed is a number: expected a number to compare it with, found 'a', w"),
        ("model in ['a', 1]", "model is text: expected text to compare it with, found 1"),
        ("written == 1", "written is true or false: expected true or false"),
        ("written > True", "true and false have no order"),
        ("model", "model is text: compare it, as in model == …"),
        ("seed = 1", "character 6: expected and, or, or the end, found '='"),
        ("seed == 'a", "character 9: expected a column, a number, text in quotes or (, found"),
        ("seed ==", "character 8: expected a column, a number, text in quotes or (, found the end"),
        ({"seed": None}, "seed must be numbers or text, found None"),
        ({"seed": [float("nan")]}, "seed must be numbers or text, found nan"),
        ({"seed": "a"}, "seed is a number"),
        (3, "where must be text, or column → values, found int"),
    ],
)
def test_the_line_says_what_was_expected(frame, where, message):
    with pytest.raises(BadInput) as raised:
        results.query(frame, where)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3_000 + "seed == 1" + ")" * 3_000,
        "not " * 2_000 + "seed == 1",
        "-" * 9_000 + "1 == seed",
        "[" * 9_000,
        "seed == 1 or " * 100_000 + "seed == 1",
    ],
)
def test_what_is_deep_or_long_does_not_crash(frame, text):
    with pytest.raises(BadInput):
        results.query(frame, text)


def test_what_is_wide_is_fine(frame):
    assert len(results.query(frame, " or ".join(["seed == 1"] * 700))) == 1
    assert len(results.query(frame, " and ".join(["seed < 9"] * 700))) == 4
    assert len(results.query(frame, f"seed in [{', '.join(map(str, range(1_500)))}]")) == 4
    assert results.query(frame, "seed < " + "9" * 5_000).equals(frame)


def test_odd_columns_are_one_line_or_none():
    frame = pd.DataFrame({"mixed": [1, "a"], "when": pd.to_datetime(["2020", "2021"])})
    for text in ("mixed == 1", "when == 1"):
        with pytest.raises(BadInput, match="neither numbers, nor text"):
            results.query(frame, text)
    empty = pd.DataFrame({"seed": pd.array([], "int64"), "model": pd.array([], "str")})
    assert results.query(empty, "seed == 1 or model == 'a'").empty
