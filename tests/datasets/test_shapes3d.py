"""Shapes3D from made files of the published layout, all 480,000 combinations in small."""

import h5py
import numpy as np
import pytest

from soberlook.datasets import Shapes3D

SIZES = (10, 2, 3, 8, 4, 15)
VALUES = np.indices(SIZES).reshape(6, -1).T
NUMBERS = (  # what the published file has instead of values
    np.arange(10) / 10,
    np.arange(2) / 10,
    np.arange(3) / 10,
    np.linspace(0.75, 1.25, 8),
    np.arange(4.0),
    np.linspace(-30, 30, 15),
)
LABELS = np.stack([numbers[VALUES[:, i]] for i, numbers in enumerate(NUMBERS)], axis=1)
NAME = "3dshapes.h5"


def draw(values):
    """Images [k, 4, 4, 3] whose pixels are the values, each in a place of its own."""
    images = np.zeros((len(values), 4, 4, 3), np.uint8)
    images[:, 0, :3, 0] = 10 * values[:, :3]
    images[:, 3, 1:, 2] = 10 * values[:, 3:] + 5
    return images


def write(path, images=None, labels=LABELS):
    with h5py.File(path, "w") as file:
        images = draw(VALUES) if images is None else images
        file.create_dataset("images", data=images, chunks=(999, 2, 1, 1), compression="gzip")
        file["labels"] = labels
    return {NAME: path}


@pytest.fixture
def shapes3d(shrunk):
    return shrunk(Shapes3D, factor_sizes=SIZES, image_shape=(4, 4, 3))


@pytest.mark.parametrize("order", ["as published", "shuffled"])
def test_every_image_is_at_its_cell(shapes3d, imported, tmp_path, order):
    rows = np.arange(len(VALUES))
    if order == "shuffled":
        rows = np.random.default_rng(0).permutation(rows)
    images = imported(shapes3d, write(tmp_path / NAME, draw(VALUES)[rows], LABELS[rows]))
    np.testing.assert_array_equal(images, draw(VALUES).reshape(*SIZES, 4, 4, 3))


def test_the_builder_of_tensorflow_datasets_gives_the_same(shapes3d, imported, tmp_path):
    import tensorflow_datasets as tfds

    rows = np.random.default_rng(1).permutation(len(VALUES))
    files = write(tmp_path / NAME, draw(VALUES)[rows], LABELS[rows])
    images = imported(shapes3d, files)
    builder = tfds.builder("shapes3d", data_dir=tmp_path / "tfds")
    local = type("Local", (), {"download": lambda self, url: str(files[NAME])})()
    (split,) = builder._split_generators(local)
    names = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    seen = set()
    for _, example in builder._generate_examples(**split.gen_kwargs):
        cell = tuple(int(example[f"label_{name}"]) for name in names)
        assert (images[cell] == example["image"]).all()
        seen.add(cell)
    assert len(seen) == len(VALUES)
    (file,) = Shapes3D.source.files
    published = builder.url_infos[file.url]
    assert (published.filename, published.size) == (file.name, file.size)
    assert published.checksum == file.sha256


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"images": draw(VALUES)[:-1]}, "found 28,799 images, 28,800 labels"),
        ({"images": draw(VALUES)[:, :3]}, r"uint8 \[n, 4, 4, 3\] in 'images', found uint8"),
        ({"labels": LABELS[:, :5]}, r"floating \[n, 6\] in 'labels'"),
        ({"labels": VALUES}, "in 'labels', found int64"),
        ({"labels": LABELS[:, ::-1]}, "expected 10 values of floor_hue, found 15"),
        ({"labels": LABELS + np.eye(28_800, 6) / 7}, "expected 10 values of floor_hue, found 11"),
    ],
)
def test_other_layouts_are_one_clear_line(shapes3d, refused, tmp_path, changes, match):
    refused(shapes3d, write(tmp_path / NAME, **changes), match)


def test_the_file_of_another_dataset_is_one_clear_line(shapes3d, refused, tmp_path):
    with h5py.File(tmp_path / NAME, "w") as file:
        file["imgs"] = np.zeros((2, 64, 64), np.uint8)
    refused(shapes3d, {NAME: tmp_path / NAME}, "expected an array 'images', found imgs")
