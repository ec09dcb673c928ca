"""A folder, local or in an object store: its files are whole or absent, and it is waited for.

A local file is written aside, under a lock that dies with its writer, and renamed. A file in an
object store is put in one piece, of which it keeps all or nothing. A remote place that is away for
a while is asked again until it is back; a local one that cannot be written says so at once.
"""

import contextlib
import errno
import fcntl
import glob
import os
import queue
import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import fsspec

from soberlook.registry import BadInput

PATIENCE = 120.0  # seconds that a place which is away is waited for
PAUSES = (0.25, 15.0)  # seconds between two tries: the first, which doubles, and the longest
FIRST = 10.0  # seconds that a place has to answer when it is asked for the first time

# What a place says that is there; waiting does not change it.
ANSWERS = (PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)
AWAY = (errno.ESTALE, errno.ETIMEDOUT)  # what a shared file system says that is not
BUCKETS = {"s3", "gs"}  # places where a folder needs no making, and a bucket does
# Tries are ours to make, and none may take minutes. What others write is to be seen.
OPTIONS = {"s3": {"config_kwargs": {"connect_timeout": 5, "retries": {"total_max_attempts": 1}}}}

ASIDE = re.compile(r"\.[0-9a-f]{32}\.part")  # the name of a file that is being written
CREDENTIALS = re.compile(r"://[^/]*:(?!\d*/).*@|://[^?]*\?.*=", re.DOTALL)
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

_reached = set()  # the places that have answered in this process


class StoreError(Exception):
    """A store cannot be read or written: what, where and why, in one line."""


class Folder:
    """The files at one place; opening it touches nothing."""

    def __init__(self, where: str | Path):
        self.where = str(where)
        if CREDENTIALS.search(self.where):
            raise BadInput(
                f"{redacted(self.where)}: a URL is seen by others, expected one without "
                "credentials: give them in the environment, or in the file system's own files"
            )
        protocol = self.where.partition("://")[0] if "://" in self.where else ""
        options = {"use_listings_cache": False} if protocol else {}
        try:
            found = fsspec.core.url_to_fs(self.where, **options, **OPTIONS.get(protocol, {}))
        except (ValueError, ImportError) as error:
            raise BadInput(f"cannot open {self.where!r}: {reason_of(error)}") from None
        self.fs, self.root = found
        self.is_local = isinstance(self.fs, fsspec.implementations.local.LocalFileSystem)
        self._bucket = self.root.split("/")[0] if protocol in BUCKETS else None
        self._patience = None  # seconds, where they are not PATIENCE

    def reach(self, ask: Callable):
        """What `ask` gives, which may be the first to look at this place.

        One that cannot be reached or read raises `BadInput` the first time, within seconds.
        """
        if self.where in _reached:
            return ask()
        self._patience = FIRST / 10
        try:
            answer = ask() if self.is_local else _within(FIRST, ask)
        except StoreError as error:
            raise BadInput(str(error)) from None
        except TimeoutError:
            raise BadInput(f"{self.where} does not answer within {FIRST:.0f} s") from None
        except OSError as error:
            raise BadInput(f"cannot read {self.where}: {reason_of(error)}") from None
        finally:
            self._patience = None
        _reached.add(self.where)
        return answer

    def url(self, name: str) -> str:
        """Where the file `name` of this folder is."""
        return self._shown(f"{self.root}/{name}")

    def seen_from_elsewhere(self) -> str:
        """Where it is, for a process that has another working directory."""
        return os.path.abspath(self.root) if self.is_local else self.where

    def put(self, name: str, content: bytes):
        """Write a file so that it is whole or absent, whatever happens meanwhile."""
        path = self._path(name)
        write = _write_whole if self.is_local else self.fs.pipe_file
        try:
            self._ask("write", path, write, path, content)
        except FileNotFoundError as error:  # no such bucket
            raise StoreError(f"cannot write {self._shown(path)}: {reason_of(error)}") from None

    def put_text(self, name: str, text: str) -> str:
        """Write a whole text file, without credentials that it may quote, and say where it is."""
        self.put(name, redacted(text).encode())
        return self.url(name)

    def get(self, name: str) -> bytes | None:
        """The content of the file `name` of this folder; None where there is no such file."""
        try:
            return self._read(self._path(name))
        except FileNotFoundError:
            return None

    def remove(self, name: str):
        """Remove a file that is not needed any more; nothing where there is none."""
        path = self._path(name)
        with contextlib.suppress(FileNotFoundError):
            self._ask("remove", path, self.fs.rm_file, path)

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """The names of the files in a folder of this folder, without the suffix."""
        paths = self._files(folder, suffix)
        return [path.rsplit("/", 1)[-1].removesuffix(suffix) for path in paths]

    def state(self, name: str) -> dict | None:
        """What differs once the file `name` is another; None where there is no such file."""
        path = self._path(name)
        try:
            return self._ask("look at", path, self.fs.info, path)
        except FileNotFoundError:
            return None

    def is_empty(self) -> bool:
        """Whether nothing is here but what a writer that was killed left behind.

        Raises `BadInput` where not even the bucket is.
        """
        paths = self._list(self.root)
        if self._bucket is not None and not paths:
            try:
                self._ask("look at", self._bucket, self.fs.info, self._bucket)
            except FileNotFoundError:
                raise BadInput(f"{self.where}: there is no bucket {self._bucket!r}") from None
        return all(ASIDE.fullmatch(path.rsplit("/", 1)[-1]) for path in paths)

    def sweep(self):
        """Remove what writers that were killed left behind.

        Whoever is still writing holds a lock; where the file system has none, all is left.
        """
        root = glob.escape(self.root)
        paths = [*glob.glob(f"{root}/.*.part"), *glob.glob(f"{root}/*/.*.part")]
        for path in paths if self.is_local else []:
            if ASIDE.fullmatch(os.path.basename(path)):
                with contextlib.suppress(OSError), open(path, "r+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(path)

    def _path(self, name):
        parts = name.split("/")
        if not all(parts) or {".", ".."} & {*parts} or "\\" in name or "\0" in name:
            raise BadInput(f"{name!r} is not the name of a file in {self.where}")
        return f"{self.root}/{name}"

    def _shown(self, path):
        return self.fs.unstrip_protocol(path).removeprefix("file://")

    def _files(self, folder, suffix):
        """The paths of the files of a folder that are not hidden, in order."""
        paths = self._list(f"{self.root}/{folder}")
        names = ((path.rsplit("/", 1)[-1], path) for path in paths)
        return sorted(p for name, p in names if name[:1] not in (".", "") and p.endswith(suffix))

    def _list(self, path):
        try:
            return self._ask("list", path, self.fs.ls, path, False)
        except FileNotFoundError:
            return []

    def _read(self, path) -> bytes:
        return self._ask("read", path, self.fs.cat_file, path)

    def _ask(self, what, path, call, *arguments):
        """What a call gives; it is repeated with growing pauses while the place is away.

        `FileNotFoundError` is an answer, too, and so is what a local file says that is not to be
        read; everything else becomes a `StoreError`.
        """
        pause, longest = PAUSES
        ends = time.monotonic() + (PATIENCE if self._patience is None else self._patience)
        while True:
            try:
                return call(*arguments)
            except FileNotFoundError:
                raise
            except Exception as error:
                if self.is_local:
                    away = isinstance(error, OSError) and error.errno in AWAY
                    if not away and (what == "read" or not isinstance(error, OSError)):
                        raise  # it is about this file alone
                else:
                    away = not isinstance(error, ANSWERS)
                if not away or time.monotonic() + pause > ends:
                    where, reason = self._shown(path), reason_of(error)
                    raise StoreError(f"cannot {what} {where}: {reason}") from None
            time.sleep(pause * random.uniform(0.5, 1))  # many workers, one place: not all at once
            pause = min(2 * pause, longest)


def redacted(text: str) -> str:
    """Text without keys, and without what could be one in a URL: before its @, after its ?."""
    for name in SECRETS:
        if len(value := os.environ.get(name, "")) > 7:  # less would be found in any text
            text = text.replace(value, "***")
    text = re.sub(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b", "***", text)
    text = re.sub(r"(?<=://)(?:[^/\s]*:(?!\d*/)\S*|[^/\s]*)@", "***@", text)
    return re.sub(r"(\w://[^\s?'\"]*\?)[^\s'\"]+", r"\1***", text)


def reason_of(error: Exception) -> str:
    """Why, in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return redacted(" ".join(str(text).split()))[:300]


def _write_whole(path, content):
    """Write a local file aside, and rename it.

    One that vanishes meanwhile, taken for left behind before it was locked, is written again.
    """
    for attempt in (1, 2, 3):
        try:
            return _write_aside(path, content)
        except FileNotFoundError:
            if attempt == 3:
                raise


def _write_aside(path, content):
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    aside = f"{folder}/.{uuid.uuid4().hex}.part"
    try:
        with open(aside, "xb") as file:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise


def _within(seconds, ask):
    """What `ask` gives; `TimeoutError` where that takes longer."""
    answers = queue.SimpleQueue()

    def answer():
        try:
            answers.put((ask(), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=answer, daemon=True).start()  # which nobody waits for at the end
    try:
        found, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return found
