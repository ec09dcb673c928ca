import contextlib
import hashlib
import http.server
import threading
from collections import namedtuple

import numpy as np
import pytest

from soberlook.datasets import File, Source, disk, fetch
from soberlook.registry import BadInput

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """A server on this machine that answers as told, and counts what it sent."""

    def __init__(self):
        self.requests, self.sent = [], 0
        self.content, self.status, self.ranges = CONTENT, 200, True
        self.says_size = True
        self.cuts = []  # after how many bytes each answer breaks off
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def do_HEAD(self):
                outer.answer(self, "HEAD")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/files/a.npz"

    def answer(self, handler, method="GET"):
        wanted = handler.headers.get("Range")
        self.requests.append(method if method == "HEAD" else wanted)
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        begin = begin if self.ranges else 0
        if begin >= len(self.content):
            handler.send_error(416)
            return
        if self.status != 200:
            handler.send_error(self.status)
            return
        handler.send_response(206 if begin else 200)
        rest = self.content[begin:]
        if begin:
            size = len(self.content)
            handler.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
        if self.says_size:
            handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        if method == "HEAD":
            return
        rest = rest[: self.cuts.pop(0)] if self.cuts else rest
        self.sent += len(rest)
        with contextlib.suppress(ConnectionError):
            handler.wfile.write(rest)
        handler.close_connection = True


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    made = Server()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def source(server, **changes):
    file = File("a.npz", server.url, len(CONTENT), SHA256)._replace(**changes)
    return Source("MIT", "https://example.org", (file,))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(server, folder, match, **changes):
    with pytest.raises(BadInput, match=match) as error:
        fetch.fetch(source(server, **changes), folder)
    assert "\n" not in str(error.value)


def test_a_file_is_downloaded_once_with_signs_of_life(server, tmp_path):
    heard = []
    folder = tmp_path / "deep" / "folder"
    found = fetch.fetch(source(server), folder, lambda file, there: heard.append(there))
    assert found == {"a.npz": folder / "a.npz"}
    assert found["a.npz"].read_bytes() == CONTENT and names(folder) == ["a.npz"]
    assert heard == sorted(heard) and heard[-1] == len(CONTENT) and len(heard) > 5
    fetch.fetch(source(server), folder)
    assert server.requests == [None]


def test_a_broken_download_goes_on_where_it_stopped(server, tmp_path):
    server.cuts = [1_000_000, 500_000]
    fetch.fetch(source(server), tmp_path)
    assert (tmp_path / "a.npz").read_bytes() == CONTENT
    assert server.sent == len(CONTENT)
    assert server.requests == [None, "bytes=1000000-", "bytes=1500000-"]


def test_the_next_command_goes_on_too(server, tmp_path):
    server.cuts = [100_000] * fetch.ATTEMPTS
    refused(server, tmp_path, r"the connection ended after 400,000 of 3,000,000 .* goes on where")
    assert names(tmp_path) == ["a.npz.part"]
    fetch.fetch(source(server), tmp_path)
    assert server.sent == len(CONTENT) and names(tmp_path) == ["a.npz"]


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.cuts, server.ranges = [1_000_000], False
    fetch.fetch(source(server), tmp_path)
    assert (tmp_path / "a.npz").read_bytes() == CONTENT
    assert server.sent == len(CONTENT) + 1_000_000


def test_a_part_of_another_file_is_thrown_away(server, tmp_path):
    (tmp_path / "a.npz.part").write_bytes(b"other" * 1000)
    fetch.fetch(source(server), tmp_path)
    assert (tmp_path / "a.npz").read_bytes() == CONTENT
    assert server.requests == ["bytes=5000-", None]


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 1])
def test_a_part_that_is_as_long_is_not_the_file_for_that(server, tmp_path, size):
    (tmp_path / "a.npz.part").write_bytes(bytes(size))
    fetch.fetch(source(server), tmp_path)
    assert (tmp_path / "a.npz").read_bytes() == CONTENT and server.requests == [None]


def test_a_part_that_is_longer_than_what_the_server_has(server, tmp_path):
    server.content = CONTENT[:1000]
    (tmp_path / "a.npz.part").write_bytes(bytes(2000))
    refused(server, tmp_path, "the connection ended after 1,000 of 3,000,000 bytes")


def test_a_damaged_file_in_the_folder_is_downloaded_again(server, tmp_path):
    (tmp_path / "a.npz").write_bytes(CONTENT[:-1] + b"x")
    fetch.fetch(source(server), tmp_path)
    assert (tmp_path / "a.npz").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "change, match",
    [
        ({"sha256": "0" * 64}, f"with sha256 0000.*, found {SHA256}; it may have been replaced"),
        ({"sha256": None, "md5": "0" * 32}, "with md5 0000"),
        ({"size": len(CONTENT) - 1}, "expected 2,999,999 bytes of a.npz, found"),
    ],
)
def test_another_file_is_refused_and_not_kept(server, tmp_path, change, match):
    refused(server, tmp_path, match, **change)
    assert names(tmp_path) == [] and len(server.requests) == 1


def test_a_hash_that_nobody_published_is_not_asked_for(server, tmp_path):
    fetch.fetch(source(server, sha256=None), tmp_path)
    assert names(tmp_path) == ["a.npz"]


def test_a_size_that_nobody_published_is_asked_for(server, tmp_path):
    fetch.fetch(source(server, size=None), tmp_path)
    assert (tmp_path / "a.npz").read_bytes() == CONTENT and server.requests == ["HEAD", None]
    fetch.fetch(source(server, size=None), tmp_path)  # it is there, and nobody is asked
    assert len(server.requests) == 2
    refused(server, tmp_path / "b", "with md5 0000", size=None, sha256=None, md5="0" * 32)


def test_a_server_that_does_not_say_how_large_a_file_is(server, tmp_path):
    server.says_size = False
    refused(server, tmp_path, "the server does not say how large it is", size=None)
    server.status = 503
    refused(server, tmp_path, "cannot fetch .*: the server answers 503", size=None)


def test_a_web_page_is_told_from_the_file(server, tmp_path):
    server.content = b"<!DOCTYPE html><html>quota exceeded</html>"
    refused(server, tmp_path, "expected a.npz, found a web page")
    assert "a.npz" not in names(tmp_path)


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_not_there_is_said_at_once(server, tmp_path, status):
    server.status = status
    refused(server, tmp_path, f"the server answers {status} .*data import takes it")
    assert len(server.requests) == 1


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.status = 503
    refused(server, tmp_path, "the server answers 503")
    assert len(server.requests) == fetch.ATTEMPTS


def test_no_network_is_one_clear_line(server, tmp_path):
    with contextlib.closing(http.server.HTTPServer(("127.0.0.1", 0), None).socket) as socket:
        port = socket.getsockname()[1]
    refused(server, tmp_path, "no answer .*is there a network", url=f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://example.org/a"])
def test_only_the_web_is_asked(server, tmp_path, url):
    refused(server, tmp_path, "a.npz cannot be fetched: get it from https://example.org", url=url)


def test_too_little_disk_is_said_before_anything_is_asked(server, tmp_path, monkeypatch):
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: namedtuple("usage", "free")(2_500_000))
    refused(server, tmp_path, r"the download needs 3.0 MB in .*, found 2.5 MB free")
    assert server.requests == []
    (tmp_path / "a.npz.part").write_bytes(CONTENT[:1_000_000])  # of which the rest has room
    fetch.fetch(source(server), tmp_path)
