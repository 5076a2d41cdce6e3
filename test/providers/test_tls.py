"""The real vendor is behind TLS: what stops a call must work there, and what is decrypted already is not forgotten."""

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from protocol.errors import Cancelled, UpstreamBroken
from protocol.keys import ApiKey
from providers.dashscope.socket import RealtimeSocket
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from test.providers.calls import PATIENT_S, Background
from test.providers.vendor import Line, Vendor, polite, scripted_vendor
from test.support.waiting import eventually

Script = Callable[[Callable[[Line], None]], Vendor]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a certificate for 127.0.0.1 and its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1".split()
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run(["openssl", *options, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.fixture
def untrusted(certificate: Path) -> Iterator[Script]:
    """Start scripted vendors behind TLS that nobody has a reason to trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(scripted_vendor(script, tls=context))


@pytest.fixture
def script(untrusted: Script, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Start scripted vendors behind TLS, whose certificate this test trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return untrusted


def realtime(vendor: Vendor, key: ApiKey, cancel: CancelToken) -> RealtimeSocket:
    return RealtimeSocket(vendor.websocket_url, key=key, cancel=cancel, connect_s=PATIENT_S, idle_s=PATIENT_S)


def test_a_connection_is_used_again(script: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken) -> None:
    vendor = script(polite)

    for _ in range(2):
        with transport.post(vendor.url, {}, key=api_key, cancel=cancel) as answer:
            assert answer.read() == b"{}"

    assert vendor.connections == 1


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n"], ids=["no answer yet", "in the answer"])
def test_a_stopped_call_ends_at_once(
    begin: bytes, script: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken
) -> None:
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


def test_a_stopped_realtime_connection_ends_at_once(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    is_ready = threading.Event()

    def stall(line: Line) -> None:
        line.upgrade()
        is_ready.set()
        line.hear()

    vendor = script(stall)
    running = Background(lambda: realtime(vendor, api_key, cancel).receive())
    assert is_ready.wait(10)

    cancel.cancel()

    assert isinstance(running.wait(), Cancelled)


def test_events_that_came_in_one_record_are_all_taken_without_waiting(
    script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    """The second one is in no socket's buffer any more, so asking the socket would not find it."""

    def say_both(line: Line) -> None:
        line.upgrade()
        line.sock.sendall(line.frame("one") + line.frame("two"))
        line.hear()

    ws = realtime(script(say_both), api_key, cancel)
    taken: list[str] = []

    def take_one() -> bool:
        event = ws.receive_arrived()
        taken.extend([event.type] if event else [])
        return bool(taken)

    eventually(take_one)
    second = ws.receive_arrived()

    assert taken == ["one"]
    assert second is not None
    assert second.type == "two"
    ws.close()


def test_a_vendor_that_cannot_show_who_it_is_gets_no_key(
    untrusted: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken
) -> None:
    heard: list[object] = []
    vendor = untrusted(lambda line: heard.append(line.request()))

    with pytest.raises(UpstreamBroken), transport.post(vendor.url, {}, key=api_key, cancel=cancel):
        pass
    with pytest.raises(UpstreamBroken):
        realtime(vendor, api_key, cancel)

    assert heard == []
