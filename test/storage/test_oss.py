"""Objects in a bucket: what is put can be had, links are ready before it is, and every failure says what to do."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import requests

from emulator import Emulator
from protocol.errors import NotFound, StorageError, StorageMisconfigured, StorageRefused
from protocol.keys import ApiKey
from services.storage_ports import ObjectStore, Saved
from storage.oss import OssBucket
from test.storage.test_database import all_texts
from test.support.oss import OssAccount

KEY, DATA = "audio/audio_1_20261121_120000 #录音+?.wav", b"RIFF" + bytes(range(256)) * 100
Open = Callable[..., OssBucket]


@pytest.fixture
def account(emulator: Emulator) -> OssAccount:
    made = OssAccount(emulator)
    made.set()
    return made


@pytest.fixture
def open_bucket(account: OssAccount) -> Open:
    def open_(**changes: object) -> OssBucket:
        fields: dict[str, object] = {
            "access_key_id": account.access_key_id,
            "secret": ApiKey(account.secret),
            "bucket": account.bucket_name,
            "region": "cn-beijing",
            "endpoint": account.emulator.url,
            "lifetime_s": 60,
        }
        return OssBucket(**(fields | changes))  # type: ignore[arg-type]

    return open_


@pytest.fixture(params=["v1", "v4"])
def bucket(request: pytest.FixtureRequest, open_bucket: Open) -> OssBucket:
    return open_bucket(signature=request.param)


def puts(account: OssAccount) -> int:
    return sum(entry["kind"] == "oss" for entry in account.emulator.journal(account.access_key_id))


def test_the_link_given_before_the_upload_opens_the_object_after_it(bucket: OssBucket) -> None:
    store: ObjectStore = bucket
    link = store.url(KEY)
    before = requests.get(link, timeout=10)

    assert store.put(KEY, DATA, content_type="audio/wav") is Saved.DELIVERED

    after = requests.get(link, timeout=10)
    assert (before.status_code, after.status_code) == (404, 200)
    assert (after.content, after.headers["Content-Type"]) == (DATA, "audio/wav")


def test_an_object_is_read_measured_and_deleted_by_its_key(bucket: OssBucket) -> None:
    bucket.put(KEY, DATA, content_type="audio/wav")

    assert (bucket.get(KEY), bucket.size_bytes(KEY)) == (DATA, len(DATA))
    bucket.delete(KEY)
    bucket.delete(KEY)

    assert bucket.size_bytes(KEY) is None
    with pytest.raises(NotFound, match="There is no object"):
        bucket.get(KEY)


def test_a_link_expires(bucket: OssBucket, account: OssAccount) -> None:
    bucket.put(KEY, DATA, content_type="audio/wav")
    link = bucket.url(KEY)

    account.set(clock_ahead_s=61)

    assert "Request has expired" in requests.get(link, timeout=10).text


def test_the_address_is_the_one_of_the_region_and_links_are_for_the_world(open_bucket: Open) -> None:
    name = "recordings-1"

    for region, endpoint in [
        ("cn-beijing", ""),
        ("oss-cn-beijing", ""),
        ("cn-beijing", "https://oss-cn-beijing-internal.aliyuncs.com"),
    ]:
        split = urlsplit(open_bucket(bucket=name, region=region, endpoint=endpoint).url("audio/a b.mp3"))
        assert (split.scheme, split.netloc) == ("https", f"{name}.oss-cn-beijing.aliyuncs.com")
        assert split.path == "/audio/a%20b.mp3"


def test_connections_are_kept_between_uploads(bucket: OssBucket, account: OssAccount) -> None:
    for number in range(5):
        bucket.put(f"{number}", DATA, content_type="audio/wav")

    (pool,) = (bucket._bucket.session.session.adapters["http://"].poolmanager.pools._container).values()
    assert (pool.num_connections, pool.num_requests) == (1, 5)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 503, "code": "QpsLimitExceeded"}),
        ("status", {"status": 400, "code": "RequestTimeout"}),
        ("cut", {}),
        ("reset", {}),
        ("cut", {"is_late": True}),
        ("stall", {}),
    ],
)
def test_what_goes_wrong_on_the_way_is_tried_again(
    open_bucket: Open, account: OssAccount, kind: str, changes: dict[str, object]
) -> None:
    account.fail(kind, times=2, operation="put", **changes)

    open_bucket(idle_s=0.2).put(KEY, DATA, content_type="audio/wav")

    assert account.objects() == {KEY: DATA}


def test_a_body_cut_short_is_read_again(bucket: OssBucket, account: OssAccount) -> None:
    bucket.put(KEY, DATA, content_type="audio/wav")
    account.fail("cut", operation="get")

    assert bucket.get(KEY) == DATA


def test_a_line_that_is_slow_but_moves_is_no_failure(open_bucket: Open) -> None:
    with closing(socket.socket()) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        server.bind(("127.0.0.1", 0))
        server.listen()
        taking = threading.Thread(target=take_slowly, args=(server,), daemon=True)
        taking.start()
        bucket = open_bucket(endpoint=f"http://127.0.0.1:{server.getsockname()[1]}", connect_s=0.2, deadline_s=0.0)

        saved = bucket.put("slow", b"x" * 3_000_000, content_type="audio/wav")

        taking.join()
    assert saved is Saved.DELIVERED


def take_slowly(server: socket.socket) -> None:
    """Take one upload in small sips; the whole of it needs longer than the client would wait for one of them."""
    line, _ = server.accept()
    with line:
        taken = line.recv(16384)
        while taken.count(b"x") < 3_000_000:
            threading.Event().wait(0.003)
            taken += line.recv(16384)
        line.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: "x"\r\n\r\n')


def test_trying_ends(open_bucket: Open, account: OssAccount) -> None:
    account.fail("status", status=500, times=0)

    with pytest.raises(StorageError, match="500 InternalError") as caught:
        open_bucket().put(KEY, DATA, content_type="audio/wav")

    assert (caught.value.retryable, puts(account)) == (True, 3)


def test_no_new_try_begins_after_the_deadline(open_bucket: Open, account: OssAccount) -> None:
    account.fail("status", status=500, times=0)

    with pytest.raises(StorageError):
        open_bucket(deadline_s=0).put(KEY, DATA, content_type="audio/wav")

    assert puts(account) == 1


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"secret": ApiKey("wrong")}, "Check ACCESSKEY_SECRET"),
        ({"access_key_id": "LTAIunknown"}, "Check ACCESSKEY_ID"),
        ({"bucket": "no-such-bucket"}, "Check BUCKET"),
        ({"region": "cn-shanghai", "signature": "v4"}, "Check REGIN"),
    ],
)
def test_a_wrong_setting_is_named_at_once_and_not_tried_again(
    open_bucket: Open, account: OssAccount, changes: dict[str, object], advice: str
) -> None:
    with pytest.raises(StorageMisconfigured, match=advice) as caught:
        open_bucket(**changes).put(KEY, DATA, content_type="audio/wav")

    assert not caught.value.retryable
    assert puts(account) == 0


def test_a_wrong_clock_is_named(open_bucket: Open, account: OssAccount) -> None:
    account.set(clock_ahead_s=3600)

    with pytest.raises(StorageMisconfigured, match="Set this machine's clock"):
        open_bucket().put(KEY, DATA, content_type="audio/wav")


def test_a_full_bucket_may_have_room_later_and_is_not_pressed(open_bucket: Open, account: OssAccount) -> None:
    account.set(capacity_bytes=10)

    with pytest.raises(StorageError, match="QuotaExceeded") as caught:
        open_bucket().put(KEY, DATA, content_type="audio/wav")

    assert (type(caught.value), puts(account)) == (StorageError, 1)


def test_what_the_service_never_takes_is_refused_for_good(open_bucket: Open, account: OssAccount) -> None:
    account.set(largest_bytes=10)

    with pytest.raises(StorageRefused, match="EntityTooLarge"):
        open_bucket().put(KEY, DATA, content_type="audio/wav")

    assert puts(account) == 1


def test_an_impossible_bucket_name_is_told_at_the_start(open_bucket: Open) -> None:
    with pytest.raises(StorageMisconfigured, match="Check BUCKET"):
        open_bucket(bucket="Not A Bucket!")


def test_a_service_that_is_down_is_an_error_in_plain_words(open_bucket: Open) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    with pytest.raises(StorageError, match="ConnectionRefusedError") as caught:
        open_bucket(endpoint=f"http://127.0.0.1:{port}").put(KEY, DATA, content_type="audio/wav")

    assert caught.value.retryable


def test_neither_errors_nor_logs_show_the_secret_or_a_signature(
    open_bucket: Open, account: OssAccount, caplog: pytest.LogCaptureFixture
) -> None:
    account.fail("status", operation="put", status=500)
    with caplog.at_level(logging.DEBUG, logger="storage"):
        open_bucket().put(KEY, DATA, content_type="audio/wav")
        with pytest.raises(StorageError) as caught:
            open_bucket(secret=ApiKey("wrong-but-secret")).put(KEY, DATA, content_type="audio/wav")

    shown = caplog.text + str(caught.value) + f"{caught.value!r}"
    assert "storage tries again" in shown
    assert account.secret not in shown and "wrong-but-secret" not in all_texts(caught.value)
    assert "Signature=" not in shown and "RIFF" not in shown
