"""A store in S3: the same answers as a folder; waited for when it is away."""

import json
import socket
import threading

import boto3
import pytest
import s3fs
from stored import row, run

from soberlook import results
from soberlook.registry import BadInput
from soberlook.results import folder
from soberlook.results.store import Store, StoreError, Tables


@pytest.fixture
def store(s3):
    store = Store(f"{s3.bucket()}/runs/s")
    store.create("s", "about it")
    return store


@pytest.fixture
def elsewhere(monkeypatch, s3):
    """Connections that are made anew, by an environment that may be changed; as are the next."""
    s3fs.S3FileSystem.clear_instance_cache()
    yield monkeypatch
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_store_in_a_bucket_is_a_store(store, s3):
    store.write("one", Tables([run("a")], [row("a", "mig", 0.1)]))
    store.plan("one", '{"dataset": {"name": "d"}, "runs": [{"id": "a", "model": "m"}]}')
    other = Store(store.where.replace("/s", "/t"))
    other.create("t", "")
    other.write("two", Tables([run("b")], [row("b", "mig", 0.2)]))
    assert results.load(store.where)["mig"].tolist() == [0.1]
    assert results.load(store.where.replace("/s", "/*"))["mig"].tolist() == [0.1, 0.2]
    assert store.finished() == {"a"} and store.planned() == {"a": ("d", "m")}
    assert store.size("rows") > 0 and store.names("cohorts", ".json") == ["one"]
    assert store.get("nothing") is None and store.url("x") == f"{store.where}/x"
    store.remove("runs/one.parquet")
    store.remove("runs/one.parquet")
    assert store.finished() == set() and results.load(store.where).empty
    assert Store(s3.bucket()).about() is None


def test_what_others_write_is_seen(store):
    assert store.names("rows") == []
    bucket, _, key = store.root.partition("/")
    client = boto3.client("s3", region_name="us-east-1")
    client.put_object(Bucket=bucket, Key=f"{key}/rows/a.parquet", Body=b"x")
    assert store.names("rows") == ["a.parquet"] and store.get("rows/a.parquet") == b"x"
    client.put_object(Bucket=bucket, Key=f"{key}/rows/a.parquet", Body=b"yz")
    assert store.get("rows/a.parquet") == b"yz" and store.size("rows") == 2


@pytest.mark.parametrize("act", ["put", "get", "names", "remove"])
def test_a_store_that_is_away_is_waited_for(store, s3, monkeypatch, act):
    monkeypatch.setattr(folder, "PAUSES", (0.05, 0.1))
    store.put("rows/a", b"old")
    s3.stop()
    back = threading.Timer(0.4, s3.start)
    back.start()
    try:
        arguments = {"put": ("rows/a", b"new"), "names": ("rows",)}.get(act, ("rows/a",))
        answer = getattr(store, act)(*arguments)
    finally:
        back.join()
    assert answer == {"get": b"old", "names": ["a"]}.get(act)
    assert store.get("rows/a") == {"put": b"new", "remove": None}.get(act, b"old")


def test_a_store_that_does_not_come_back_is_one_error(store, s3, monkeypatch):
    monkeypatch.setattr(folder, "PAUSES", (0.05, 0.1))
    monkeypatch.setattr(folder, "PATIENCE", 0.3)
    s3.stop()
    try:
        for act in (
            lambda: store.put("rows/a.parquet", b"x"),
            lambda: store.get("rows/a.parquet"),
            lambda: list(store.tables("rows")),
            lambda: store.remove("rows/a.parquet"),
        ):
            with pytest.raises(
                StoreError, match=f"cannot .* {store.where}/rows.*: Could not con"
            ) as e:
                act()
            assert "\n" not in str(e.value)
    finally:
        s3.start()
    assert store.get("rows/a.parquet") is None


def test_a_bucket_that_goes_is_an_error_at_once(store, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waited"))
    store.fs.rm(store.root.partition("/")[0], recursive=True)
    with pytest.raises(StoreError, match="cannot write .*: The specified bucket does not exist"):
        store.put("rows/a", b"x")


def test_places_that_cannot_be_reached_are_bad_input(s3, elsewhere):
    where = f"{s3.bucket()}/x"
    refused = "The AWS Access Key Id you provided does not exist in our records."

    def found(where=where):
        s3fs.S3FileSystem.clear_instance_cache()
        with pytest.raises(BadInput) as raised:
            Store(where).about()
        assert "\n" not in str(raised.value) and "EXAMPLE" not in str(raised.value)
        return str(raised.value)

    assert "there is no bucket 'no-such-bucket'" in found("s3://no-such-bucket/x")
    with elsewhere.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_cat_file", denied(refused))
        assert found() == f"cannot read {where}/study.json: {refused}"
    with elsewhere.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        assert "Unable to locate credentials" in found()
    with elsewhere.context() as patch, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert "Could not connect to the endpoint URL" in found()
    with elsewhere.context() as patch, socket.create_server(("127.0.0.1", 0)) as silent:
        patch.setattr(folder, "FIRST", 0.5)
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert found() == f"{where} does not answer within 0 s"


def denied(why):
    async def refuse(*_, **__):
        raise PermissionError(why)

    return refuse


def test_a_store_of_a_newer_schema_is_refused(store):
    store.put("study.json", json.dumps({"study": "s", "about": "", "schema": 99}).encode())
    for read in (store.about, lambda: results.load(store.where)):
        with pytest.raises(BadInput, match="has schema 99, this version reads up to 1"):
            read()
