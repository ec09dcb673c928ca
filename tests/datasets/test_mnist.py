"""MNIST and Fashion-MNIST: from made files, and from the real ones where they are."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from soberlook.datasets import MNIST, FashionMNIST, cache
from soberlook.datasets.idx import idx_array
from soberlook.datasets.mnist import IMAGES, LABELS
from soberlook.datasets.source import digest, mismatch

RNG = np.random.default_rng(0)
COUNTS = np.array([700, 720, 690, 650, 640, 600, 650, 700, 710, 730])  # 600 of the rarest
Y = RNG.permutation(np.repeat(np.arange(10), COUNTS)).astype(np.uint8)


def draw(labels):
    """Images [k, 28, 28] that say their label, and their place in the file in binary."""
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, :14] = 20 * labels[:, None, None]
    images[:, 20, :20] = 255 * (np.arange(len(labels))[:, None] >> np.arange(20) & 1)
    return images


def write_idx(path, array, code=8):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), 1))


@pytest.fixture
def files(tmp_path):
    write_idx(tmp_path / IMAGES, draw(Y))
    write_idx(tmp_path / LABELS, Y)
    return {name: tmp_path / name for name in (IMAGES, LABELS)}


@pytest.fixture(params=[MNIST, FashionMNIST], ids=lambda cls: cls.name)
def mnist(request, shrunk):
    return shrunk(request.param, nuisance_sizes=(600,))


def test_every_label_has_its_first_images_in_the_order_of_the_file(mnist, imported, files):
    images = imported(mnist, files)
    assert images.shape == (10, 600, 28, 28, 1)
    places = (images[..., 20, :20, 0] > 0) @ (1 << np.arange(20))
    for label in range(10):
        assert (images[label, :, :14] == 20 * label).all()
        np.testing.assert_array_equal(places[label], np.flatnonzero(label == Y)[:600])


def cut(path, count):
    path.write_bytes(path.read_bytes()[:-count])


def swap(files):
    images, labels = files[IMAGES].read_bytes(), files[LABELS].read_bytes()
    files[IMAGES].write_bytes(labels)
    files[LABELS].write_bytes(images)


@pytest.mark.parametrize(
    "damage, match",
    [
        (
            swap,
            r"expected an idx file of bytes with 1 dimensions, found .* b'\\x00\\x00\\x08\\x03'",
        ),
        (lambda f: cut(f[IMAGES], 100), "truncated or damaged"),
        (lambda f: cut(f[LABELS], 4), "truncated or damaged"),
        (lambda f: f[IMAGES].write_bytes(b"<!doctype html>"), "found a web page"),
        (lambda f: write_idx(f[LABELS], Y.astype(">i4"), code=12), "an idx file of bytes"),
        (lambda f: write_idx(f[LABELS], Y[1:]), "found 6,790 images, 6,789 labels"),
        (lambda f: write_idx(f[IMAGES], draw(Y)[:, :27]), r"uint8 \[n, 28, 28, 1\]"),
        (lambda f: write_idx(f[LABELS], Y + np.uint8(1)), "labels from 0 to 9, found 10"),
        (lambda f: write_idx(f[LABELS], Y % 9), "600 images of the rarest label, found 0"),
        (
            lambda f: (write_idx(f[LABELS], Y[:5000]), write_idx(f[IMAGES], draw(Y[:5000]))),
            "expected 600 images of the rarest label, found 4..",
        ),
        (
            lambda f: f[LABELS].write_bytes(gzip.compress(struct.pack(">4BI", 0, 0, 8, 1, 9))),
            "expected 9 more bytes, found 0",
        ),
        (
            lambda f: f[LABELS].write_bytes(
                gzip.compress(gzip.decompress(f[LABELS].read_bytes()) + b"more")
            ),
            "found more",
        ),
        (
            lambda f: f[IMAGES].write_bytes(
                gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 28, 28))
            ),
            "expected at most",
        ),
    ],
)
def test_other_files_are_one_clear_line(mnist, refused, files, damage, match):
    damage(files)
    refused(mnist, files, match)


def test_a_file_of_more_images_is_another_file(shrunk, refused, files):
    """Of Fashion-MNIST's files MNIST would have enough of every label, and they are not MNIST."""
    refused(shrunk(MNIST, nuisance_sizes=(599,)), files, "expected 599 .*, found 600")


def test_the_catalogue_of_tensorflow_datasets_has_the_same_files():
    from tensorflow_datasets.core.download import checksums
    from tensorflow_datasets.core.utils import resource_utils

    folder = resource_utils.tfds_path() / "url_checksums"
    for cls in (MNIST, FashionMNIST):
        published = checksums.load_url_infos(folder / f"{cls.name}.txt")
        for file in cls.source.files:
            info = published[file.url]
            assert (info.size, info.checksum) == (file.size, file.sha256)


@pytest.mark.parametrize(
    "cls, folder, begins, rarest",
    [(MNIST, "mnist", "6bbc9ace", 5421), (FashionMNIST, "fashion-mnist", "f4a8712d", 6000)],
    ids=["mnist", "fashion_mnist"],
)
def test_the_real_files(cls, folder, begins, rarest, imported, shrunk, tmp_path):
    root = Path(os.environ.get("SOBERLOOK_DATA", "")) / folder
    if "SOBERLOOK_DATA" not in os.environ or not root.exists():
        pytest.skip(f"no folder {folder} in SOBERLOOK_DATA")
    files = {name: root / name for name in (IMAGES, LABELS)}
    with gzip.open(files[IMAGES]) as file:
        content = file.read()
    (tmp_path / "unpacked").write_bytes(content)
    assert digest(tmp_path / "unpacked", "md5").startswith(begins)
    for file in cls.source.files:  # packed anew, or not
        assert mismatch(files[file.name], file) == ""
    labels = idx_array(files[LABELS], 1)
    counts = np.bincount(labels)
    assert counts.sum() == 60_000 and counts.min() == rarest
    if cls is MNIST:
        expected = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
        assert counts.tolist() == expected
    dataset = shrunk(cls)
    images = imported(dataset, files)
    assert all(file["published"] for file in cache.meta_of(dataset)["source"]["files"])
    assert images.shape == (10, rarest, 28, 28, 1)
    published = np.frombuffer(content, np.uint8, offset=16).reshape(60_000, 28, 28, 1)
    for label in range(10):
        expected = published[labels == label][:rarest]
        np.testing.assert_array_equal(images[label], expected)
