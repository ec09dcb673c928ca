import csv
import itertools
import json
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from soberlook.datasets import DATASETS, add_arrays, add_folder, make
from soberlook.registry import BadInput

DOCS = Path(__file__).parents[2] / "docs" / "own-data.md"
SHAPES, XS = ("square", "heart", "ellipse"), (10, 9, 100)
PAIRS = list(itertools.product(SHAPES, XS))  # in no order of the values
IMAGES = np.random.default_rng(0).integers(256, size=(9, 4, 6, 3), dtype=np.uint8)
IN_ORDER = [PAIRS.index(pair) for pair in itertools.product(sorted(SHAPES), sorted(XS))]


@pytest.fixture(autouse=True)
def registry():
    """What a test registers is gone after it."""
    before = set(DATASETS)
    yield
    for name in set(DATASETS) - before:
        del DATASETS[name]


def observed(dataset):
    cells, key = jnp.arange(dataset.size), jax.random.key(0)
    return np.asarray(jax.jit(dataset.observe)(dataset.load(), cells, key))


def columns(pairs=PAIRS):
    shape, x = zip(*pairs, strict=True)
    return {"shape": shape, "x": x}


def refused(call, *arguments, match, **named):
    with pytest.raises(BadInput, match=match) as error:
        call(*arguments, **named)
    assert "\n" not in str(error.value)


def test_values_become_numbers_in_their_order():
    add_arrays("mine", IMAGES, columns())
    dataset = make("mine")
    assert dataset.factor_names == ("shape", "x") and dataset.factor_sizes == (3, 3)
    assert dataset.nuisance_sizes == () and dataset.image_shape == (4, 6, 3)
    np.testing.assert_allclose(observed(dataset), IMAGES[IN_ORDER] / 255, rtol=1e-6)
    assert make("mine", **dataset.settings()) == dataset and not dataset.missing()


def test_factors_may_be_an_array_with_names():
    codes = np.array([(SHAPES.index(shape), x) for shape, x in PAIRS])
    add_arrays("mine", IMAGES, codes, names=("shape", "x"))
    order = np.lexsort((codes[:, 1], codes[:, 0]))
    np.testing.assert_allclose(observed(make("mine")), IMAGES[order] / 255, rtol=1e-6)


def test_real_images_and_tables_stay_as_they_are():
    table = np.random.default_rng(0).random((9, 7))
    add_arrays("mine", table, columns())
    x = observed(make("mine"))
    assert x.dtype == np.float32 and x.shape == (9, 7)
    np.testing.assert_array_equal(x, table[IN_ORDER].astype(np.float32))


def test_several_images_of_a_combination_are_instances():
    many = PAIRS * 3 + PAIRS[:2]  # two combinations have four
    order = np.random.default_rng(0).permutation(len(many))
    many = [many[i] for i in order]
    images = np.arange(len(many), dtype=np.uint8)[:, None]
    with pytest.warns(UserWarning, match="2 of 29 images are left out, so that every .* has 3"):
        add_arrays("mine", images, columns(many))
    dataset = make("mine")
    assert dataset.nuisance_names == ("instance",) and dataset.nuisance_sizes == (3,)
    assert dataset.size == 27
    found = np.round(255 * observed(dataset)[:, 0]).astype(int)
    factors = np.asarray(dataset.factors(np.arange(27)))
    expected = [(sorted(SHAPES)[a], sorted(XS)[b]) for a, b in factors]
    assert [many[i] for i in found] == expected and len(set(found)) == 27
    assert (np.diff(found.reshape(9, 3)) > 0).all()  # the first of each, in their order


def test_without_factors_there_is_one():
    add_arrays("mine", IMAGES)
    dataset = make("mine")
    assert dataset.factor_names == ("image",) and dataset.factor_sizes == (9,)
    assert not dataset.has_factors and add_arrays("other", IMAGES, columns()).has_factors
    np.testing.assert_allclose(observed(dataset), IMAGES / 255, rtol=1e-6)


def test_the_version_is_made_from_the_content():
    versions = [
        add_arrays("a", IMAGES, columns()).version,
        add_arrays("b", IMAGES[::-1], columns(PAIRS[::-1])).version,
        add_arrays("c", IMAGES ^ (np.arange(9) == 3)[:, None, None, None], columns()).version,
        add_arrays("d", IMAGES, {"form": columns()["shape"], "x": columns()["x"]}).version,
        add_arrays("e", IMAGES.reshape(9, 6, 4, 3), columns()).version,
    ]
    assert versions[0] == versions[1] and len(set(versions)) == 4  # in whatever order


NAN = np.where(np.arange(9) == 4, np.nan, 0.5)[:, None]


@pytest.mark.parametrize(
    "images, factors, names, match",
    [
        (IMAGES[:8], columns(PAIRS[:8]), None, "shape 3 × x 3 must be there, 1 of 9 are missing"),
        (IMAGES[:3], columns(PAIRS[2:5]), None, "3 of 6 are missing"),
        (
            IMAGES,
            columns(PAIRS[:8]),
            None,
            r"'shape' must have a value for each of 9 images, found",
        ),
        (IMAGES, np.zeros((9, 2)), ("a",), r"f names, found \[9, 2\] and 1 names"),
        (IMAGES, np.zeros((9, 2)), None, "and 0 names"),
        (IMAGES, np.zeros((9, 2)), ("a", "a"), "names of factors must differ, found a, a"),
        (IMAGES, {}, None, "factors must be one at least"),
        (IMAGES, {"a": np.zeros(9)}, None, "'a' must have several values, found 0"),
        (IMAGES, {"a": NAN[:, 0]}, None, "'a' has 1 values that are no numbers"),
        (IMAGES, {"a": [None] * 9}, None, "must be numbers or texts, found object"),
        (NAN, None, None, "images must be finite numbers, found 1 that are not"),
        (IMAGES / 100, None, None, r"real images must be in \[0, 1\], found values from 0 to 2.55"),
        (IMAGES.astype(int), None, None, "must be uint8, or real .*, found int64"),
        (np.arange(9.0), None, None, r"found shape \[9\]"),
        (IMAGES[:0], None, None, r"found shape \[0, 4, 6, 3\]"),
    ],
)
def test_bad_arrays_are_one_clear_line(images, factors, names, match):
    refused(add_arrays, "mine", images, factors, names, match=match)
    assert "mine" not in DATASETS


def test_a_name_is_used_once():
    refused(add_arrays, "mini_sprites", IMAGES, match="'mini_sprites' is taken")
    refused(add_arrays, "my data", IMAGES, match="must be a Python identifier")


@pytest.fixture
def folder(tmp_path):
    """A folder of nine images with a table of their factors."""
    rows = [("file", "shape", "x")]
    for i, (shape, x) in enumerate(PAIRS):
        Image.fromarray(IMAGES[i]).save(tmp_path / f"{i}.png")
        rows.append((f"{i}.png", shape, x))
    write(tmp_path, rows)
    return tmp_path


def write(folder, rows):
    with open(folder / "factors.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)


def rows_of(folder):
    with open(folder / "factors.csv", newline="") as file:
        return list(csv.reader(file))


def test_a_folder_is_the_arrays_in_it(folder):
    expected = add_arrays("expected", IMAGES, columns())
    assert add_folder("mine", folder).version == expected.version
    np.testing.assert_array_equal(observed(make("mine")), observed(make("expected")))


def test_grey_images_and_images_without_a_table(tmp_path):
    for i in range(9):
        Image.fromarray(IMAGES[i, ..., 0]).save(tmp_path / f"{i}.png")
    (tmp_path / "notes.txt").write_text("no image")
    add_folder("mine", str(tmp_path))
    dataset = make("mine")
    assert dataset.image_shape == (4, 6, 1) and dataset.factor_names == ("image",)
    np.testing.assert_allclose(observed(dataset), IMAGES[..., :1] / 255, rtol=1e-6)


def other_size(folder):
    Image.fromarray(IMAGES[0][:3]).save(folder / "4.png")


def transparent(folder):
    Image.fromarray(IMAGES[4]).convert("RGBA").save(folder / "4.png")


def torn(folder):
    (folder / "4.png").write_bytes((folder / "4.png").read_bytes()[:60])


def no_image(folder):
    (folder / "4.png").write_text("<html>")


def gone(folder):
    (folder / "4.png").unlink()


def outside(folder):
    rows = rows_of(folder)
    rows[4][0] = "../secret.png"
    write(folder, rows)


def short(folder):
    rows = rows_of(folder)
    rows[4] = rows[4][:2]
    write(folder, rows)


def twice(folder):
    rows = rows_of(folder)
    rows[4][0] = rows[5][0]
    write(folder, rows)


def no_factor(folder):
    write(folder, [row[:1] for row in rows_of(folder)])


def empty(folder):
    write(folder, [])


def headings_alone(folder):
    write(folder, rows_of(folder)[:1])


@pytest.mark.parametrize(
    "alter, match",
    [
        (other_size, "4.png: expected an image of 4×6×3 like 0.png, found 3×6×3"),
        (transparent, "4.png: expected .* without transparency, found mode RGBA"),
        (torn, "4.png: expected an image file, found none"),
        (no_image, "4.png: expected an image file, found none"),
        (gone, "4.png: expected an image file, found none: No such file"),
        (outside, "expected files inside the folder, found ../secret.png"),
        (short, "expected 3 columns as in the headings, found 2 in row 5"),
        (twice, "expected every file once, found one twice"),
        (no_factor, "expected headings that differ, a file and one factor at least, found file"),
        (empty, "expected a line of headings"),
        (headings_alone, "expected images in .*, found none"),
    ],
)
def test_bad_folders_are_one_clear_line(folder, alter, match):
    alter(folder)
    refused(add_folder, "mine", folder, match=match)


def test_no_folder_says_where_it_was_looked_for():
    refused(add_folder, "mine", "nowhere", match=f"none at {Path.cwd()}/nowhere")


def test_the_documented_example_trains(tmp_path, monkeypatch, soberlook):
    monkeypatch.chdir(tmp_path)
    text = DOCS.read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    command = re.search(r"\.venv/bin/(soberlook run .*)", text)[1].split()[1:]
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    Path(command[command.index("--plugin") + 1]).write_text(example)
    small = {"seeds": 1, "updates": 2, "models": "beta_vae", "metrics": "mig"}
    options = [text for key, value in small.items() for text in (f"--{key}", value)]
    options += ["--set", "beta=4", "--set", "network=mlp", "--no-cache"]
    code, _, said = soberlook(*command, *options)
    assert code == 0, said
    (cohort,) = Path(command[command.index("--out") + 1]).glob("cohorts/*.json")
    name = command[command.index("--datasets") + 1]
    assert json.loads(cohort.read_text())["dataset"]["name"] == name
