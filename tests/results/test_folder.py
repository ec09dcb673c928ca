"""Files of a folder are whole or absent, and stay where they belong."""

import errno
import fcntl
import os

import pytest

from soberlook.registry import BadInput
from soberlook.results import folder
from soberlook.results.folder import Folder, StoreError, redacted
from soberlook.results.store import Store

LEFT = ".0123456789abcdef0123456789abcdef.part"


@pytest.fixture
def place(tmp_path):
    return Folder(tmp_path / "place")


@pytest.mark.parametrize(
    "name", ["../x", "rows/../../x", "/etc/x", "rows//x", "rows/.", "", "rows\\..\\x", "x\0"]
)
def test_names_cannot_leave_their_folder(place, tmp_path, name):
    for act in (place.get, place.remove, place.state, lambda name: place.put(name, b"x")):
        with pytest.raises(BadInput, match="is not the name of a file in"):
            act(name)
    assert not list(tmp_path.iterdir())


def test_a_study_and_its_cohorts_cannot_leave_their_folder(tmp_path):
    store = Store(tmp_path / "s")
    store.create("../x", "")  # a name, and no path
    for act in (
        lambda: store.plan("../../x", "{}"),
        lambda: store.write_bounds("../../x", []),
        lambda: store.write_rows("../../x", []),
    ):
        with pytest.raises(BadInput, match="is not the name of a file in"):
            act()
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_write_that_fails_says_so_at_once_and_leaves_nothing(place, monkeypatch, error):
    place.put("rows/a", b"old")

    def fail(*_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("os.replace", fail)
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waited"))
    with pytest.raises(StoreError) as raised:
        place.put("rows/a", b"new")
    assert str(raised.value) == f"cannot write {place.root}/rows/a: {os.strerror(error)}"
    assert os.listdir(f"{place.root}/rows") == ["a"] and place.get("rows/a") == b"old"


def test_a_folder_whose_parent_is_a_file_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("x")
    for where in (tmp_path / "file", tmp_path / "file" / "study"):
        with pytest.raises(BadInput):
            Store(where).about()
    assert (tmp_path / "file").read_text() == "x"


def test_a_table_that_is_a_file_is_one_error(tmp_path):
    store = Store(tmp_path / "s")
    store.create("s", "")
    store.put("rows", b"mine")
    with pytest.raises(StoreError, match="cannot write .*/rows/one.parquet: Not a directory"):
        store.write_rows("one", [])
    assert store.get("rows") == b"mine"


def test_what_a_killed_writer_left_is_never_read_and_goes(tmp_path):
    store = Store(tmp_path / "s")
    store.put(f"{LEFT}", b"killed before anything was there")
    assert store.about() is None
    store.create("s", "")
    store.put(f"rows/{LEFT}", b"")
    for name in (".mine.part", ".hidden"):
        store.put(f"rows/{name}", b"somebody's")
    assert store.names("rows") == []
    store.sweep()
    assert sorted(os.listdir(f"{store.root}/rows")) == [".hidden", ".mine.part"]
    assert os.listdir(store.root).count(LEFT) == 0


def test_a_file_that_is_being_written_stays_whatever_the_clock_says(tmp_path):
    store = Store(tmp_path / "s")
    store.put(f"rows/{LEFT}", b"")
    path = f"{store.root}/rows/{LEFT}"
    with open(path, "r+b") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        for seconds in (0, 4e9):
            os.utime(path, (seconds, seconds))
            store.sweep()
            assert os.path.exists(path)
    store.sweep()
    assert not os.path.exists(path)


def test_a_writer_whose_file_vanishes_before_it_is_locked_writes_again(place, monkeypatch):
    lock, calls = fcntl.flock, []

    def swept(file, how):
        calls.append(file.name)
        if len(calls) == 1:
            os.unlink(file.name)
        lock(file, how)

    monkeypatch.setattr("fcntl.flock", swept)
    place.put("rows/a", b"content")
    assert len(calls) == 2 and place.get("rows/a") == b"content"
    assert os.listdir(f"{place.root}/rows") == ["a"]


def test_a_file_system_without_locks_is_written_to(place, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    place.put("a", b"content")
    place.put(LEFT, b"")
    place.sweep()
    assert place.get("a") == b"content" and place.get(LEFT) == b""


def test_a_shared_file_system_that_lost_a_file_is_asked_again(place, monkeypatch):
    place.put("a", b"content")
    read, tries = place.fs.cat_file, []

    def stale(path):
        tries.append(path)
        if len(tries) < 3:
            raise OSError(errno.ESTALE, "Stale file handle")
        return read(path)

    monkeypatch.setattr(folder, "PAUSES", (0.001, 0.01))
    monkeypatch.setattr(place.fs, "cat_file", stale)
    assert place.get("a") == b"content" and len(tries) == 3


@pytest.mark.parametrize(
    "where",
    [
        "s3://user:secret-word@bucket/x",
        "sftp://user:secret-word@host:22/x",
        "s3://user:secret/word@bucket/x",
        "https://host/x?token=secret-word",
        "simplecache::s3://user:secret-word@bucket/x",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(where):
    with pytest.raises(BadInput, match="expected one without credentials") as raised:
        Folder(where)
    assert "secret" not in str(raised.value) and "\n" not in str(raised.value)


def test_texts_lose_their_credentials(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    text = "GET http://me:word@host:80/a?X-Amz-Signature=12 by AKIAIOSFODNN7EXAMPLE, wJalrXUtnFEMI"
    assert redacted(text) == "GET http://***@host:80/a?*** by ***, ***"
    plain = "http://host:80/a and s3://bucket/what? me@home.org"
    assert redacted(plain) == plain
