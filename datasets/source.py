"""Where a dataset comes from: its published files, and what they must be."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from soberlook.registry import BadInput


class File(NamedTuple):
    """One published file. A hash that nobody published is None; what was read is recorded."""

    name: str
    url: str  # empty where it cannot be fetched by a program
    size: int  # bytes
    sha256: str | None = None
    md5: str | None = None


class Source(NamedTuple):
    """The published files of a dataset, and under what licence they are."""

    licence: str
    homepage: str
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def mismatch(path: Path, file: File) -> str:
    """How the file at `path` is not the published one, in one line; empty where it is."""
    if (size := path.stat().st_size) != file.size:
        return f"{path}: expected {file.size:,} bytes of {file.name}, found {size:,}"
    for kind in ("sha256", "md5"):
        expected = getattr(file, kind)
        if expected and (found := digest(path, kind)) != expected:
            return f"{path}: expected {file.name} with {kind} {expected}, found {found}"
    return ""


def digest(path: Path, kind: str = "sha256") -> str:
    """The hash of a file's bytes, in hexadecimal."""
    with open(path, "rb") as opened:
        # MD5 tells published files apart here, and protects nothing.
        return hashlib.file_digest(
            opened, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


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
    if missing := [file.name for file in files if file.name not in found]:
        places = ", ".join(map(str, paths)) or "no path"
        raise BadInput(f"expected {', '.join(missing)} in {places}, found no such file")
    return {file.name: found[file.name] for file in files}
