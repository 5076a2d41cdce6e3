"""The line to the vendor: which connection carries a call, and what becomes of it afterwards."""

import os
import socket
import threading
from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.errors import Cancelled, UpstreamBroken, UpstreamError, UpstreamRefused, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope import transport as transport_module
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from test.providers.calls import WORDS, Background, Vendor, hear_flash, hold_chat
from test.providers.vendor import HangUp, Line, polite
from test.providers.vendor import Vendor as ScriptedVendor
from test.support.waiting import eventually

Script = Callable[[Callable[[Line], None]], ScriptedVendor]


def post(transport: Transport, vendor: ScriptedVendor, key: ApiKey, cancel: CancelToken | None = None) -> bytes:
    with transport.post(vendor.url, {}, key=key, cancel=cancel or CancelToken()) as answer:
        return answer.read()


def test_a_connection_is_used_again(transport: Transport, script: Script, api_key: ApiKey) -> None:
    vendor = script(polite)

    for _ in range(3):
        post(transport, vendor, api_key)

    assert vendor.connections == 1


def test_a_connection_is_used_again_when_its_answer_was_not_read_to_the_end(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    vendor = script(polite)

    with transport.post(vendor.url, {}, key=api_key, cancel=cancel):
        pass
    post(transport, vendor, api_key)

    assert vendor.connections == 1


def test_the_end_of_a_stopped_turn_does_not_touch_a_connection_that_went_back(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    vendor = script(polite)
    post(transport, vendor, api_key, cancel)

    cancel.cancel()
    post(transport, vendor, api_key)

    assert vendor.connections == 1


def test_connections_that_died_while_resting_are_replaced_by_a_fresh_one(
    transport: Transport, script: Script, api_key: ApiKey
) -> None:
    """Two of them rest; both break on their second request, so trying the other one would not help."""
    both = threading.Barrier(2, timeout=10)

    def answer_once(line: Line) -> None:
        line.request()
        if line.number <= 2:
            both.wait()
        line.answer()
        line.request()

    vendor = script(answer_once)
    first = Background(lambda: post(transport, vendor, api_key))
    assert [post(transport, vendor, api_key), first.wait()] == [b"{}", b"{}"]

    assert post(transport, vendor, api_key) == b"{}"
    assert vendor.connections == 3


def test_a_call_is_tried_twice_and_not_more(transport: Transport, script: Script, api_key: ApiKey) -> None:
    vendor = script(lambda line: line.request() and None)

    with pytest.raises(UpstreamBroken):
        post(transport, vendor, api_key)

    assert vendor.connections == 2


def test_a_call_whose_answer_had_begun_is_not_tried_again(
    transport: Transport, script: Script, api_key: ApiKey
) -> None:
    def begin(line: Line) -> None:
        line.request()
        line.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    vendor = script(begin)

    with pytest.raises(UpstreamBroken):
        post(transport, vendor, api_key)

    assert vendor.connections == 1


def test_a_connection_that_rested_too_long_is_not_used_again(
    transport: Transport, script: Script, api_key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = script(polite)
    post(transport, vendor, api_key)
    monkeypatch.setattr(transport_module, "_MAX_REST_S", 0.0)

    post(transport, vendor, api_key)

    assert vendor.connections == 2


def test_a_connection_that_the_vendor_closed_while_it_rested_is_not_used_again(
    transport: Transport, script: Script, api_key: ApiKey
) -> None:
    is_closed = threading.Event()

    def answer_and_leave(line: Line) -> None:
        line.request()
        line.answer()
        line.sock.shutdown(socket.SHUT_RDWR)
        is_closed.set()

    vendor = script(answer_and_leave)
    post(transport, vendor, api_key)
    assert is_closed.wait(10)

    post(transport, vendor, api_key)

    assert vendor.connections == 2


def test_sockets_to_the_vendor_send_small_pieces_at_once(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    vendor = script(polite)

    with transport.post(vendor.url, {}, key=api_key, cancel=cancel) as answer:
        sock = answer.connection.sock  # type: ignore[union-attr]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_the_key_travels_as_a_bearer_token(transport: Transport, script: Script, api_key: ApiKey) -> None:
    seen: list[dict[str, str]] = []

    def take(line: Line) -> None:
        _, headers, _ = line.request()
        seen.append(headers)
        line.answer()

    post(transport, script(take), api_key)

    assert seen[0]["authorization"] == f"Bearer {api_key.reveal()}"
    assert seen[0]["content-type"] == "application/json"


def test_the_key_does_not_follow_a_redirect(transport: Transport, script: Script, api_key: ApiKey) -> None:
    elsewhere = script(polite)

    def redirect(line: Line) -> None:
        line.request()
        line.answer(status="302 Found", headers=f"Location: {elsewhere.url}/\r\n")

    with pytest.raises(UpstreamError):
        post(transport, script(redirect), api_key)

    assert elsewhere.connections == 0


def test_a_proxys_error_page_is_quoted_in_part(transport: Transport, script: Script, api_key: ApiKey) -> None:
    def refuse(line: Line) -> None:
        line.request()
        line.answer(b"<html><h1>502 Bad Gateway</h1>" + b" " * 1000 + b"</html>", status="502 Bad Gateway")

    with pytest.raises(UpstreamBroken, match="502 Bad Gateway") as caught:
        post(transport, script(refuse), api_key)

    assert len(caught.value.message) < 300


def test_a_stream_that_is_refused_with_an_event_is_an_error(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 400, "code": "DataInspectionFailed"}])

    with pytest.raises(UpstreamRefused) as caught:
        hold_chat(vendor, api_key, cancel)

    assert caught.value.vendor_code == "data_inspection_failed"


def test_nobody_at_the_address_is_an_error(transport: Transport, api_key: ApiKey, cancel: CancelToken) -> None:
    with pytest.raises(UpstreamBroken), transport.post("http://127.0.0.1:1", {}, key=api_key, cancel=cancel):
        pass


def test_a_vendor_that_answers_nothing_is_a_timeout(
    hasty_transport: Transport, script: Script, api_key: ApiKey
) -> None:
    def stay_silent(line: Line) -> None:
        line.request()
        line.request()

    vendor = script(stay_silent)

    with pytest.raises(UpstreamTimeout):
        post(hasty_transport, vendor, api_key)

    assert vendor.connections == 1


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n"], ids=["no answer yet", "until it ends"])
def test_a_stopped_stream_ends_at_once_and_is_never_taken_for_complete(
    begin: bytes, transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    """The second answer has no length: when its line is shut it looks like one that has ended."""
    has_begun = threading.Event()

    def stall(line: Line) -> None:
        line.request()
        line.sock.sendall(begin)
        has_begun.set()
        line.request()

    vendor = script(stall)
    running = Background(lambda: list(transport.events(vendor.url, {}, key=api_key, cancel=cancel)))
    assert has_begun.wait(10)

    cancel.cancel()

    assert isinstance(running.wait(), Cancelled)


def test_a_stopped_upload_to_a_vendor_that_reads_nothing_ends_at_once(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    has_begun, is_over = threading.Event(), threading.Event()

    def read_a_little(line: Line) -> None:
        line.sock.recv(10)
        has_begun.set()
        is_over.wait(10)

    vendor = script(read_a_little)
    body = {"sound": bytes(20_000_000)}

    def upload() -> None:
        with transport.post(vendor.url, body, key=api_key, cancel=cancel):
            pass

    running = Background(upload)
    assert has_begun.wait(10)

    cancel.cancel()

    assert isinstance(running.wait(), Cancelled)
    is_over.set()


def test_a_reader_that_leaves_in_the_middle_gives_the_connection_up(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    is_left = threading.Event()

    def stream(line: Line) -> None:
        line.request()
        line.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n")
        try:
            line.request()
        except (HangUp, OSError):
            is_left.set()

    events = transport.events(script(stream).url, {}, key=api_key, cancel=cancel)
    assert next(events) == b"1"

    events.close()  # type: ignore[attr-defined]

    assert is_left.wait(10)


# --- nothing is left behind


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_calls_leave_no_descriptors_behind(vendor: Vendor, api_key: ApiKey) -> None:
    hear_flash(vendor, api_key, CancelToken())
    before = open_files()

    for _ in range(50):
        assert hear_flash(vendor, api_key, CancelToken()) == WORDS

    eventually(lambda: open_files() <= before)


def test_stopped_calls_leave_no_descriptors_behind(
    vendor: Vendor, api_key: ApiKey, scenario: Callable[..., None], emulator: Emulator
) -> None:
    scenario(replies=[WORDS], faults=[{"stage": "chat", "kind": "stall", "after": 1, "times": 0}])
    before = open_files()
    tokens = [CancelToken() for _ in range(50)]
    running = [Background(lambda token=token: hold_chat(vendor, api_key, token)) for token in tokens]  # type: ignore[misc]
    journal = emulator.journal
    eventually(lambda: sum(entry["kind"] == "fault" for entry in journal(api_key.reveal())) == 50)

    for token in tokens:
        token.cancel()

    assert all(isinstance(call.wait(), Cancelled) for call in running)
    eventually(lambda: open_files() <= before)


@pytest.mark.parametrize("size", [10, 60_000, 200_000])
def test_a_request_arrives_whole_however_large_and_a_small_one_in_one_write(
    transport: Transport, script: Script, api_key: ApiKey, cancel: CancelToken, size: int
) -> None:
    first_pieces: list[bytes] = []
    bodies: list[bytes] = []

    def look(line: Line) -> None:
        first_pieces.append(line.sock.recv(300_000, socket.MSG_PEEK))
        bodies.append(line.request()[2])
        line.answer()

    with transport.post(script(look).url, b"x" * size, key=api_key, cancel=cancel) as answer:
        assert answer.read() == b"{}"

    assert bodies == [b"x" * size]
    assert size > 10 or first_pieces[0].endswith(b"\r\n\r\n" + b"x" * size)
