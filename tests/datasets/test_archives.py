import gzip
import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
import scipy.io

from soberlook.datasets import archives
from soberlook.registry import BadInput

NUMBERS = np.arange(10 * 6, dtype=np.uint8).reshape(10, 2, 3)


class Evil:
    """Unpickling it makes a folder: what executes, shows."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refused(call, *arguments, match):
    with pytest.raises(BadInput, match=match) as error:
        found = call(*arguments)
        list(found) if hasattr(found, "__next__") else None
    assert "\n" not in str(error.value)


def cut(path, share=0.6):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


@pytest.fixture
def npz(tmp_path):
    noise = np.random.default_rng(0).integers(256, size=(1000, 100), dtype=np.uint8)
    np.savez_compressed(tmp_path / "a.npz", imgs=NUMBERS, labels=np.arange(5), noise=noise)
    return tmp_path / "a.npz"


def test_npz_arrays_are_read_in_blocks(npz):
    blocks = list(archives.npz_blocks(npz, "imgs", rows=4))
    assert [len(block) for block in blocks] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), NUMBERS)
    assert archives.npz_shape(npz, "imgs") == ((10, 2, 3), np.uint8)
    np.testing.assert_array_equal(archives.npz_array(npz, "labels"), np.arange(5))


def test_npz_objects_are_refused_and_nothing_in_them_executes(tmp_path):
    made = tmp_path / "made"
    np.savez(tmp_path / "a.npz", imgs=np.array([Evil(made), None], dtype=object))
    for read in (archives.npz_blocks, archives.npz_shape, archives.npz_array):
        refused(read, tmp_path / "a.npz", "imgs", match="numbers in 'imgs', found Python objects")
    assert not made.exists()
    with np.load(tmp_path / "a.npz", allow_pickle=True) as loaded:
        loaded["imgs"]
    assert made.exists()  # it would have


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 6)}",
        b"((((((((((((",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (1",
        b"\xff" * 40,
    ],
)
def test_damaged_npz_headers_are_one_line(tmp_path, header):
    text = header.ljust(117) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(600)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("imgs.npy", array)
    for read in (archives.npz_blocks, archives.npz_shape, archives.npz_array):
        refused(read, tmp_path / "a.npz", "imgs", match="an array 'imgs', found something else")


def test_a_pickle_for_an_npz_is_refused(tmp_path):
    made, path = tmp_path / "made", tmp_path / "a.npz"
    path.write_bytes(pickle.dumps(Evil(made)))
    refused(archives.npz_array, path, "imgs", match="expected a zip archive.*, found a file that")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("imgs.npy", pickle.dumps(Evil(made)))
    refused(archives.npz_array, path, "imgs", match="expected an array 'imgs', found something")
    assert not made.exists()


def test_other_npz_layouts_say_what_is_there(npz, tmp_path):
    refused(archives.npz_array, npz, "images", match="'images', found imgs, labels, noise")
    np.savez(tmp_path / "f.npz", imgs=np.asfortranarray(NUMBERS), one=np.int32(3))
    blocks = lambda *a: list(archives.npz_blocks(*a))  # noqa: E731
    refused(blocks, tmp_path / "f.npz", "imgs", match="found in Fortran order")
    np.testing.assert_array_equal(archives.npz_array(tmp_path / "f.npz", "imgs"), NUMBERS)
    refused(archives.npz_array, tmp_path / "f.npz", "one", match="found a single number")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
def test_truncated_npz(npz, share):
    refused(archives.npz_array, cut(npz, share), "noise", match="truncated or damaged|found a file")


def test_an_npz_whose_bytes_were_changed_fails_its_checksum(tmp_path):
    np.savez(tmp_path / "a.npz", imgs=NUMBERS)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[content.index(bytes(range(40, 50)))] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    refused(archives.npz_array, tmp_path / "a.npz", "imgs", match="damaged .Bad CRC-32")


def test_an_npz_array_with_more_rows_than_it_says_is_refused(tmp_path):
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (9, 2, 3)}
    np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("imgs.npy", file.getvalue() + NUMBERS.tobytes())
    refused(archives.npz_array, tmp_path / "a.npz", "imgs", match=r"\[9, 2, 3\], found more")


@pytest.mark.parametrize(
    "content, found",
    [
        (b"<!DOCTYPE html><html>Sign in</html>", "a web page"),
        (b"\n  <HTML><body>404", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"", "an empty file"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"something else", "a file that begins with b'somethin'"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path, content, found):
    path = tmp_path / "file"
    path.write_bytes(content)
    kinds = [kind for kind, (_, _, name) in archives.KINDS.items() if not name.startswith(found)]
    assert len(kinds) >= len(archives.KINDS) - 1
    for kind in kinds:
        refused(archives.expect, path, kind, match=f"{path}: expected .*, found {found}")


def make_tar(path, entries, mode="w:gz"):
    """entries: (name, content) or a TarInfo."""
    with tarfile.open(path, mode) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
            else:
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                archive.addfile(info, io.BytesIO(entry[1]))
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_tar_members_are_read_without_a_disk(tmp_path, mode):
    folder = tarfile.TarInfo("cars")
    folder.type = tarfile.DIRTYPE
    entries = [folder, ("cars/b.mat", b"two"), ("cars/a.mat", b"one"), ("cars/list", b"b a")]
    path = make_tar(tmp_path / "a.tar", entries, mode)
    if mode == "w:xz":  # published archives are not: one more kind to trust
        refused(archives.tar_members, path, match="expected a tar archive, found a file")
        return
    assert list(archives.tar_members(path)) == entries[1:]
    assert list(archives.tar_members(path, ".mat")) == entries[1:3]
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/evil"])
def test_tar_names_out_of_the_folder_are_refused(tmp_path, name):
    inside = tmp_path / "inside"
    inside.mkdir()
    path = make_tar(inside / "a.tar", [(name, b"evil")])
    refused(archives.tar_members, path, match=f"inside the archive's folder, found '{name}'")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tar", "inside"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_tar_links_and_devices_are_passed_over(tmp_path, kind):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path = make_tar(tmp_path / "a.tar", [link("a.mat", str(secret), kind), ("b.mat", b"two")])
    assert list(archives.tar_members(path, ".mat")) == [("b.mat", b"two")]


def test_truncated_tar(tmp_path):
    noise = np.random.default_rng(0).bytes(100_000)
    for mode in ("w", "w:gz"):
        path = cut(make_tar(tmp_path / "a.tar", [("a", noise), ("b", noise)], mode))
        refused(archives.tar_members, path, match="whole tar archive, found it truncated")


def test_members_of_no_reasonable_size_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 10)
    path = make_tar(tmp_path / "a.tar", [("a", b"12345678901")])
    refused(archives.tar_members, path, match="at most 10 bytes in a, found 11")


def test_gzip_files_are_read_and_truncation_is_said(tmp_path):
    path, noise = tmp_path / "a.gz", np.random.default_rng(0).bytes(100_000)
    path.write_bytes(gzip.compress(noise))
    with archives.gunzipped(path) as file:
        assert archives.read_exactly(file, 10, "a") == noise[:10] and file.read() == noise[10:]

    def read(count):
        with archives.gunzipped(path) as file:
            archives.read_exactly(file, count, path)

    refused(read, 100_001, match="expected 100,001 more bytes, found 100,000")
    cut(path)
    refused(read, 100_000, match="whole gzip file, found it truncated")
    path.write_bytes(b"<html>")
    refused(read, 1, match="expected a gzip file, found a web page")


def mat(**arrays):
    file = io.BytesIO()
    scipy.io.savemat(file, arrays, do_compression=arrays.pop("compress", False))
    return file.getvalue()


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64, np.float32])
def test_mat_arrays_of_numbers(tmp_path, compress, dtype):
    content = mat(im=NUMBERS.astype(dtype), other=np.array(["text"]), compress=compress)
    found = archives.mat_array(content, "im")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, NUMBERS)
    (tmp_path / "a.mat").write_bytes(content)
    np.testing.assert_array_equal(archives.mat_array(tmp_path / "a.mat", "im"), NUMBERS)
    refused(archives.mat_array, content, "im2", "a.tar: x.mat", match="^a.tar: x.mat: .* found im")


@pytest.mark.parametrize(
    "value, kind",
    [({"a": 1}, "struct"), (np.array([[1], "b"], dtype=object), "cell"), ("text", "char")],
)
def test_mat_entries_that_are_no_numbers_are_refused(value, kind):
    refused(
        archives.mat_array, mat(im=value), "im", "a", match=f"numbers in 'im', found class {kind}"
    )


@pytest.mark.parametrize(
    "number, found",
    [(3, "found class object"), (16, "found class function"), (17, "damaged or of objects")],
)
def test_mat_objects_functions_and_opaque_entries_are_refused(number, found, monkeypatch):
    content = bytearray(mat(im=np.arange(4.0)))
    assert content[144] == 6  # the class of the first array: double
    content[144] = number
    monkeypatch.setattr(scipy.io, "loadmat", lambda *_, **__: pytest.fail("read"))
    refused(archives.mat_array, bytes(content), "im", "a", match=found)


def test_damaged_mat_files():
    whole = mat(im=np.random.default_rng(0).random((50, 50)))
    refused(archives.mat_array, whole[:3000], "im", "a.mat", match="found it truncated")
    refused(archives.mat_array, b"<html>", "im", "a.mat", match="MATLAB 5.0 .*, found a web page")
    compressed = mat(im=np.random.default_rng(0).random((50, 50)), compress=True)
    refused(archives.mat_array, compressed[:3000], "im", "a.mat", match="found it truncated")


def test_damaged_mat_bytes_end_in_one_line_or_in_numbers():
    """A thousand files with one wrong byte each: whatever the reader makes of it, it says so."""
    whole = mat(im=np.arange(12, dtype=np.uint8).reshape(3, 4), compress=True)
    rng = np.random.default_rng(0)
    for _ in range(1000):
        content = bytearray(whole)
        content[rng.integers(128, len(content))] = rng.integers(256)
        try:
            archives.mat_array(bytes(content), "im", "a.mat")
        except BadInput as error:
            assert "\n" not in str(error)
