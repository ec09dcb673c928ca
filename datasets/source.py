"""Where a dataset comes from: its published files, and what they must be."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from soberlook.registry import BadInput

from .archives import gunzipped


class File(NamedTuple):
    """One published file. What nobody published of it is None; what was read is recorded."""

    name: str
    url: str  # empty where it cannot be fetched by a program
    size: int | None = None  # bytes
    sha256: str | None = None
    md5: str | None = None
    unpacked_md5: str | None = None  # of what is in a gzip file, which others may pack anew
    others: tuple["File", ...] = ()  # the same data in other published files, taken as well


class Source(NamedTuple):
    """The published files of a dataset, and under what licence they are."""

    licence: str
    homepage: str
    files: tuple[File, ...]

    @property
    def size(self) -> int | None:
        """Bytes of all files, where they are known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(sizes)


def mismatch(path: Path, file: File) -> str:
    """How the file at `path` is not the published one, in one line; empty where it is."""
    wrong = _difference(path, file)
    if wrong and file.unpacked_md5 and _unpacked_md5(path) == file.unpacked_md5:
        return ""
    if wrong and any(not mismatch(path, other) for other in file.others):
        return ""
    return wrong


def _difference(path, file):
    if file.size is not None and (size := path.stat().st_size) != file.size:
        return f"{path}: expected {file.size:,} bytes of {file.name}, found {size:,}"
    for kind in ("sha256", "md5"):
        expected = getattr(file, kind)
        if expected and (found := digest(path, kind)) != expected:
            return f"{path}: expected {file.name} with {kind} {expected}, found {found}"
    return ""


def given(file: File, path: Path) -> File:
    """Of a published file and its others the one that the file at `path` has its name from."""
    return next((one for one in (file, *file.others) if one.name == path.name), file)


def digest(path: Path, kind: str = "sha256") -> str:
    """The hash of a file's bytes, in hexadecimal."""
    with open(path, "rb") as opened:
        return _digest(opened, kind)


def _digest(opened, kind):
    # MD5 tells published files apart here, and protects nothing.
    return hashlib.file_digest(opened, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def _unpacked_md5(path):
    try:
        with gunzipped(path) as opened:
            return _digest(opened, "md5")
    except BadInput:
        return ""


def locate(files: Iterable[File], paths: Iterable[Path]) -> dict[str, Path]:
    """Name → path of these files, which are among `paths` or in the folders among them.

    One file given for one that is published may have any name. Raises `BadInput` where one is not
    there.
    """
    files, paths = list(files), list(paths)
    for path in paths:
        if not path.exists():
            raise BadInput(f"expected a file or a folder, found nothing at {path}")
    if len(files) == len(paths) == 1 and paths[0].is_file():
        return {files[0].name: paths[0]}
    found = {}
    for path in paths:
        for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if one.is_file():
                found.setdefault(one.name, one)
    for file in files:
        for other in file.others:
            if other.name in found:
                found.setdefault(file.name, found[other.name])
    if missing := [file.name for file in files if file.name not in found]:
        places = ", ".join(map(str, paths)) or "no path"
        raise BadInput(f"expected {', '.join(missing)} in {places}, found no such file")
    return {file.name: found[file.name] for file in files}
