"""Drivers of the tiny study as processes of their own, and what is wrong with what they leave."""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

import pandas as pd

from soberlook import results
from soberlook.results.store import TABLES, Store

SECONDS = 300  # after which a driver hangs
TIMES = ("begun", "train_seconds", "evaluate_seconds", "compile_seconds")

# A server imports what all drivers need, and forks one of itself for each.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    [
        "soberlook.benchmark.cli",
        "soberlook.benchmark.keep",
        "soberlook.benchmark.studies",
        "soberlook.results.report",
        "soberlook.results.summary",
    ]
)


def kill(at, count=1, **more) -> dict:
    """The fault of one who is killed when something has happened so many times."""
    return {"does": "kill", "at": at, "count": count} | more


def hold(at, count=1) -> dict:
    """The fault of one who then waits until he is released."""
    return {"does": "hold", "at": at, "count": count}


class Driver:
    """`soberlook run faults` in a process of its own, with a plugin and a note in `folder`."""

    def __init__(self, folder: Path, where, *options, faults=()):
        folder.mkdir(exist_ok=True)
        plugin, note, self.log = folder / "fault.py", folder / "note", folder / "log"
        text = Path(__file__).with_name("fault.py").read_text()
        plugin.write_text(text.replace('Path("NOTE")', f"Path({str(note)!r})"))
        self.folder = folder
        for left in folder.glob("note*"):
            left.unlink()
        if faults:
            note.write_text(json.dumps(list(faults)))
        arguments = ("run", "faults", "--out", str(where), "--plugin", str(plugin), *options)
        target = arguments, dict(os.environ), str(self.log)
        self.process = processes.Process(target=drive, args=target)
        self.process.start()

    def struck(self, number=0) -> tuple[int, str]:
        """Wait for a fault; the process that had it, and its node of a cluster."""
        mark, ends = self.folder / f"note-{number}", time.monotonic() + SECONDS
        while not (mark.exists() and mark.read_text().endswith("\n")):
            assert self.process.is_alive(), self.log.read_text()
            assert time.monotonic() < ends, self.log.read_text()
            time.sleep(0.02)
        process, _, node = mark.read_text().strip().partition(" ")
        return int(process), node

    def release(self, number=0):
        """Let the process go on that a fault holds."""
        (self.folder / f"note-{number}").unlink()

    def end(self) -> tuple[int, str]:
        """Wait for its end: the exit code, and all that it said."""
        self.process.join(SECONDS)
        if self.process.is_alive():
            self.process.kill()
            raise TimeoutError(self.log.read_text())
        return self.process.exitcode, self.log.read_text()


def wait_for_end(process: int):
    """Wait until a process that is no child of this one is gone."""
    ends = time.monotonic() + SECONDS
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < ends, f"process {process} lives on"
        time.sleep(0.02)


def drive(arguments, environment, log):
    """What a driver does, from its birth on."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(environment)
    sys.argv = ["soberlook", *arguments]
    from soberlook.benchmark.cli import main

    main()


class Contents:
    """What is in a store, less what differs between any two runs."""

    def __init__(self, where):
        store = Store(where)
        self.frame = results.load(where).drop(columns=[*TIMES]).sort_values("run_id")
        self.rows = results.rows(where).sort_values(["run_id", "step", "draw", "metric"])
        self.sizes = {name: store.read(name).num_rows for name in TABLES}
        paths = store.fs.find(store.root)
        self.files = sorted(path.removeprefix(f"{store.root}/") for path in paths)

    def differences(self, other: "Contents") -> list[str]:
        """In what another store is not the same, in words."""
        found = []
        for name in ("frame", "rows"):
            one, two = (getattr(x, name).reset_index(drop=True) for x in (self, other))
            try:
                pd.testing.assert_frame_equal(one, two, check_exact=True)
            except AssertionError as error:
                found.append(f"{name}: {' '.join(str(error).split())[:200]}")
        if self.sizes != other.sizes:
            found.append(f"rows of its tables: {other.sizes}, expected {self.sizes}")
        if more := {*other.files} - {*self.files}:
            found.append(f"stray: {sorted(more)}")
        if less := {*self.files} - {*other.files}:
            found.append(f"lost: {sorted(less)}")
        return found
