"""One realtime connection: its handshake, its silences, its end."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from protocol.errors import Cancelled, UpstreamBroken, UpstreamNotFound, UpstreamTimeout, UpstreamUnauthorized
from protocol.keys import ApiKey
from providers.dashscope.socket import RealtimeSocket
from services.flow import CancelToken
from test.providers.calls import HASTY_S, PATIENT_S, Background
from test.providers.vendor import HangUp, Line
from test.providers.vendor import Vendor as ScriptedVendor
from test.support.waiting import eventually

Script = Callable[[Callable[[Line], None]], ScriptedVendor]


@contextmanager
def connected(
    vendor: ScriptedVendor, key: ApiKey, *, cancel: CancelToken | None = None, idle_s: float = PATIENT_S
) -> Iterator[RealtimeSocket]:
    url, cancel = f"{vendor.websocket_url}/realtime?model=m", cancel or CancelToken()
    ws = RealtimeSocket(url, key=key, cancel=cancel, connect_s=PATIENT_S, idle_s=idle_s)
    try:
        yield ws
    finally:
        ws.close()


def test_the_handshake_carries_the_key_and_asks_for_nothing_else(script: Script, api_key: ApiKey) -> None:
    seen: list[dict[str, str]] = []
    vendor = script(lambda line: seen.append(line.upgrade()))

    with connected(vendor, api_key):
        pass

    eventually(lambda: seen)
    assert seen[0]["authorization"] == f"Bearer {api_key.reveal()}"
    assert not {"origin", "sec-websocket-extensions", "sec-websocket-protocol"} & seen[0].keys()


def test_the_socket_sends_small_events_at_once(script: Script, api_key: ApiKey) -> None:
    vendor = script(lambda line: line.upgrade() and line.hear())

    with connected(vendor, api_key) as ws:
        assert ws._ws.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)  # type: ignore[union-attr]


def test_a_refused_handshake_keeps_the_vendors_words(script: Script, api_key: ApiKey) -> None:
    def refuse(line: Line) -> None:
        line.request()
        line.answer(b'{"code":"InvalidApiKey","message":"no","request_id":"r1"}', status="401 Unauthorized")

    with pytest.raises(UpstreamUnauthorized) as caught, connected(script(refuse), api_key):
        pass

    assert (caught.value.vendor_code, caught.value.request_id) == ("InvalidApiKey", "r1")


def test_a_turn_that_stops_does_not_wait_for_the_handshake(
    script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    has_asked = threading.Event()

    def stall(line: Line) -> None:
        line.request()
        has_asked.set()
        line.request()

    vendor = script(stall)
    running = Background(lambda: connected(vendor, api_key, cancel=cancel).__enter__())
    assert has_asked.wait(10)

    cancel.cancel()

    assert isinstance(running.wait(), Cancelled)


def test_nobody_at_the_address_is_an_error(api_key: ApiKey, cancel: CancelToken) -> None:
    with pytest.raises(UpstreamBroken):
        RealtimeSocket("ws://127.0.0.1:1/", key=api_key, cancel=cancel, connect_s=PATIENT_S, idle_s=PATIENT_S)


def test_a_peer_that_only_pings_is_silent(script: Script, api_key: ApiKey) -> None:
    is_over = threading.Event()

    def ping(line: Line) -> None:
        line.upgrade()
        while not is_over.wait(HASTY_S / 10):
            line.ping()

    vendor = script(ping)

    with connected(vendor, api_key, idle_s=HASTY_S) as ws, pytest.raises(UpstreamTimeout):
        ws.receive()
    is_over.set()


@pytest.mark.parametrize("cut_at", [1, 3, 20])
def test_an_event_that_a_timeout_cut_goes_on_where_it_was(script: Script, api_key: ApiKey, cut_at: int) -> None:
    is_timed_out = threading.Event()

    def hesitate(line: Line) -> None:
        line.upgrade()
        frame = line.frame("session.updated", session={"voice": "x" * 300})
        line.sock.sendall(frame[:cut_at])
        assert is_timed_out.wait(10)
        line.sock.sendall(frame[cut_at:] + line.frame("next"))
        line.hear()

    with connected(script(hesitate), api_key, idle_s=HASTY_S) as ws:
        with pytest.raises(UpstreamTimeout):
            ws.receive()
        is_timed_out.set()

        event = ws.receive()

        assert event.session is not None
        assert event.session.voice == "x" * 300
        assert ws.receive().type == "next"


def test_what_has_arrived_is_taken_without_waiting(script: Script, api_key: ApiKey) -> None:
    def speak_when_asked(line: Line) -> None:
        line.upgrade()
        line.hear("ask")
        line.ping()
        line.say("one")
        line.say("two")
        line.hear()

    with connected(script(speak_when_asked), api_key) as ws:
        assert ws.receive_arrived() is None
        ws.send({"type": "ask"})
        taken: list[str] = []

        def take() -> bool:
            event = ws.receive_arrived()
            taken.extend([event.type] if event else [])
            return len(taken) == 2

        eventually(take)

        assert taken == ["one", "two"]
        assert ws.receive_arrived() is None


def test_an_error_of_an_unknown_shape_is_an_error_all_the_same(script: Script, api_key: ApiKey) -> None:
    def fail(line: Line) -> None:
        line.upgrade()
        line.say("error", error="a string", code=7)
        line.hear()

    with connected(script(fail), api_key) as ws, pytest.raises(UpstreamBroken):
        ws.receive()


def test_why_the_vendor_left_is_known_though_it_did_not_wait_for_an_answer(script: Script, api_key: ApiKey) -> None:
    has_left = threading.Event()

    def leave(line: Line) -> None:
        line.upgrade()
        line.bid_farewell(1007, "Model not found")
        line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()
        has_left.set()

    with connected(script(leave), api_key) as ws:
        assert has_left.wait(10)

        with pytest.raises(UpstreamNotFound, match="Model not found"):
            ws.receive()


def test_closing_twice_is_harmless_and_says_goodbye(script: Script, api_key: ApiKey) -> None:
    said_goodbye = threading.Event()

    def listen(line: Line) -> None:
        line.upgrade()
        try:
            line.hear()
        except HangUp:
            said_goodbye.set()

    with connected(script(listen), api_key) as ws:
        ws.close()

    assert said_goodbye.wait(10)


def test_a_peer_that_takes_nothing_is_a_timeout_and_does_not_hold_up_the_end(script: Script, api_key: ApiKey) -> None:
    is_over = threading.Event()

    def ignore(line: Line) -> None:
        line.upgrade()
        is_over.wait(10)

    with connected(script(ignore), api_key, idle_s=HASTY_S) as ws:
        with pytest.raises(UpstreamTimeout):
            ws.send({"type": "x", "sound": bytes(20_000_000)})
        closing = Background(ws.close)

        closing.wait()
    is_over.set()


def test_utf8_is_checked_once_by_the_json_decoder_not_by_the_library(script: Script, api_key: ApiKey) -> None:
    """The library's own check is pure Python and cost 0.6 of 0.75 CPU-s an audio minute; it would close the line."""

    def stammer(line: Line) -> None:
        line.upgrade()
        line.sock.sendall(b"\x81\x04\xff\xfe\xfd\xfc" + line.frame("next"))
        line.hear()

    with connected(script(stammer), api_key) as ws:
        with pytest.raises(UpstreamBroken) as caught:
            ws.receive()

        assert caught.value.code == "upstream_malformed"
        assert ws.receive().type == "next"
