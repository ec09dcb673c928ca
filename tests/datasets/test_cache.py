import json
import pickle
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest

from soberlook.datasets import cache, disk
from soberlook.registry import BadInput


class Tiny:
    """What the cache asks of a dataset."""

    name, version = "tiny", 3
    factor_names, factor_sizes = ("shape", "x"), (2, 3)
    nuisance_names, nuisance_sizes = ("instance",), (2,)
    image_shape = (4, 5, 1)
    grid, size = (2, 3, 2), 12


SOURCE = {"licence": "MIT", "homepage": "", "files": [{"name": "a", "url": "", "sha256": "0"}]}
VALUES = np.indices(Tiny.grid).reshape(3, -1).T
IMAGES = np.random.default_rng(0).integers(256, size=(12, 4, 5, 1), dtype=np.uint8)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def blocks(order, size=5):
    for start in range(0, len(order), size):
        some = order[start : start + size]
        yield VALUES[some], IMAGES[some]


def hidden(root):
    """What is in the cache that is no dataset, but for locks."""
    return [p.name for p in root.iterdir() if p.name[0] == "." and p.suffix != ".lock"]


ORDERS = [
    list(range(12)),
    list(range(11, -1, -1)),
    [0, 2, 1, 3, 4, 9, 7, 8, 6, 5, 10, 11],  # blocks that are in order but for what is inside
    np.random.default_rng(0).permutation(12),
]


@pytest.mark.parametrize("order", ORDERS, ids=["rising", "falling", "nearly", "random"])
def test_every_image_comes_to_its_cell_in_whatever_order(root, order):
    where = cache.write(Tiny, blocks(order), SOURCE)
    assert where == root / "tiny-3" and hidden(root) == []
    assert sorted(p.name for p in where.iterdir()) == ["factors.npy", "images.npy", "meta.json"]
    images, factors = cache.images_of(Tiny), cache.factors_of(Tiny)
    assert isinstance(images, np.memmap) and not images.flags.writeable
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(factors, VALUES)
    assert images.dtype == np.uint8 and factors.dtype == np.int32
    meta = json.loads((where / "meta.json").read_text())
    assert meta["source"] == SOURCE and meta["nuisance_sizes"] == [2]
    cache.verify(Tiny)


def drop(values, images):
    return [(values[:-2], images[:-2])]


def twice(values, images):
    return [(values, images), (values[4:5], images[4:5])]


def twice_in_a_block(values, images):
    again = [*range(12), 4]
    return [(values[again], images[again])]


def outside(values, images):
    return [(np.where(values == 2, 3, values), images)]


def negative(values, images):
    return [(np.where(values == 2, -1, values), images)]


@pytest.mark.parametrize(
    "wrong, message",
    [
        (drop, "12 images, one a cell, 2 are missing: first shape 1, x 2, instance 0"),
        (twice, "two images for shape 0, x 2, instance 0"),
        (twice_in_a_block, "two images for shape 0, x 2, instance 0"),
        (outside, "x must be from 0 to 2, found 3"),
        (negative, "x must be from 0 to 2, found -1"),
        (lambda v, i: [(v, i[:, :3])], r"uint8 \[12, 4, 5, 1\], found uint8 \[12, 3, 5, 1\]"),
        (lambda v, i: [(v, i / 255)], r"images uint8 .*, found float64"),
        (lambda v, i: [(v[:, :2], i)], r"whole numbers \[12, 3\] as values, found int64 \[12, 2\]"),
        (lambda v, i: [(v[:3], i)], r"\[12, 3\] as values, found int64 \[3, 3\]"),
        (lambda v, i: [(v * 1.0, i)], "as values, found float64"),
        (lambda v, i: [], "12 are missing"),
    ],
)
def test_wrong_blocks_are_refused_and_leave_what_was_there(root, wrong, message):
    with pytest.raises(BadInput, match=message) as error:
        cache.write(Tiny, wrong(VALUES, IMAGES), SOURCE)
    assert "\n" not in str(error.value)
    assert not cache.folder_of(Tiny).exists() and hidden(root) == []
    cache.write(Tiny, [(VALUES, IMAGES)], SOURCE)
    with pytest.raises(BadInput):
        cache.write(Tiny, wrong(VALUES, IMAGES), SOURCE)
    np.testing.assert_array_equal(cache.images_of(Tiny), IMAGES)


def test_what_is_there_is_replaced_as_a_whole(root):
    cache.write(Tiny, [(VALUES, IMAGES)], SOURCE)
    before = cache.images_of(Tiny)
    cache.write(Tiny, [(VALUES, 255 - IMAGES)], SOURCE)
    np.testing.assert_array_equal(before, IMAGES)  # who reads the old one goes on
    np.testing.assert_array_equal(cache.images_of(Tiny), 255 - IMAGES)
    assert hidden(root) == []


WRITER = """
import pickle, sys, time
from types import SimpleNamespace
from soberlook.datasets import cache

tiny, values, images, source = pickle.load(sys.stdin.buffer)

def some():
    yield values[:5], images[:5]
    print("ready", flush=True)
    time.sleep(600)

cache.write(SimpleNamespace(**tiny), some(), source)
"""


def test_a_killed_writer_leaves_no_dataset_and_the_next_one_cleans_up(root):
    tiny = {key: value for key, value in vars(Tiny).items() if not key.startswith("__")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", WRITER], **pipes) as writer:
        try:
            pickle.dump((tiny, VALUES, IMAGES, SOURCE), writer.stdin)
            writer.stdin.close()
            assert writer.stdout.readline() == b"ready\n"
            with pytest.raises(BadInput, match="is being written by another process"):
                cache.write(Tiny, [(VALUES, IMAGES)], SOURCE)
        finally:
            writer.kill()
    assert hidden(root) == [".tiny-3.part"]
    with pytest.raises(BadInput, match="is not here"):
        cache.images_of(Tiny)
    cache.write(Tiny, [(VALUES, IMAGES)], SOURCE)
    assert hidden(root) == []
    cache.verify(Tiny)


def test_a_writer_killed_between_two_renames_loses_nothing(root):
    where = cache.write(Tiny, [(VALUES, IMAGES)], SOURCE)
    where.rename(root / ".tiny-3.old")
    with pytest.raises(BadInput, match="missing"):
        cache.write(Tiny, [], SOURCE)
    np.testing.assert_array_equal(cache.images_of(Tiny), IMAGES)


def cut(folder):
    path = folder / "images.npy"
    path.write_bytes(path.read_bytes()[:-7])


def other_shape(folder):
    np.save(folder / "images.npy", IMAGES[:6])


def other_order(folder):
    np.save(folder / "images.npy", np.asfortranarray(IMAGES))


def pickled(folder):
    np.save(folder / "images.npy", np.array([print, None]), allow_pickle=True)


def no_meta(folder):
    (folder / "meta.json").unlink()


def torn_meta(folder):
    path = folder / "meta.json"
    path.write_text(path.read_text()[:50])


def other_meta(folder):
    path = folder / "meta.json"
    path.write_text(path.read_text().replace('"shape"', '"form"'))


@pytest.mark.parametrize(
    "alter, message",
    [
        (cut, "images.npy is truncated"),
        (other_shape, r"images.npy must be uint8 \[12, 4, 5, 1\], found uint8 \[6, 4, 5, 1\]"),
        (other_order, "images.npy must be"),
        (pickled, "images.npy is truncated, or no array"),
        (no_meta, "meta.json cannot be read"),
        (torn_meta, "meta.json cannot be read"),
        (other_meta, "factor_names must be .'shape', 'x'., found .'form', 'x'."),
    ],
)
def test_a_damaged_folder_is_one_clear_line(alter, message):
    alter(cache.write(Tiny, [(VALUES, IMAGES)], SOURCE))
    with pytest.raises(BadInput, match=message) as error:
        cache.images_of(Tiny)
    assert "\n" not in str(error.value) and "data fetch tiny, or import, replaces it" in str(
        error.value
    )


def test_altered_pixels_are_found_by_their_hash():
    where = cache.write(Tiny, [(VALUES, IMAGES)], SOURCE)
    images = np.load(where / "images.npy")
    images[3, 2, 1] ^= 1
    np.save(where / "images.npy", images)
    cache.images_of(Tiny)  # as quick as before, and blind to it
    with pytest.raises(BadInput, match="images.npy must have sha256"):
        cache.verify(Tiny)


def test_too_little_disk_is_said_before_anything_is_read(root, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: usage(1000))

    def never():
        raise AssertionError("read")
        yield

    with pytest.raises(BadInput, match=r"needs 1\.0 MB in .*, found 1\.0 kB free: make room"):
        cache.write(Tiny, never(), SOURCE)
    assert not root.exists()


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOBERLOOK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(BadInput, match="cannot write to .*: Not a directory"):
        cache.write(Tiny, [(VALUES, IMAGES)], SOURCE)


def test_memory_does_not_hold_the_images(monkeypatch):
    """What is given is placed in the file: the reader's blocks are all there is in memory."""

    class Wide(Tiny):
        image_shape = (1000, 1000, 1)

    import tracemalloc

    image = np.zeros((1, 1000, 1000, 1), np.uint8)
    tracemalloc.start()
    cache.write(Wide, ((VALUES[i : i + 1], image) for i in range(12)), SOURCE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize(
    "size, text",
    [(999, "999 bytes"), (26_200_000, "26.2 MB"), (3.02e9, "3.0 GB"), (5e13, "50,000.0 GB")],
)
def test_bytes_are_said_as_people_say_them(size, text):
    assert disk.nice(size) == text
