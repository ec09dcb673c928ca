"""SmallNORB from made files of the published layout: six gzipped matrices, in any order."""

import gzip
import struct

import numpy as np
import pytest

from soberlook.datasets import SmallNORB, norb
from soberlook.datasets.resize import resized
from soberlook.datasets.smallnorb import TESTING, TRAINING

SIZES = (5, 3, 18, 2)
GRID = (*SIZES, 4)
INSTANCES = {TRAINING: (1, 3), TESTING: (0, 2)}
VALUES = np.indices(GRID).reshape(5, -1).T
RNG = np.random.default_rng(0)


def draw(values):
    """Images [k, 96, 96] whose bands of twelve rows have a factor's grey each."""
    bands = 12 * values + np.arange(5) + 1
    return np.repeat(np.pad(bands, ((0, 0), (0, 3))), 12, axis=1)[..., None].astype(
        np.uint8
    ) * np.ones(96, np.uint8)


def write_matrix(path, array):
    """As the page of the dataset describes the format; sizes are three at least."""
    magic = {1: 0x1E3D4C55, 4: 0x1E3D4C54}[array.itemsize]
    sizes = [*array.shape, 1, 1][: max(3, array.ndim)]
    head = struct.pack(f"<ii{len(sizes)}i", magic, array.ndim, *sizes)
    path.write_bytes(gzip.compress(head + array.tobytes(), 1))


@pytest.fixture
def files(tmp_path):
    """Name → path; training and test images are in an order of their own."""
    paths = {}
    for part, instances in INSTANCES.items():
        values = RNG.permutation(VALUES[np.isin(VALUES[:, 4], instances)])
        left = draw(values)
        info = values[:, [4, 1, 2, 3]] * [1, 1, 2, 1]  # the angle is in steps of 10°
        for what, array in (
            ("dat", np.stack([left, 255 - left], axis=1)),
            ("cat", values[:, 0].astype("<i4")),
            ("info", info.astype("<i4")),
        ):
            path = tmp_path / f"{part}-{what}.mat.gz"
            write_matrix(path, array)
            paths[path.name] = path
    return paths


@pytest.fixture
def smallnorb(shrunk):
    return shrunk(SmallNORB, factor_sizes=SIZES, nuisance_sizes=(4,))


def test_every_image_of_the_left_camera_is_at_its_cell(smallnorb, imported, files):
    images = imported(smallnorb, files)
    assert images.shape == (*GRID, 64, 64, 1)
    expected = resized(draw(VALUES)[..., None], 64).reshape(images.shape)
    np.testing.assert_array_equal(images, expected)
    # In the middle of its band a factor's grey is what was drawn, whatever the filter.
    for axis, values in enumerate(np.indices(GRID)):
        band = images[..., 8 * axis + 3 : 8 * axis + 5, :, 0]
        np.testing.assert_array_equal(
            band, (12 * values + axis + 1)[..., None, None] * np.ones((2, 64), int)
        )


def test_the_published_names_are_asked_for(files):
    assert set(files) == {file.name for file in SmallNORB.source.files}


def test_the_catalogue_of_tensorflow_datasets_has_the_same_files(tmp_path):
    import tensorflow_datasets as tfds

    published = tfds.builder("smallnorb", data_dir=tmp_path).url_infos
    assert set(published) == {file.url for file in SmallNORB.source.files}
    for file in SmallNORB.source.files:
        assert (published[file.url].size, published[file.url].checksum) == (file.size, file.sha256)


def test_matrices_are_read_in_blocks(tmp_path):
    matrix = np.arange(70, dtype="<i4").reshape(35, 2)
    write_matrix(tmp_path / "m.gz", matrix)
    blocks = list(norb.norb_blocks(tmp_path / "m.gz", np.int32, (2,), rows=10))
    assert [len(block) for block in blocks] == [10, 10, 10, 5]
    np.testing.assert_array_equal(np.concatenate(blocks), matrix)
    np.testing.assert_array_equal(norb.norb_matrix(tmp_path / "m.gz", np.int32, (2,)), matrix)


def swap(files, one, other):
    one, other = (files[f"{TRAINING}-{what}.mat.gz"] for what in (one, other))
    contents = one.read_bytes(), other.read_bytes()
    other.write_bytes(contents[0])
    one.write_bytes(contents[1])


def cut(path, bytes_):
    path.write_bytes(path.read_bytes()[:-bytes_])


DAT, CAT, INFO = (f"{TRAINING}-{what}.mat.gz" for what in ("dat", "cat", "info"))


@pytest.mark.parametrize(
    "damage, match",
    [
        (
            lambda f: swap(f, "dat", "cat"),
            r"cat.*expected int32 \[n\] in 'the matrix', found uint8",
        ),
        (lambda f: swap(f, "info", "cat"), r"expected int32 \[n\] .* found int32 \[1080, 4\]"),
        (lambda f: cut(f[DAT], 100), "truncated or damaged"),
        (lambda f: cut(f[INFO], 5), "truncated or damaged"),
        (lambda f: f[DAT].write_bytes(gzip.decompress(f[DAT].read_bytes())), "a gzip file, found"),
        (lambda f: f[CAT].write_bytes(b"<html></html>"), "found a web page"),
        (lambda f: f[CAT].write_bytes(gzip.compress(b"abc")), "expected 8 more bytes, found 3"),
        (
            lambda f: f[CAT].write_bytes(gzip.compress(struct.pack("<iiiii", 7, 1, 5, 1, 1))),
            "expected a NORB matrix .* begins with 0x7, 1",
        ),
        (
            lambda f: f[CAT].write_bytes(
                gzip.compress(struct.pack("<5i", 0x1E3D4C54, 1, -5, 1, 1))
            ),
            "expected sizes of a matrix, found",
        ),
        (lambda f: write_matrix(f[CAT], np.zeros(7, "<i4")), "7 categories, 1,080 labels"),
        (
            lambda f: write_matrix(f[DAT], np.zeros((7, 2, 96, 96), np.uint8)),
            "found 7 images, 1,080 labels",
        ),
        (
            lambda f: write_matrix(f[DAT], np.zeros((1080, 2, 108, 108), np.uint8)),
            r"uint8 \[n, 2, 96, 96\] in 'the matrix', found uint8 \[1080, 2, 108, 108\]",
        ),
        (lambda f: write_matrix(f[INFO], np.ones((1080, 4), "<i4")), "even azimuths, found 1"),
        (
            lambda f: f[INFO].write_bytes(f[f"{TESTING}-info.mat.gz"].read_bytes()),
            "two images for|are missing",
        ),
        (
            lambda f: f[CAT].write_bytes(
                gzip.compress(gzip.decompress(f[CAT].read_bytes()) + b"more")
            ),
            "found more",
        ),
    ],
)
def test_other_files_are_one_clear_line(smallnorb, refused, files, damage, match):
    damage(files)
    refused(smallnorb, files, match)
