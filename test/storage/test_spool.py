"""An object whose storing returned reaches the bucket under its own name, whatever the bucket does in between."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from emulator import Emulator
from protocol.errors import NotFound, StorageError, StorageRefused
from protocol.keys import ApiKey
from services.storage_ports import ObjectStore, Saved
from storage.oss import OssBucket
from storage.spool import SpooledStore
from test.support.oss import OssAccount
from test.support.waiting import eventually

OpenStore = Callable[..., SpooledStore]


@pytest.fixture
def account(emulator: Emulator) -> OssAccount:
    made = OssAccount(emulator)
    made.set()
    return made


@pytest.fixture
def open_store(account: OssAccount, tmp_path: Path) -> Iterator[OpenStore]:
    with ExitStack() as stack:

        def open_(*, max_bytes: int = 10_000_000, longest_pause_s: float = 0.05, **changes: object) -> SpooledStore:
            fields: dict[str, object] = {
                "access_key_id": account.access_key_id,
                "secret": ApiKey(account.secret),
                "bucket": account.bucket_name,
                "region": "cn-beijing",
                "endpoint": account.emulator.url,
                "lifetime_s": 60,
                "idle_s": 0.6,
                "deadline_s": 0.0,
            }
            bucket = OssBucket(**(fields | changes))  # type: ignore[arg-type]
            store = SpooledStore(bucket, spool=tmp_path / "spool", max_bytes=max_bytes, longest_pause_s=longest_pause_s)
            stack.callback(store.close)
            return store

        yield open_


def waiting(tmp_path: Path) -> int:
    return len(list(tmp_path.glob("spool/*.entry")))


def test_an_object_goes_straight_into_a_bucket_that_is_well(
    open_store: OpenStore, account: OssAccount, tmp_path: Path
) -> None:
    store: ObjectStore = open_store()

    assert store.put("audio/a.wav", b"one", content_type="audio/wav") is Saved.DELIVERED

    assert (account.objects(), waiting(tmp_path)) == ({"audio/a.wav": b"one"}, 0)


def test_objects_of_an_outage_arrive_when_it_ends_and_their_links_were_right(
    open_store: OpenStore, account: OssAccount, tmp_path: Path
) -> None:
    store = open_store()
    account.fail("status", status=503, times=0)
    links = [store.url(f"{n}.wav") for n in range(3)]
    saved = [store.put(f"{n}.wav", b"%d" % n, content_type="audio/wav") for n in range(3)]

    account.set()

    eventually(lambda: waiting(tmp_path) == 0)
    answers = [requests.get(link, timeout=10) for link in links]
    assert saved == [Saved.JOURNALED] * 3
    assert [answer.content for answer in answers] == [b"0", b"1", b"2"]
    assert {answer.headers["Content-Type"] for answer in answers} == {"audio/wav"}


def test_a_bucket_that_has_just_failed_is_left_alone_by_the_next_turns(
    open_store: OpenStore, account: OssAccount
) -> None:
    store = open_store(longest_pause_s=1000.0)
    account.fail("stall", times=0)

    for n in range(4):
        store.put(f"{n}.wav", b"x", content_type="audio/wav")

    puts = [entry for entry in account.emulator.journal(account.access_key_id) if entry["kind"] == "oss"]
    assert {entry["object"] for entry in puts} == {"0.wav"}


def test_an_object_that_waits_can_be_read_and_measured(open_store: OpenStore, account: OssAccount) -> None:
    store = open_store(longest_pause_s=1000.0)
    account.fail("status", status=500, times=0)
    store.put("a.wav", b"old", content_type="audio/wav")
    store.put("a.wav", b"newer", content_type="audio/wav")

    assert (store.get("a.wav"), store.size_bytes("a.wav")) == (b"newer", 5)
    with pytest.raises(StorageError):
        store.get("b.wav")


def test_a_deleted_object_does_not_come_back(open_store: OpenStore, account: OssAccount, tmp_path: Path) -> None:
    store = open_store(longest_pause_s=1000.0)
    account.fail("status", operation="put", status=500, times=0)
    store.put("a.wav", b"one", content_type="audio/wav")
    account.set()

    store.delete("a.wav")
    store.deliver()

    assert (account.objects(), waiting(tmp_path)) == ({}, 0)
    with pytest.raises(NotFound):
        store.get("a.wav")


def test_the_next_start_delivers_what_waited(open_store: OpenStore, account: OssAccount, tmp_path: Path) -> None:
    store = open_store(longest_pause_s=1000.0)
    account.fail("cut", times=0)
    store.put("a.wav", b"one", content_type="audio/wav")
    store.close()
    account.set()

    open_store()

    eventually(lambda: waiting(tmp_path) == 0)
    assert account.objects() == {"a.wav": b"one"}


def test_what_the_bucket_never_takes_is_set_aside_and_told(
    open_store: OpenStore, account: OssAccount, tmp_path: Path
) -> None:
    account.set(largest_bytes=3)
    store = open_store()

    with pytest.raises(StorageRefused, match="EntityTooLarge"):
        store.put("big.wav", b"four", content_type="audio/wav")

    assert store.put("a.wav", b"one", content_type="audio/wav") is Saved.DELIVERED
    assert len(list(tmp_path.glob("spool/aside/*.entry"))) == 1


def test_a_full_spool_still_lets_objects_into_the_bucket(open_store: OpenStore, account: OssAccount) -> None:
    store = open_store(max_bytes=10)

    assert store.put("a.wav", b"one", content_type="audio/wav") is Saved.DELIVERED
    account.fail("status", status=500, times=0)
    with pytest.raises(StorageError):
        store.put("b.wav", b"two", content_type="audio/wav")

    account.set()
    assert account.objects() == {"a.wav": b"one"}
