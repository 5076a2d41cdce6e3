"""No secret leaves the server but to the vendor: not in the log, an answer, the numbers, the database or a file.

Every secret here carries a mark. Requests are made up by hypothesis, credentials stand in every place where clients put
them and in some where they do not belong, and the vendor fails in every way that the emulator knows.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import websocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator import Emulator
from protocol.keys import ApiKey, digest
from test.support.device import TestDevice, spoken_wav
from test.support.servers import RunningServer, running_server
from test.support.waiting import eventually

MARK = "LEAKED"
SERVER_KEY, OWN_KEY, TOKEN = f"sk-{MARK}-server", f"sk-{MARK}-own", f"vb-{MARK}-token"
SECRETS = (SERVER_KEY, OWN_KEY, TOKEN)
OURS = ("routes", "services", "providers", "storage", "protocol", "app", "werkzeug", "flask", "urllib3", "websocket")

FAULTS: list[dict[str, Any]] = [
    {"stage": stage, "kind": kind, "status": 401, "code": "InvalidApiKey", "message": "bad key", "after": 1, "times": 0}
    for stage in ("chat", "asr", "tts", "tts_http")
    for kind in ("status", "cut", "malformed", "error_event", "close", "reset")
]


@pytest.fixture(scope="module")
def server(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("leaks")
    listed = {"api_tokens": f"sha256:{digest(TOKEN)}", "key_pass_through": "true", "upstream_idle_s": 2.0}
    with running_server(emulator, folder, key=SERVER_KEY, db_password=ApiKey(f"{MARK}-password"), **listed) as running:
        yield running


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that our code and the libraries under it have logged, at every level."""
    caplog.set_level(logging.DEBUG)
    for name in OURS:
        caplog.set_level(logging.DEBUG, logger=name)
    return lambda: "\n".join(f"{r.name} {r.getMessage()} {r.exc_text or ''}" for r in caplog.records if is_of_server(r))


def is_of_server(record: logging.LogRecord) -> bool:
    """Whether the server's code wrote a record; the test's own HTTP client logs what the test sends."""
    return record.threadName != "MainThread"


def assert_nothing_kept(server: RunningServer) -> None:
    """Look for the mark in every file and in every column of the database."""
    for path in server.data_dir.rglob("*"):
        assert MARK not in path.name
        assert not path.is_file() or MARK.encode() not in path.read_bytes(), path
    with sqlite3.connect(server.data_dir / "history.sqlite3") as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert MARK not in dump


# --- HTTP

PLACES: list[Callable[[str], dict[str, Any]]] = [
    lambda secret: {"headers": {"Authorization": f"Bearer {secret}"}},
    lambda secret: {"headers": {"Authorization": secret}},
    lambda secret: {"headers": {"Authorization": f"Basic {secret}"}},
    lambda secret: {"headers": {"Authorization": f"Bearer {secret} {secret}"}},
    lambda secret: {"headers": {"x-api-key": secret}},
    lambda secret: {"headers": {"api-key": secret, "X-Request-ID": secret, "X-Client-Request-Id": secret}},
    lambda secret: {"headers": {"User-Agent": secret, "Referer": f"http://x/?token={secret}", "Cookie": secret}},
    lambda secret: {"headers": {"Origin": f"https://{secret}.example", "X-Forwarded-For": secret}},
    lambda secret: {"query": f"?token={secret}"},
    lambda secret: {"query": f"?api_key={secret}&key={secret}"},
    lambda secret: {"fields": {"user": secret, "safety_identifier": secret}},
    lambda secret: {"fields": {"api_key": secret}},
    lambda secret: {"fields": {"metadata": {"key": secret}}},
    lambda secret: {"body": f'{{"model": "{secret}'},
]
PATHS = [
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/qwen-plus"),
    ("GET", "/v1/audio/voices"),
    ("GET", "/v1/nothing"),
    ("GET", "/files/none.wav"),
    ("OPTIONS", "/v1/chat/completions"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/audio/speech"),
    ("POST", "/v1/audio/transcriptions"),
    ("DELETE", "/v1/models/none"),
]
_pool = urllib3.PoolManager(retries=False, timeout=20)


def ask(server: RunningServer, method: str, path: str, place: dict[str, Any], *, is_stream: bool) -> str:
    """Make one request with a secret somewhere, and return all that comes back."""
    fields = {"model": "qwen-plus", "stream": is_stream, "messages": [{"role": "user", "content": "hello"}]}
    body = place.get("body") or json.dumps(fields | place.get("fields", {}))
    headers = {"Content-Type": "application/json", **place.get("headers", {})}
    url = f"{server.url}{path}{place.get('query', '')}"
    try:
        answer = _pool.request(method, url, headers=headers, body=None if method == "GET" else body)
    except urllib3.exceptions.ProtocolError as broken:  # a sound that broke off ends with its connection
        return str(broken)
    assert answer.status != 500
    return f"{dict(answer.headers)} {answer.data.decode('utf-8', 'replace')}"


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    target=st.sampled_from(PATHS),
    place=st.sampled_from(PLACES),
    secret=st.sampled_from(SECRETS),
    fault=st.sampled_from([None, *FAULTS]),
    is_stream=st.booleans(),
)
def test_no_request_makes_the_server_tell_a_secret(
    server: RunningServer,
    emulator: Emulator,
    records: Callable[[], str],
    target: tuple[str, str],
    place: Callable[[str], dict[str, Any]],
    secret: str,
    fault: dict[str, Any] | None,
    is_stream: bool,
) -> None:
    for key in (SERVER_KEY, OWN_KEY):
        emulator.set_scenario(key, {"faults": [fault] if fault else []})

    answer = ask(server, *target, place(secret), is_stream=is_stream)

    assert MARK not in answer
    assert MARK not in records()


def test_nothing_of_it_is_kept_or_counted(server: RunningServer) -> None:
    numbers = ask(server, "GET", "/metrics", PLACES[0](TOKEN), is_stream=False)

    assert "http_requests_total" in numbers and MARK not in numbers
    assert_nothing_kept(server)


# --- WebSockets

HANDSHAKES: list[Callable[[str], dict[str, Any]]] = [
    lambda secret: {"header": [f"Authorization: Bearer {secret}"]},
    lambda secret: {"header": [f"x-api-key: {secret}"]},
    lambda secret: {"subprotocols": ["voice", f"openai-insecure-api-key.{secret}"]},
    lambda secret: {"query": f"?token={secret}"},
]


@pytest.mark.parametrize("handshake", HANDSHAKES)
@pytest.mark.parametrize("fault", [None, *FAULTS[::2]], ids=str)
def test_no_turn_makes_the_server_tell_a_secret(
    server: RunningServer,
    emulator: Emulator,
    records: Callable[[], str],
    handshake: Callable[[str], dict[str, Any]],
    fault: dict[str, Any] | None,
) -> None:
    emulator.set_scenario(SERVER_KEY, {"faults": [fault] if fault else []})
    options = handshake(TOKEN)
    url = f"{server.audio_url}{options.pop('query', '')}"

    with TestDevice(url, suppress_origin=True, **options) as device:
        device.send({"type": "start", "voice": "Cherry", "timings": True}, {"type": SERVER_KEY[:3]})
        device.turn(spoken_wav("hello"))
        told = json.dumps(device.messages, default=str, ensure_ascii=False)

    eventually(lambda: "path=/v1/chat/audio status=101" in records())
    assert MARK not in told and MARK not in records()
    assert_nothing_kept(server)


@pytest.mark.parametrize("handshake", HANDSHAKES)
def test_a_refused_handshake_tells_no_secret(
    server: RunningServer, records: Callable[[], str], handshake: Callable[[str], dict[str, Any]]
) -> None:
    options = handshake(f"{TOKEN} wrong")
    url = f"{server.audio_url}{options.pop('query', '').replace(' ', '%20')}"

    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(url, timeout=20, **options)

    assert refused.value.status_code == 401
    assert MARK not in f"{refused.value.resp_headers} {refused.value.resp_body!r}" and MARK not in records()


def test_the_mark_would_be_found(server: RunningServer, tmp_path: Path) -> None:
    (server.data_dir / "proof").write_text(SERVER_KEY)

    with pytest.raises(AssertionError, match="proof"):
        assert_nothing_kept(server)

    (server.data_dir / "proof").unlink()
