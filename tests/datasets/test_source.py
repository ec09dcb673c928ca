"""Which files are the published ones."""

import gzip
import hashlib

import pytest

from soberlook.datasets.source import File, Source, given, locate, mismatch
from soberlook.registry import BadInput


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"content", mtime=1))
    return path


def test_size_and_hashes_are_compared_where_they_are_known(path):
    size, right = path.stat().st_size, md5(path.read_bytes())
    assert mismatch(path, File("a.gz", "", size, md5=right)) == ""
    assert mismatch(path, File("a.gz", "", md5=right)) == ""
    assert "with md5" in mismatch(path, File("a.gz", "", md5="0" * 32))
    assert "expected 7 bytes" in mismatch(path, File("a.gz", "", 7, md5=right))


def test_a_file_that_was_packed_anew_is_the_published_one(path):
    published = File("a.gz", "", 999, "0" * 64, unpacked_md5=md5(b"content"))
    assert mismatch(path, published) == ""
    path.write_bytes(gzip.compress(b"content of another"))
    assert "expected 999 bytes of a.gz" in mismatch(path, published)
    path.write_bytes(b"content")
    assert "expected 999 bytes of a.gz" in mismatch(path, published)


def test_the_same_data_in_another_published_file_is_taken(path):
    other = File("b.npz", "", md5=md5(path.read_bytes()))
    published = File("a.hdf5", "", 999, others=(other,))
    assert mismatch(path, published) == ""
    wrong = published._replace(others=(other._replace(md5="0" * 32),))
    assert "expected 999 bytes of a.hdf5" in mismatch(path, wrong)


def test_another_published_file_is_found_by_its_name(tmp_path):
    published = File("a.hdf5", "", 1, others=(File("b.npz", ""),))
    (tmp_path / "c").write_bytes(b"")
    with pytest.raises(BadInput, match="expected a.hdf5 in"):
        locate([published], [tmp_path])
    (tmp_path / "b.npz").write_bytes(b"")
    assert locate([published], [tmp_path]) == {"a.hdf5": tmp_path / "b.npz"}
    assert given(published, tmp_path / "b.npz") == published.others[0]
    assert given(published, tmp_path / "a.hdf5") == given(published, tmp_path / "c") == published
    (tmp_path / "a.hdf5").write_bytes(b"")
    assert locate([published], [tmp_path]) == {"a.hdf5": tmp_path / "a.hdf5"}


def test_the_size_of_a_source_is_known_where_all_sizes_are():
    assert Source("", "", (File("a", "", 3), File("b", "", 4))).size == 7
    assert Source("", "", (File("a", "", 3), File("b", ""))).size is None
