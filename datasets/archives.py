"""Reading published archives, whose bytes are nobody's word: nothing in them is executed, and
nothing is written anywhere.

What is wrong with a file is one line of `BadInput`: the file, what was expected, what was found.
"""

import contextlib
import gzip
import io
import math
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from soberlook.registry import BadInput

LARGEST = 2**31  # bytes of one member or array that is read as a whole
NUMBERS = {  # what MATLAB calls them → bytes
    **{f"{sign}int{8 * size}": size for sign in ("", "u") for size in (1, 2, 4, 8)},
    **{"double": 8, "single": 4, "logical": 1},
}
KINDS = {  # kind → where in the file, what is there, and what the kind is called
    "zip": (0, b"PK\x03\x04", "a zip archive, as .npz files are"),
    "gzip": (0, b"\x1f\x8b", "a gzip file"),
    "hdf5": (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "mat": (0, b"MATLAB 5.0 MAT-file", "a MATLAB 5.0 .mat file"),
    "tar": (257, b"ustar", "a tar archive"),
}
TORN = (  # what reading damaged archives raises; RuntimeError where a zip file is encrypted
    EOFError,
    RuntimeError,
    gzip.BadGzipFile,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    struct.error,
)


def expect(path: Path, kind: str):
    """Raise `BadInput` where the first bytes of a file are not of a kind: a key of KINDS."""
    with open(path, "rb") as file:
        head = file.read(512)
    start, magic, name = KINDS[kind]
    if not head[start:].startswith(magic):
        raise BadInput(f"{path}: expected {name}, found {looks_like(head)}")


def looks_like(head: bytes) -> str:
    """What a file is that begins with these bytes, as people say it."""
    if not head:
        return "an empty file"
    for start, magic, name in KINDS.values():
        if head[start:].startswith(magic):
            return name
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return "a web page: what was downloaded is a message, not the file"
    if text.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer: what was downloaded says where the file is"
    return f"a file that begins with {head[:8]!r}"


@contextlib.contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Turn what a truncated or damaged archive raises into one line."""
    try:
        yield
    except TORN as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BadInput(
            f"{path}: expected {what}, found it truncated or damaged ({reason}): get it again"
        ) from None


def npz_blocks(path: Path, name: str, rows: int = 4096) -> Iterator[np.ndarray]:
    """Blocks of `rows` of one array in an .npz file, which is never in memory as a whole.

    An array of Python objects is refused: reading it would execute what is in it.
    """
    with _npz_member(path, name) as (file, shape, dtype, order):
        if order == "F" and len(shape) > 1:
            raise BadInput(f"{path}: expected rows of numbers in {name!r}, found in Fortran order")
        row = dtype.itemsize * math.prod(shape[1:])
        for start in range(0, shape[0], rows):
            count = min(rows, shape[0] - start)
            block = read_exactly(file, count * row, f"{path}: {name}")
            yield np.frombuffer(block, dtype).reshape(count, *shape[1:])
        _expect_end(path, name, file, shape)


def npz_shape(path: Path, name: str) -> tuple[tuple[int, ...], np.dtype]:
    """The shape and type of one array in an .npz file, of which nothing else is read."""
    with _npz_member(path, name) as (_, shape, dtype, _):
        return shape, dtype


def npz_array(path: Path, name: str) -> np.ndarray:
    """One small array in an .npz file as a whole, in either order; objects are refused as well."""
    with _npz_member(path, name) as (file, shape, dtype, order):
        size = dtype.itemsize * math.prod(shape)
        _check_size(path, name, size)
        array = np.frombuffer(read_exactly(file, size, f"{path}: {name}"), dtype)
        _expect_end(path, name, file, shape)
        return array.reshape(shape, order=order)


def tar_members(path: Path, suffix: str = "") -> Iterator[tuple[str, bytes]]:
    """(name, content) of the regular files in a tar archive, compressed or not, in its order.

    Nothing is written, links are not followed but passed over, and a name that points out of the
    archive's own folder is refused. Only names that end in `suffix` are read.
    """
    with open(path, "rb") as file:
        head = file.read(512)
    if not head.startswith(KINDS["gzip"][1]):
        expect(path, "tar")
    with readable(path, "a whole tar archive"), tarfile.open(path, "r:*") as archive:
        for member in archive:
            parts = Path(member.name).parts
            if ".." in parts or Path(member.name).is_absolute():
                raise BadInput(
                    f"{path}: expected names inside the archive's folder, found {member.name!r}"
                )
            if not member.isreg() or not member.name.endswith(suffix):
                continue
            _check_size(path, member.name, member.size)
            yield member.name, archive.extractfile(member).read()


@contextlib.contextmanager
def gunzipped(path: Path) -> Iterator[IO[bytes]]:
    """The unpacked bytes of a gzip file, to be read from."""
    expect(path, "gzip")
    with readable(path, "a whole gzip file"), gzip.open(path) as file:
        yield file


def read_exactly(file: IO[bytes], count: int, what: str) -> bytes:
    """The next `count` bytes; `BadInput` where there are fewer."""
    _check_size(what, "a block", count)
    found = file.read(count)
    if len(found) < count:
        raise BadInput(f"{what}: expected {count:,} more bytes, found {len(found):,}: get it again")
    return found


def mat_array(content: Path | bytes, name: str, where: str = "") -> np.ndarray:
    """One array of numbers in a MATLAB 5.0 file, or in its bytes, which are called `where`.

    Objects, functions, cells and whatever else is not numbers are refused unread.
    """
    import scipy.io

    where = where or str(content)
    if isinstance(content, Path):
        content = content.read_bytes()
    start, magic, kind = KINDS["mat"]
    if not content[start:].startswith(magic):
        raise BadInput(f"{where}: expected {kind}, found {looks_like(content[:512])}")
    with _mat_readable(where):
        found = {one: (kind, shape) for one, shape, kind in scipy.io.whosmat(io.BytesIO(content))}
    if name not in found:
        raise BadInput(f"{where}: expected an array {name!r}, found {', '.join(found)}")
    kind, shape = found[name]
    if kind not in NUMBERS:
        raise BadInput(f"{where}: expected numbers in {name!r}, found class {kind}")
    _check_size(where, name, NUMBERS[kind] * math.prod(shape))
    with _mat_readable(where):
        return scipy.io.loadmat(io.BytesIO(content), variable_names=[name])[name]


@contextlib.contextmanager
def _mat_readable(where):
    """What a damaged .mat file raises is of any kind."""
    try:
        yield
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BadInput(
            f"{where}: expected a whole .mat file of numbers, found it truncated, damaged or of "
            f"objects ({reason}): get it again"
        ) from None


@contextlib.contextmanager
def _npz_member(path, name):
    """(what is to be read from, shape, dtype, order) of an array in an .npz file."""
    expect(path, "zip")
    with readable(path, "a whole .npz file"), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if f"{name}.npy" not in names:
            found = ", ".join(one.removesuffix(".npy") for one in names)
            raise BadInput(f"{path}: expected an array {name!r}, found {found or 'none'}")
        with archive.open(f"{name}.npy") as file:
            yield file, *_npy_header(path, name, file)


def _npy_header(path, name, file):
    """(shape, dtype, C or F as its order) of the array that begins here."""
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(file)
        if min(shape, default=0) < 0:
            raise ValueError
    except TORN:
        raise
    except Exception:  # what a damaged header raises is of any kind
        raise BadInput(f"{path}: expected an array {name!r}, found something else") from None
    if dtype.hasobject:
        raise BadInput(
            f"{path}: expected numbers in {name!r}, found Python objects, which are not read"
        )
    if not shape:
        raise BadInput(f"{path}: expected rows of numbers in {name!r}, found a single number")
    return shape, dtype, "F" if fortran else "C"


def _expect_end(path, name, file, shape):
    if file.read(1):  # at the end of a member its checksum is compared, too
        raise BadInput(f"{path}: expected {name!r} of shape {list(shape)}, found more")


def _check_size(where, name, size):
    if size > LARGEST:
        raise BadInput(f"{where}: expected at most {LARGEST:,} bytes in {name}, found {size:,}")
