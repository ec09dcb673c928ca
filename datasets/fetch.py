"""Downloading a dataset's published files: resumed where it stopped, and checked before it counts.

A file is written as `<name>.part` and renamed when its size and hash are those of the source. What
cannot be had is one line of `BadInput`.
"""

import contextlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from soberlook.registry import BadInput

from .archives import looks_like
from .disk import check_space, locked
from .source import File, Source, mismatch

ATTEMPTS = 4  # of each file; those after the first go on where the one before broke off
PAUSE = 2.0  # seconds before the second attempt, twice as many before the third
TIMEOUT = 30.0  # seconds that a server may be silent
PIECE = 2**18  # bytes between two signs of life
FINAL = (400, 401, 403, 404, 410, 451)  # answers that asking again does not change
HEADERS = {"User-Agent": "soberlook", "Accept-Encoding": "identity"}


class Broken(Exception):
    """A download broke off; its message says how. Another attempt may do."""


def fetch(
    source: Source, folder: Path, on_progress: Callable[[File, int], None] = lambda *_: None
) -> dict[str, Path]:
    """Download all files of a source into `folder`; name → path.

    Files that are there and sound are not downloaded again. `on_progress` hears the file and how
    many of its bytes are there. Raises `BadInput` where the disk is too small, a server does not
    answer or gives something else, or a file has no address.
    """
    files = sized(source, folder).files
    check_space(folder, sum(left_of(file, folder) for file in files), "the download")
    with locked(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return {file.name: fetch_file(file, folder, on_progress) for file in files}


def sized(source: Source, folder: Path) -> Source:
    """The source with the sizes of all its files: servers are asked for those nobody published.

    Raises `BadInput` where a file has no address, or its server does not answer.
    """
    for file in source.files:
        if not file.url.startswith(("https://", "http://")):
            raise BadInput(
                f"{file.name} cannot be fetched: get it from {source.homepage}, then import it"
            )
    return source._replace(files=tuple(_sized(file, folder / file.name) for file in source.files))


def _sized(file, path):
    if file.size is not None:
        return file
    if path.exists() and not mismatch(path, file):
        return file._replace(size=path.stat().st_size)
    request = urllib.request.Request(file.url, headers=HEADERS, method="HEAD")
    try:
        with _answer(file, path, request) as answer:
            size = answer.headers.get("Content-Length") or ""
    except Broken as error:
        raise BadInput(f"cannot fetch {file.url}: {error}") from None
    if not size.isdecimal():
        raise BadInput(f"cannot fetch {file.url}: the server does not say how large it is")
    return file._replace(size=int(size))


def left_of(file: File, folder: Path) -> int:
    """Bytes of a file that are not in the folder yet."""
    there = [
        path.stat().st_size for path in (folder / file.name, _part(file, folder)) if path.exists()
    ]
    return max(file.size - max(there, default=0), 0)


def fetch_file(file: File, folder: Path, on_progress=lambda *_: None) -> Path:
    """Download one file into `folder`, in several attempts where needed; say where it is."""
    path, part = folder / file.name, _part(file, folder)
    if path.exists() and not mismatch(path, file):
        on_progress(file, file.size)
        return path
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        begun = part.stat().st_size if part.exists() else 0
        try:
            if begun < file.size:
                _download(file, part, begun, on_progress)
            if not (wrong := mismatch(part, file)):
                part.replace(path)
                return path
        except Broken as error:
            reason = str(error)
            continue
        except OSError as error:
            raise BadInput(f"cannot write {part}: {error.strerror or error}") from None
        part.unlink()
        if not begun:  # what came in one piece and is wrong will be wrong again
            raise BadInput(
                f"{file.url} is not the file expected: {wrong.removeprefix(f'{part}: ')}; it may "
                "have been replaced: with a newer one of your own, soberlook data import "
                "--any-version"
            )
        reason = wrong
    raise BadInput(
        f"cannot fetch {file.url}: {reason}; the same command goes on where this one stopped"
    )


def _download(file, part, begun, on_progress):
    """Append to `part` what it has not; raise `Broken` where that ends before the file does."""
    headers = HEADERS | ({"Range": f"bytes={begun}-"} if begun else {})
    with _answer(file, part, urllib.request.Request(file.url, headers=headers)) as answer:
        resumed = (answer.headers.get("Content-Range") or "").startswith(f"bytes {begun}-")
        if begun and not (answer.status == 206 and resumed):
            begun = 0  # the server sends all of it
        there = begun
        with open(part, "ab" if begun else "wb") as written:
            while there <= file.size and (piece := _read(answer)):
                if not there and looks_like(piece[:512]).startswith("a web page"):
                    raise BadInput(
                        f"{file.url}: expected {file.name}, found {looks_like(piece[:512])}"
                    )
                written.write(piece)
                there += len(piece)
                on_progress(file, there)
    if there < file.size:
        raise Broken(f"the connection ended after {there:,} of {file.size:,} bytes")


@contextlib.contextmanager
def _answer(file, part, request):
    """What the server answers; `BadInput` where it will not give the file, else `Broken`."""
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:  # it has less than is here already: from scratch, then
                part.unlink()
            elif error.code in FINAL:
                raise BadInput(
                    f"cannot fetch {file.url}: the server answers {error.code} {error.reason}; "
                    "where you have the file, soberlook data import takes it"
                ) from None
            raise Broken(f"the server answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise Broken(
            f"no answer ({getattr(error, 'reason', error)}): is there a network?"
        ) from None
    with answer:
        yield answer


def _read(answer):
    try:
        return answer.read(PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"the connection broke off: {error or type(error).__name__}") from None


def _part(file, folder):
    return folder / f"{file.name}.part"
