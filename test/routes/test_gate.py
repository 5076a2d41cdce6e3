"""What every request gets: headers, limits, room for its body, what browsers need, and one line in the log."""

import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import urllib3
import websocket

from emulator import Emulator
from protocol.keys import digest
from test.support.device import TestDevice
from test.support.servers import RunningServer
from test.support.waiting import eventually

Serve = Callable[..., RunningServer]
QUESTION = {"model": "qwen-plus", "messages": [{"role": "user", "content": "what is my secret"}]}


def ask(server: RunningServer, credential: str = "", **headers: str) -> urllib3.BaseHTTPResponse:
    sent = {"Authorization": f"Bearer {credential or server.key}", **headers}
    return urllib3.request("POST", f"{server.url}/v1/chat/completions", json=QUESTION, headers=sent, retries=False)


def assert_limited(answer: urllib3.BaseHTTPResponse, words: str) -> None:
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["type"]) == (429, "rate_limit_exceeded", "requests")
    assert words in error["message"] and 1 <= int(answer.headers["Retry-After"]) <= 60


# --- headers


def test_every_answer_says_its_id_and_how_long_it_took(serve: Serve) -> None:
    server = serve()

    answers = [ask(server), urllib3.request("GET", f"{server.url}/v1/nothing"), urllib3.request("PUT", server.url)]

    assert [answer.status for answer in answers] == [200, 404, 405]
    for answer in answers:
        assert re.fullmatch(r"req_[0-9a-f]{32}", answer.headers["x-request-id"])
        assert re.fullmatch(r"upstream;dur=[\d.]+, server;dur=[\d.]+", answer.headers["Server-Timing"])
        assert float(answer.headers["x-overhead-ms"]) >= 0 and int(answer.headers["openai-processing-ms"]) >= 0


# --- how much


def test_a_caller_is_told_how_many_requests_are_left_and_refused_after_the_last(serve: Serve, key: str) -> None:
    server = serve(requests_per_minute=2)

    first, second, third = ask(server), ask(server), ask(server)

    assert [a.headers["x-ratelimit-remaining-requests"] for a in (first, second, third)] == ["1", "0", "0"]
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert_limited(third, "2 requests in a minute")
    assert ask(server, f"{key}-another").status == 200


def test_what_is_public_is_counted_for_nobody(serve: Serve) -> None:
    server = serve(requests_per_minute=1)

    assert [urllib3.request("GET", f"{server.url}/health").status for _ in range(3)] == [200, 200, 200]
    assert "x-ratelimit-limit-requests" not in urllib3.request("GET", f"{server.url}/health").headers


@pytest.fixture
def open_sockets() -> Iterator[Callable[[RunningServer], websocket.WebSocket]]:
    """Open WebSockets that stay open until the test ends."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(
            closing(websocket.create_connection(server.audio_url, timeout=20, suppress_origin=True))
        )


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"max_streams_per_key": 1}, "You have 1 calls running"), ({"max_streams": 1}, "no place for another call")],
)
def test_sockets_and_calls_share_the_places(
    serve: Serve, open_sockets: Callable[[RunningServer], websocket.WebSocket], settings: dict[str, Any], words: str
) -> None:
    server = serve(**settings)
    ws = open_sockets(server)
    assert "connected" in ws.recv()

    refused = ask(server)

    assert_limited(refused, words)
    with pytest.raises(websocket.WebSocketBadStatusException, match="429"):
        open_sockets(server)
    ws.close()
    eventually(lambda: ask(server).status == 200)


def test_a_caller_that_fills_its_places_leaves_the_others_theirs(
    serve: Serve, key: str, open_sockets: Callable[[RunningServer], websocket.WebSocket]
) -> None:
    server = serve(max_streams_per_key=1)
    open_sockets(server)

    assert ask(server, f"{key}-another").status == 200


# --- how large


def chunked(pieces: int) -> Iterator[bytes]:
    yield from [b"x" * 1024] * pieces


@pytest.mark.parametrize("body", [b"x" * 5000, chunked(5)], ids=["with its length", "without its length"])
def test_a_body_that_is_too_large_is_refused_while_it_is_read(serve: Serve, body: Any) -> None:
    server = serve(max_body_bytes=4096)

    answer = urllib3.request("POST", f"{server.url}/v1/chat/completions", body=body, retries=False)

    assert (answer.status, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_body_of_just_the_largest_size_is_read_whole(serve: Serve) -> None:
    server = serve(max_body_bytes=4096)

    answer = urllib3.request("POST", f"{server.url}/v1/chat/completions", body=chunked(4), retries=False)

    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid_json")


# --- pages of other sites

SITE = {"Origin": "https://app.example"}


def test_a_browser_may_send_what_it_asks_to_send_without_a_credential(serve: Serve) -> None:
    asked = "authorization,content-type,x-stainless-os,openai-beta"
    headers = SITE | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}

    answer = urllib3.request("OPTIONS", f"{serve().url}/v1/chat/completions", headers=headers)

    assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == "*"
    assert set(answer.headers["Access-Control-Allow-Headers"].split(", ")) == set(asked.split(","))
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Max-Age"] == "600"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/models", 403), ("GET", "/v1/x", 404), ("PUT", "/health", 405)]
)
def test_a_page_may_read_errors_too(serve: Serve, method: str, path: str, status: int) -> None:
    answer = urllib3.request(method, f"{serve().url}{path}", headers=SITE)

    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, "*")
    assert {"x-request-id", "retry-after"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_whoever_is_no_browser_gets_no_words_for_browsers(serve: Serve) -> None:
    assert not [name for name in ask(serve()).headers if name.lower().startswith("access-control")]


# --- the log


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines of the request log so far."""
    caplog.set_level(logging.INFO)
    return lambda: [r.getMessage() for r in caplog.records if r.name == "routes.request_log"]


def test_a_request_is_one_line_with_all_that_an_operator_asks_for(serve: Serve, lines: Callable[[], list[str]]) -> None:
    server = serve()

    answer = ask(server, **{"X-Client-Request-Id": "trace-7"})

    eventually(lines)
    [line] = lines()
    for field in (
        f"id={answer.headers['x-request-id']}",
        "method=POST path=/v1/chat/completions status=200",
        f"caller={digest(server.key)[:8]}",
        "from=127.0.0.1",
        f"bytes={len(answer.data)}",
        f"vendor={answer.headers['x-dashscope-request-id']}",
        "code=- client_id=trace-7",
    ):
        assert field in line
    assert all(re.search(rf" {name}=[\d.]+ ", line) for name in ("ms", "first_byte_ms", "overhead_ms"))
    assert server.key not in line and "secret" not in line


def test_the_name_of_a_token_and_the_code_of_an_error_are_told(serve: Serve, lines: Callable[[], list[str]]) -> None:
    server = serve(api_tokens=f"sha256:{digest('vb-t')}")

    urllib3.request("GET", f"{server.url}/v1/models/none?token=vb-t")
    urllib3.request("GET", f"{server.url}/v1/models")

    eventually(lambda: len(lines()) == 2)
    named, refused = sorted(lines(), key=lambda line: "status=401" in line)
    assert "name=API_TOKENS[1]" in named and "code=model_not_found" in named and "token" not in named
    assert "status=401 caller=- name=-" in refused and "code=missing_api_key" in refused


@pytest.mark.parametrize("named", ["two words", "x" * 65, "sk-like-a-key", "line\u00a0break", "%0a"])
def test_what_a_client_calls_its_request_is_logged_only_as_a_plain_name(
    serve: Serve, lines: Callable[[], list[str]], named: str
) -> None:
    ask(serve(), **{"X-Request-ID": named})

    eventually(lines)
    assert lines()[0].endswith("client_id=-")


def test_no_path_breaks_the_line(serve: Serve, lines: Callable[[], list[str]]) -> None:
    urllib3.request("GET", f"{serve().url}/v1/%0Arequest%20id=forged{'x' * 500}")

    eventually(lines)
    [line] = lines()
    assert "\n" not in line and "path=/v1/%0Arequest%20id%3Dforged" in line and len(line) < 600


def test_a_stream_is_told_when_it_ends_and_a_client_that_left_as_gone(
    serve: Serve, scenario: Callable[..., None], emulator: Emulator, key: str, lines: Callable[[], list[str]]
) -> None:
    scenario(latency={"chat_token_ms": 60_000})
    server = serve()
    body = '{"model":"qwen-plus","stream":true,"messages":[{"role":"user","content":"hello"}]}'
    head = f"Host: localhost\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as client:
        client.sendall(f"POST /v1/chat/completions HTTP/1.1\r\n{head}{body}".encode())
        assert b"200 OK" in client.recv(4096)
        assert lines() == []

    eventually(lines)
    assert "status=200" in lines()[0] and "code=client_gone" in lines()[0]


def test_a_socket_is_one_line_when_it_closes(
    serve: Serve, connect: Callable[..., TestDevice], lines: Callable[[], list[str]]
) -> None:
    device = connect(serve())
    device.until("connected")

    device.ws.close()

    eventually(lines)
    assert "path=/v1/chat/audio status=101" in lines()[0]
