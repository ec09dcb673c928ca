"""Whatever dies, fills up or goes away: the same command goes on to what an undisturbed run gives.

One dataset of the tiny study, each fault once; all of it, and at many more points: large.py.
"""

import time

import pytest
from driver import Contents, Driver, hold, kill, wait_for_end
from nodes import cluster

ONE = ("--datasets", "digits")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all stores of these tests are, and so the programs that they have compiled."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def undisturbed(folder):
    code, said = Driver(folder / "undisturbed", folder / "undisturbed-out", *ONE).end()
    assert code == 0, said
    contents = Contents(folder / "undisturbed-out")
    assert contents.sizes["runs"] == 4 and contents.sizes["rows"] > 50
    return contents


@pytest.fixture
def start(folder, tmp_path):
    """start(faults…) → a driver of this test's store; of another one, if it is said `where`."""

    def start(*faults, options=(), where=None, name="driver"):
        out = folder / tmp_path.name if where is None else where
        options = (*ONE, *options)
        return Driver(tmp_path / name, out, *options, faults=faults)

    return start


@pytest.fixture
def where(folder, tmp_path):
    return folder / tmp_path.name


def check_resumed(driver, where, undisturbed):
    code, said = driver.end()
    assert code == 0 and "Traceback" not in said, said
    assert undisturbed.differences(Contents(where)) == [], said
    return said


@pytest.mark.parametrize(
    "fault",
    [
        kill("train", 5),
        kill("train", 20, clock=86_400),  # which goes on a day earlier than it began
        kill("evaluate", 6),
        kill("write rows/"),
        kill("kept runs/"),
    ],
    ids=lambda fault: fault["at"],
)
def test_a_process_that_was_killed_has_lost_nothing(start, where, undisturbed, fault):
    code, said = start(fault).end()
    assert code == -9, said
    check_resumed(start(), where, undisturbed)


@pytest.mark.parametrize(
    ("does", "why"), [("full", "File too large"), ("read-only", "Read-only file system")]
)
def test_a_store_that_takes_no_more_ends_it_in_one_line(start, where, undisturbed, does, why):
    code, said = start({"does": does, "at": "put rows/", "count": 1}).end()
    assert code == 1 and "Traceback" not in said
    assert [why in line for line in said.splitlines() if line.startswith("error: ")] == [True], said
    check_resumed(start(), where, undisturbed)


def test_a_damaged_checkpoint_is_not_gone_on_from(start, where, undisturbed):
    assert start(kill("train", 20)).end()[0] == -9
    (checkpoint,) = [p for p in (where / "checkpoints").iterdir() if p.name[0] != "."]
    content = bytearray(checkpoint.read_bytes())
    checkpoint.write_bytes(content[: len(content) // 2])
    said = check_resumed(start(), where, undisturbed)
    assert "not used" in said


def test_two_drivers_at_once_do_no_harm(start, where, undisturbed):
    two = [start(hold("train", 2), name=name) for name in "ab"]
    for one in two:
        one.struck()  # both are at work on the same cohort
    for one in two:
        one.release()
    for one in two:
        check_resumed(one, where, undisturbed)


def test_an_object_store_that_goes_away_is_waited_for(start, s3, undisturbed):
    where = f"{s3.bucket()}/study"
    one = start(hold("train", 5), where=where)
    one.struck()
    s3.stop()
    one.release()
    time.sleep(1)
    s3.start()
    check_resumed(one, where, undisturbed)
    said = check_resumed(start(where=where), where, undisturbed)
    assert "nothing to train" in said


@pytest.mark.filterwarnings("default")
def test_workers_and_nodes_that_die_are_replaced(start, where, undisturbed):
    faults = [kill("train", 5), kill("write rows/"), hold("put runs/")]
    with cluster() as ray:
        one = start(*faults, options=("--ray", ray.address))
        _, node = one.struck(2)
        ray.remove(node)
        check_resumed(one, where, undisturbed)
        assert all((one.folder / f"note-{number}").exists() for number in range(3))


@pytest.mark.filterwarnings("default")
def test_a_driver_of_ray_that_was_killed_has_lost_nothing(start, where, undisturbed):
    one = start(hold("train", 5), options=("--ray",))
    worker, _ = one.struck()
    one.process.kill()
    wait_for_end(worker)
    check_resumed(start(), where, undisturbed)
