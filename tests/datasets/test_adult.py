"""Files of the published layout, made here, and the published ones where they are."""

import csv
import gzip
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from soberlook.datasets import Adult, adult
from soberlook.datasets.columns import decode
from soberlook.registry import BadInput

REAL = Path(os.environ.get("SOBERLOOK_DATA", "")) / "adult"
FIRST = (
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, "
    "2174, 0, 40, United-States, <=50K"
)
SECOND = (
    "90, ?, 83311, HS-grad, 9, Widowed, ?, Wife, Black, Female, 0, 1902, 99, ?, >50K.",
    "17, Private, 1, 5th-6th, 3, Divorced, Sales, Unmarried, Other, Female, 0, 0, 1, Hong, >50K",
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Files of one and of two rows, and a dataset that expects them."""
    monkeypatch.setattr(adult, "ROWS", {"adult.data": 1, "adult.test": 2})
    files = {name: tmp_path / name for name in adult.ROWS}
    files["adult.data"].write_text(FIRST + "\n\n")
    files["adult.test"].write_text("|1x3 Cross validator\n" + "\n".join(SECOND) + "\n\n")
    return files


def table(rows):
    """Column → values, of all rows of the dataset as loaded."""
    dataset = Adult(rows=rows)
    x = dataset.observe(dataset.load(), jnp.arange(dataset.size), jax.random.key(0))
    values = map(np.asarray, decode(dataset.columns, x))
    return dict(zip((column.name for column in dataset.columns), values, strict=True)), x


def test_rows_are_those_of_the_files(small):
    assert "soberlook data import adult" in Adult().missing()
    Adult().bring(small)
    assert Adult().missing() == Adult(rows="test").missing() == ""
    found, x = table("all")
    assert x.shape == (3, *Adult.image_shape) and x.dtype == jnp.float32
    np.testing.assert_allclose(found["age"], [22 / 73, 1, 0], atol=0.5 / 255 + 1e-7)
    np.testing.assert_allclose(found["hours_per_week"], [39 / 98, 1, 0], atol=0.5 / 255 + 1e-7)
    assert found["sex"].tolist() == [1, 0, 0] and found["income"].tolist() == [0, 1, 1]
    named = {name: [kinds[i] for i in found[name]] for name, kinds in adult.CATEGORIES.items()}
    assert named["workclass"] == ["State-gov", "?", "Private"]
    assert named["education"] == ["Bachelors", "HS-grad", "5th-6th"]
    assert named["marital_status"] == ["Never-married", "Widowed", "Divorced"]
    assert named["occupation"] == ["Adm-clerical", "?", "Sales"]
    assert named["relationship"] == ["Not-in-family", "Wife", "Unmarried"]
    assert named["race"] == ["White", "Black", "Other"]
    assert named["native_country"] == ["United-States", "?", "Hong"]
    for column in Adult.columns:
        if column.kind == "categorical":
            np.testing.assert_array_equal(np.sort(x[:, column.slice])[:, -2:], [[0, 1]] * 3)
    train, test = table("train")[1], table("test")[1]
    np.testing.assert_array_equal(jnp.concatenate([train, test]), x)
    assert Adult().factor_sizes == (1,) and Adult(rows="test").factor_sizes == (2,)


def test_zipped_files_and_headers_are_read_too(small, tmp_path):
    Adult().bring(small)
    plain = table("all")[1]
    header = "age, workclass, fnlwgt, education, education-num, marital-status\n"
    for path in small.values():
        body = path.read_text().removeprefix("|1x3 Cross validator\n")
        path.write_bytes(gzip.compress((header + body).encode()))
    Adult().bring(small)
    np.testing.assert_array_equal(table("all")[1], plain)


@pytest.mark.parametrize(
    "text, said",
    [
        ("<!DOCTYPE html>", "line 1: expected 15 fields, found 1: '<!DOCTYPE html>'"),
        (FIRST.replace("White", "Blue"), "line 1: race must be a known category, found 'Blue'"),
        (FIRST.replace("39,", "16,", 1), "line 1: age must be from 17 to 90, found '16'"),
        (FIRST.replace(" 40,", " 4e1,"), "line 1: hours_per_week must be from 1 to 99, found"),
        (FIRST.replace("39,", "٣٩,", 1), "line 1: age must be from 17 to 90"),
        (FIRST + "\n" + FIRST, "must have 1 rows, found more"),
        ("", "must have 1 rows, found 0"),
        ("x" * 5_000_000, "expected 15 fields, found 1"),
    ],
)
def test_what_is_no_such_file_is_refused(small, text, said):
    small["adult.data"].write_text(text)
    with pytest.raises(BadInput, match=said) as error:
        Adult().bring(small)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    assert Adult().missing()


HALF = gzip.compress(FIRST.encode() * 99, mtime=0)[:60]


@pytest.mark.parametrize("broken", [b"\x1f\x8bnothing", HALF], ids=["nothing", "half"])
def test_half_a_zipped_file_is_refused(small, broken):
    small["adult.data"].write_bytes(broken)
    with pytest.raises(BadInput, match=r"adult\.data cannot be read"):
        Adult().bring(small)


def test_columns_are_grouped_once_each():
    names = [column.name for column in Adult.columns]
    groups = [Adult.sensitive, Adult.label, *Adult.descendants, *Adult.non_descendants]
    assert sorted(groups) == sorted(names) and len(names) == 11
    assert set(Adult.strata) < set(Adult.non_descendants)
    kinds = {column.name: column.kind for column in Adult.columns}
    assert kinds[Adult.sensitive] == kinds[Adult.label] == "binary"


def read_by_other_means(name):
    """The published rows, as lists of their fields."""
    with gzip.open(REAL / f"{name}.gz", "rt") as file:
        rows = [row for row in csv.reader(file, skipinitialspace=True) if row]
    return rows[1:]


@pytest.mark.skipif(not (REAL / "adult.data.gz").exists(), reason="set SOBERLOOK_DATA to have it")
def test_the_published_files():
    Adult().bring({name: REAL / f"{name}.gz" for name in adult.ROWS})
    for rows, name, count in (("train", "adult.data", 32_561), ("test", "adult.test", 16_281)):
        found, x = table(rows)
        assert len(x) == count
        published = np.array(read_by_other_means(name))
        for column, (place, _) in adult.USED.items():
            expected = published[:, place]
            if column in adult.CATEGORIES:
                known = np.array(adult.CATEGORIES[column])
                np.testing.assert_array_equal(known[found[column]], expected, err_msg=column)
        age = 17 + 73 * found["age"].astype(float)
        np.testing.assert_array_equal(np.round(age), published[:, 0].astype(int))
        hours = 1 + 98 * found["hours_per_week"].astype(float)
        np.testing.assert_array_equal(np.round(hours), published[:, 12].astype(int))
    # What is generally known of the rows to train on.
    assert found["income"].mean().round(4) == 0.2362
    found, _ = table("train")
    assert found["income"].sum() == 7_841 and found["sex"].sum() == 21_790
    men, women = (found["income"][found["sex"] == sex].mean() for sex in (1, 0))
    assert (round(men, 3), round(women, 3)) == (0.306, 0.109)
