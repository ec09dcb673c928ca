"""Writing to disk so that what is there is whole: room, locks, and a place aside."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from soberlook.registry import BadInput

ROOT = "SOBERLOOK_CACHE"


def root() -> Path:
    """The folder of all cached datasets."""
    return Path(os.environ.get(ROOT) or Path.home() / ".cache" / "soberlook").expanduser()


def free_space(folder: Path) -> int:
    """Bytes free on the disk where this folder is, or would be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_space(folder: Path, size: int, what: str):
    """Raise `BadInput` where the disk of `folder` has no room for `size` bytes."""
    if (free := free_space(folder)) < size:
        raise BadInput(
            f"{what} needs {nice(size)} in {folder}, found {nice(free)} free: "
            f"make room, or set {ROOT} to a folder on another disk"
        )


def nice(size: float) -> str:
    """Bytes as people say them: 28.0 MB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000


@contextlib.contextmanager
def locked(where: Path) -> Iterator[Path]:
    """Hold the lock of the folder `where`; give the path beside it to write to, which is free.

    What killed writers left is removed first, and what this one leaves afterwards.
    """
    lock = where.parent / f".{where.name}.lock"
    aside = where.parent / f".{where.name}.part"
    with _opened(lock) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"{where} is being written by another process: wait for it") from None
        except OSError as error:
            raise _unwritable(lock.parent, error) from None
        if old_of(where).exists() and not where.exists():
            old_of(where).rename(where)  # killed between two renames: what was there is there again
        for left in (aside, old_of(where)):
            shutil.rmtree(left, ignore_errors=True)
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _opened(lock):
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return open(lock, "wb")
    except OSError as error:
        raise _unwritable(lock.parent, error) from None


def _unwritable(folder, error):
    return BadInput(
        f"cannot write to {folder}: {error.strerror}; set {ROOT} to a folder that can be written"
    )


def old_of(where: Path) -> Path:
    return where.parent / f".{where.name}.old"
