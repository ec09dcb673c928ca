"""Stores through the command line: in a bucket, away, tried again, compacted."""

import pytest

from soberlook import results
from soberlook.benchmark.plan import make_plan
from soberlook.benchmark.study import STUDIES
from soberlook.benchmark.worker import failed
from soberlook.results import folder
from soberlook.results.store import Store, StoreError

SMALL = ("run", "small", "--seeds", "1", "--updates", "4", "--metrics", "active_units")
SECRETS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI")


def everything(store):
    """All bytes of a store, as one text."""
    paths = store.fs.find(store.root)
    return b"".join(store.fs.cat_file(path) for path in paths).decode("latin-1")


def counts(soberlook, out):
    """What the status of the only method says of its runs."""
    header, line = (
        line.split()
        for line in soberlook("status", out)[1].splitlines()
        if line.startswith(("dataset", "mini_sprites"))
    )
    return {name: n for name, n in zip(header, line, strict=True) if n.isdigit() and n != "0"}


def test_a_study_in_a_bucket(soberlook, s3):
    out = f"{s3.bucket()}/runs/small"
    code, shown, said = soberlook(*SMALL, "--out", out)
    assert code == 0 and f"report: {out}/report.html" in shown, said
    more = soberlook(*SMALL, "--seeds", "2", "--width", "2", "--out", out)
    assert more[0] == 0 and "4 of 8 runs to train" in more[2]
    before = results.load(out)
    code, shown, _ = soberlook("compact", out)
    assert code == 0 and shown == f"{out}: 15 files are now 3\n"
    again = soberlook(*SMALL, "--seeds", "2", "--out", out)
    assert again[0] == 0 and "all 8 runs are in" in again[2]
    assert results.load(out).to_dict("list") == before.to_dict("list")
    assert counts(soberlook, out) == {"done": "8"}
    texts = "".join([said, shown, *map(str, more), *map(str, again), everything(Store(out))])
    assert not [secret for secret in SECRETS if secret in texts]


def test_a_store_that_is_lost_half_way_is_one_line(soberlook, tmp_path, monkeypatch):
    out = tmp_path / "q"
    whole = Store.put

    def full(self, name, content):
        if name.startswith("rows/"):
            raise StoreError(f"cannot write {self.url(name)}: No space left on device")
        whole(self, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", full)
        code, _, said = soberlook(*SMALL, "--out", out)
    assert code == 1 and "Traceback" not in said
    assert said.splitlines()[-1].startswith(f"error: cannot write {out}/rows/")
    assert said.endswith(
        "No space left on device; what is finished is kept, and the same command "
        "goes on from there\n"
    )
    code, _, said = soberlook(*SMALL, "--out", out)
    assert code == 0 and "4 of 4 runs to train" in said


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("s3://no-such-bucket/x", "there is no bucket 'no-such-bucket'"),
        ("s3://user:secret-word@bucket/x", "expected one without credentials"),
        ("nonsense://x", "cannot open 'nonsense://x'"),
    ],
)
def test_a_bucket_that_cannot_be_used_is_one_line(
    soberlook, s3, tmp_path, monkeypatch, where, message
):
    monkeypatch.chdir(tmp_path)
    for command in ((*SMALL, "--out", where), ("status", where), ("compact", where)):
        code, shown, said = soberlook(*command)
        assert code == 2 and shown == "" and said.count("\n") == 1
        assert message in said and "secret" not in said
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_away_at_the_start_is_one_line(soberlook, s3, monkeypatch):
    out = f"{s3.bucket()}/x"
    monkeypatch.setattr(folder, "FIRST", 2)
    s3.stop()
    try:
        code, _, said = soberlook(*SMALL, "--out", out)
    finally:
        s3.start()
    assert code == 2 and said.count("\n") == 1 and "Could not connect" in said
    assert Store(out).about() is None


@pytest.mark.parametrize("where", ["runs/../../x", "file", "file/x"])
def test_what_is_written_stays_in_its_folder(soberlook, tmp_path, monkeypatch, where):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    (tmp_path / "in" / "file").write_text("mine")
    if where.startswith("file"):
        code, _, said = soberlook(*SMALL, "--out", where)
        assert code == 2 and said.count("\n") == 1
        assert [p.name for p in (tmp_path / "in").iterdir()] == ["file"]
        return
    code, _, said = soberlook("run", "../x", "--out", where)
    assert code == 2 and "unknown study '../x'" in said
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_what_failed_is_tried_again_and_nothing_else(soberlook, tmp_path):
    out = tmp_path / "q"
    store = Store(out)
    plan = make_plan(
        STUDIES.find("small").narrowed(seeds=[0], updates=4, metrics=["active_units"]), store, 2
    )
    store.create("small", "")
    first, second = plan.cohorts
    for cohort in plan.cohorts:
        store.plan(cohort.id, cohort.to_json())
        store.put_text(f"failures/{cohort.id}.txt", "Traceback")
    store.write(first.id, failed(first, "RuntimeError: out of luck"))
    lost = failed(second, "RuntimeError: out of luck")
    lost.runs[0] |= {"status": "diverged", "begun": 9e9}
    store.write(second.id, lost)
    code, _, said = soberlook(*SMALL, "--out", out)
    assert code == 1 and "all 4 runs are in" in said
    code, _, said = soberlook(*SMALL, "--out", out, "--retry-failed", "--width", "2")
    assert code == 1 and "3 of 4 runs to train" in said and "1 of 4 runs failed or" in said
    runs = results.load(out)
    assert runs["status"].value_counts().to_dict() == {"done": 3, "diverged": 1}
    assert counts(soberlook, out) == {"done": "3", "diverged": "1"}
    assert store.names("failures") == []
    code, _, said = soberlook(*SMALL, "--out", out, "--retry-failed")
    assert "all 4 runs are in" in said
    assert soberlook("compact", out)[0] == 0 and results.load(out).equals(runs)
