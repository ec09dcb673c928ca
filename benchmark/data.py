"""Bringing datasets here: what `soberlook data list`, `fetch` and `import` do."""

import shutil
from pathlib import Path

from rich.table import Table

from soberlook.datasets import DATASETS, StoredDataset, cache, make, original
from soberlook.datasets.disk import check_space, free_space, nice, root
from soberlook.datasets.fetch import fetch as fetch_files
from soberlook.datasets.fetch import left_of, sized
from soberlook.datasets.own import OwnData
from soberlook.datasets.source import locate, mismatch
from soberlook.registry import BadInput

from .progress import Counting
from .terminal import err, say, table


def listing() -> Table:
    """Every dataset: whether it is here, and what it takes."""
    listed = table("dataset", "images", "shape", "here", "download", "on disk", "licence")
    for name, cls in sorted(DATASETS.items()):
        dataset = cls()
        shape = "×".join(map(str, dataset.image_shape))
        listed.add_row(name, f"{dataset.size:,}", shape, *_place(dataset))
    return listed


def fetch(name: str):
    """Download a dataset's published files, and bring them into the cache."""
    dataset = _published(name)
    if not dataset.missing():
        say(f"{name} is here already: {cache.folder_of(dataset)}")
        return
    folder = root() / ".downloads" / name
    source = sized(dataset.source, folder)
    left, size = sum(left_of(file, folder) for file in source.files), cache.needed(dataset)
    say(
        f"{name}: {nice(left)} to download, then {nice(size)} in {cache.folder_of(dataset)}; "
        f"{nice(free_space(root()))} are free"
    )
    say(f"licence: {source.licence}; from {source.homepage}")
    check_space(root(), left + size, f"dataset {name!r}")
    there = {file.name: min(file.size - left_of(file, folder), file.size) for file in source.files}
    with Counting(err, f"fetching {name}", source.size, nice) as counting:

        def heard(file, count):
            there[file.name] = count
            counting.update(sum(there.values()))

        files = fetch_files(source, folder, heard)
    _bring(dataset, files)
    shutil.rmtree(folder, ignore_errors=True)


def import_files(name: str, paths: list[str], any_version: bool):
    """Bring published files that lie on this machine into the cache."""
    dataset = _published(name)
    published = {file.name: file for file in dataset.source.files}
    files = locate(published.values(), [Path(path).expanduser() for path in paths])
    for file_name, path in files.items():
        if wrong := mismatch(path, published[file_name]):
            if not any_version:
                raise BadInput(f"{wrong}; to take it all the same: --any-version")
            say(f"warning: {wrong}; taken all the same, and told apart in results")
    size, free = cache.needed(dataset), free_space(root())
    say(f"{name}: {nice(size)} in {cache.folder_of(dataset)}; {nice(free)} are free")
    _bring(dataset, files)


def _bring(dataset, files):
    with Counting(err, f"reading {dataset.name}", dataset.size) as counting:
        where = dataset.bring(files, counting.update)
    say(f"{dataset.name} is here, {dataset.size:,} images: {where}")


def _published(name) -> StoredDataset:
    """The dataset called `name`, which has published files of its own, as the cache holds it."""
    dataset = original(make(name))
    if not isinstance(dataset, StoredDataset):
        how = "given" if isinstance(dataset, OwnData) else "drawn"
        raise BadInput(f"{name} needs no download: it is {how}, not read from published files")
    if (stored := dataset.stored()).name != name:
        raise BadInput(f"{name} is made from {stored.name}: give that name")
    return stored


def _place(dataset) -> tuple[str, str, str, str]:
    """Whether a dataset is here, its download, its size on disk, and its licence."""
    read = original(dataset)
    if not isinstance(read, StoredDataset):
        return "given" if isinstance(dataset, OwnData) else "drawn", "none", "", ""
    stored, source = read.stored(), read.source
    reason = dataset.missing()
    here = "damaged" if "damaged" in reason else "no" if reason else "yes"
    if stored.name != dataset.name:
        return here, f"with {stored.name}", "", source.licence
    download = nice(source.size) if source.size else "not stated"
    if not all(file.url for file in source.files):
        download = f"by hand: {source.homepage}"
    return here, download, nice(cache.needed(stored)), source.licence
