"""The fault table: every fault on the whole tiny study, or kills at random points, by hand.

    python tests/faults/large.py            the table, a line per fault
    python tests/faults/large.py 200        so many kills, each store having a few of them

Ends with 1 where a store that the same command went on with is not what an undisturbed run gives.
Who may mount a file system here has a real one filled up, and made read-only.
"""

import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "faults")]

from conftest import ObjectStore  # noqa: E402
from driver import Contents, Driver, hold, kill, wait_for_end  # noqa: E402
from nodes import cluster  # noqa: E402

RAY = ("--ray",)
AWAY = 20  # seconds that the object store is
A_STORE = 4  # kills
AT_ONCE = 2  # stores


class Case:
    """A store, and who works on it: drivers, whose files are elsewhere."""

    def __init__(self, stores: Path, name: str):
        self.stores, self.where = stores, stores / name
        self.folder = Path(tempfile.mkdtemp())

    def start(self, *faults, options=(), name="driver") -> Driver:
        return Driver(self.folder / name, self.where, *options, faults=faults)

    def wrong(self, undisturbed: Contents, options=()) -> list[str]:
        """What is wrong after the same command has gone on."""
        code, said = self.start(options=options).end()
        strange = [said] if code or "Traceback" in said else []
        return strange + undisturbed.differences(Contents(self.where))


def ended(driver, code):
    found, said = driver.end()
    assert found == code and "Traceback" not in said, f"ended with {found}: {said}"


def driver_killed(case, fault):
    ended(case.start(fault), -9)


def worker_killed(case, fault):
    ended(case.start(fault, options=RAY), 0)


def driver_of_ray_killed(case):
    one = case.start(hold("train", 5), options=RAY)
    worker, _ = one.struck()
    one.process.kill()
    wait_for_end(worker)
    ended(case.start(options=RAY), 0)


def node_killed(case):
    with cluster() as ray:
        one = case.start(hold("train", 5), options=("--ray", ray.address))
        _, node = one.struck()
        ray.remove(node)
        ended(one, 0)


def disk_full(case):
    if not os.path.ismount(case.stores):
        return ended(case.start({"does": "full", "at": "put rows/", "count": 1}), 1)
    one, big = case.start(hold("put rows/", 2)), case.stores / "big"
    one.struck()
    subprocess.run(["dd", "if=/dev/zero", f"of={big}"], stderr=subprocess.DEVNULL)
    one.release()
    ended(one, 1)
    big.unlink()


def read_only(case):
    if not os.path.ismount(case.stores):
        return ended(case.start({"does": "read-only", "at": "put rows/", "count": 1}), 1)
    one = case.start(hold("put rows/", 2))
    one.struck()
    subprocess.run(["mount", "-o", "remount,ro", case.stores], check=True)
    one.release()
    try:
        ended(one, 1)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", case.stores], check=True)


def server_stopped(case):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ObjectStore()
    os.environ.update(server.environment())
    case.where = f"{server.bucket()}/study"
    one = case.start(hold("train", 40))
    one.struck()
    server.stop()
    one.release()
    time.sleep(AWAY)
    server.start()
    ended(one, 0)


def checkpoint_damaged(case):
    driver_killed(case, kill("train", 20))
    (path,) = (case.where / "checkpoints").glob("[!.]*")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def two_drivers(case):
    two = [case.start(hold("train", 2), name=name) for name in "ab"]
    for one in two:
        one.struck()
    for one in two:
        one.release()
    for one in two:
        ended(one, 0)


FAULTS = {
    "driver killed, training": partial(driver_killed, fault=kill("train", 45)),
    "driver killed, evaluating": partial(driver_killed, fault=kill("evaluate", 11)),
    "driver killed, before a write": partial(driver_killed, fault=kill("put runs/", 2)),
    "driver killed, in a write of rows": partial(driver_killed, fault=kill("write rows/", 2)),
    "driver killed, in a write of runs": partial(driver_killed, fault=kill("write runs/", 2)),
    "driver killed, after the last write": partial(driver_killed, fault=kill("kept runs/", 2)),
    "driver killed, in a checkpoint": partial(driver_killed, fault=kill("write checkpoints/", 9)),
    "driver killed, at the very start": partial(driver_killed, fault=kill("write study")),
    "Ray worker killed, training": partial(worker_killed, fault=kill("train", 5)),
    "Ray worker killed, evaluating": partial(worker_killed, fault=kill("evaluate", 6)),
    "Ray worker killed, in a write": partial(worker_killed, fault=kill("write rows/")),
    "Ray driver killed": driver_of_ray_killed,
    "Ray node killed": node_killed,
    "disk full": disk_full,
    "store read-only": read_only,
    f"S3 server away for {AWAY} s": server_stopped,
    "clock moved back by a day": partial(driver_killed, fault=kill("train", 45, clock=86_400)),
    "checkpoint damaged": checkpoint_damaged,
    "two drivers at once": two_drivers,
}


def table(stores, undisturbed) -> bool:
    """Every fault once; whether all is well."""
    well = True
    for name, befall in FAULTS.items():
        case, began = Case(stores, name.replace(" ", "-").replace(",", "")), time.monotonic()
        try:
            befall(case)
            wrong = case.wrong(undisturbed)
        except Exception as error:  # of this one; the others are still to come
            wrong = [f"{type(error).__name__}: {error}"]
        well &= not wrong
        print(f"{name:40}{time.monotonic() - began:6.0f} s  {wrong or 'the same'}", flush=True)
    return well


def kills(stores, undisturbed, count) -> bool:
    """Kills at random points of everything that happens; whether all is well."""
    case = Case(stores, "counted")
    one = case.start({"does": "tell", "at": "", "count": 1})
    ended(one, 0)
    points = int((one.folder / "note-0").read_text().split()[-1])
    print(f"{count} kills at random points, of {points} in an undisturbed run", flush=True)
    draws, done, wrong = random.Random(0), 0, 0

    def disturbed(number):
        case, hits, before = Case(stores, f"store-{number}"), 0, 0
        for point in sorted(draws.sample(range(1, points + 1), A_STORE)):
            code, said = case.start(kill("", point - before)).end()
            before = point
            assert code in (0, -9), said
            hits += code == -9
        return hits, case.wrong(undisturbed)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        number = 0
        while done < count:
            batch = range(number, number + AT_ONCE)
            number += AT_ONCE
            for hits, found in pool.map(disturbed, batch):
                done, wrong = done + hits, wrong + bool(found)
                for one in found:
                    print(one, flush=True)
            print(f"{done} kills of {number} stores, {wrong} stores not the same", flush=True)
    return not wrong


@contextmanager
def a_folder():
    """A folder for stores; a file system of its own where that is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]
        mounted = subprocess.run(command, capture_output=True).returncode == 0
        try:
            yield Path(folder)
        finally:
            if mounted:
                subprocess.run(["umount", "--lazy", folder])


def main() -> int:
    with a_folder() as stores:
        ended(Case(stores, "undisturbed").start(), 0)
        undisturbed = Contents(stores / "undisturbed")
        if len(sys.argv) > 1:
            return not kills(stores, undisturbed, int(sys.argv[1]))
        return not table(stores, undisturbed)


if __name__ == "__main__":
    sys.exit(main())
