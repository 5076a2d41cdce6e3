"""A client that leaves stops its call at once, and nobody else's."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import urllib3

from emulator import Emulator
from routes.presence import Presence, of_this_process, socket_of
from services.flow import CancelToken
from test.support.server_process import ServerProcess, vendor_settings
from test.support.servers import RunningServer
from test.support.waiting import eventually

SILENT = {"chat_first_token_ms": 60_000}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's end and a server's end of one connection."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        yield client, stack.enter_context(listener.accept()[0])


@pytest.fixture
def presence() -> Presence:
    return Presence()


Pair = tuple[socket.socket, socket.socket]

# --- one connection


def test_a_client_that_closes_cancels_what_it_waited_for(pair: Pair, presence: Presence) -> None:
    client, server = pair
    cancel = CancelToken()

    with presence.watching(server, cancel):
        client.close()

        assert cancel.wait(10)


def test_a_client_that_closed_before_it_was_watched_is_noticed_too(pair: Pair, presence: Presence) -> None:
    client, server = pair
    client.close()
    cancel = CancelToken()

    with presence.watching(server, cancel):
        assert cancel.wait(10)


def test_a_client_that_closes_its_sending_side_counts_as_gone(pair: Pair, presence: Presence) -> None:
    client, server = pair
    cancel = CancelToken()

    with presence.watching(server, cancel):
        client.shutdown(socket.SHUT_WR)

        assert cancel.wait(10)


def test_a_client_that_sends_its_next_request_early_is_still_there(pair: Pair, presence: Presence) -> None:
    client, server = pair
    first, second = CancelToken(), CancelToken()

    with socket.socket() as unconnected, presence.watching(server, first):
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with presence.watching(unconnected, second):  # it has hung up from the start, so its news come last
            assert second.wait(10)

    assert not first.is_cancelled


def test_a_kept_connection_is_watched_again_with_its_next_request(pair: Pair, presence: Presence) -> None:
    client, server = pair
    first, second = CancelToken(), CancelToken()
    with presence.watching(server, first):
        pass

    with presence.watching(server, second):
        client.close()
        assert second.wait(10)

    assert not first.is_cancelled


def test_nobody_is_watched_between_two_requests(pair: Pair, presence: Presence) -> None:
    _, server = pair

    with presence.watching(server, CancelToken()):
        assert len(presence) == 1

    assert len(presence) == 0


def test_old_news_of_a_number_does_not_stop_the_connection_that_has_it_now(pair: Pair, presence: Presence) -> None:
    _, server = pair
    cancel = CancelToken()

    with presence.watching(server, cancel):
        news = presence._gone(server.fileno())

    assert news is None and not cancel.is_cancelled


def test_a_socket_that_is_closed_already_cancels_at_once(pair: Pair, presence: Presence) -> None:
    _, server = pair
    server.close()
    cancel = CancelToken()

    with presence.watching(server, cancel):
        assert cancel.is_cancelled


def test_a_websocket_is_left_to_its_own_reader() -> None:
    with socket.socket() as sock:
        environ = {"werkzeug.socket": sock}

        assert socket_of(environ) is sock
        assert socket_of(environ | {"HTTP_UPGRADE": "WebSocket", "HTTP_CONNECTION": "keep-alive, Upgrade"}) is None
        assert socket_of(environ | {"HTTP_UPGRADE": "websocket"}) is sock  # a plain request that only says so


# --- a whole server


def ask(url: str, key: str, *, is_stream: bool, client: socket.socket | None = None) -> socket.socket:
    """Ask a question over a connection, a new one unless one is given, that the caller closes."""
    body = json.dumps({"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}], "stream": is_stream})
    head = f"Host: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    client = client or connect_to(url)
    client.sendall(f"POST /v1/chat/completions HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return client


def connect_to(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=20)


def was_left(emulator: Emulator, key: str) -> bool:
    return emulator.journal(key)[-1]["kind"] in ("dropped", "gone")


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_call_to_a_silent_vendor_is_dropped_when_its_client_leaves(
    serve: Callable[..., RunningServer],
    scenario: Callable[..., None],
    emulator: Emulator,
    key: str,
    is_stream: bool,
) -> None:
    scenario(latency=SILENT)
    client = ask(serve().url, key, is_stream=is_stream)
    eventually(lambda: emulator.journal(key))

    client.close()

    eventually(lambda: was_left(emulator, key))
    eventually(lambda: len(of_this_process()) == 0)


def test_a_stream_that_pauses_is_dropped_when_its_client_leaves(
    serve: Callable[..., RunningServer], scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(latency={"chat_token_ms": 60_000})
    client = ask(serve().url, key, is_stream=True)
    assert b"200 OK" in client.recv(4096)

    client.close()

    eventually(lambda: was_left(emulator, key))


def test_gunicorn_tells_of_a_client_that_left_too(
    tmp_path: Path, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(latency=SILENT)
    with ServerProcess(tmp_path, **vendor_settings(emulator, key=key)) as server:
        client = ask(server.started().url, key, is_stream=False)
        eventually(lambda: emulator.journal(key))

        client.close()

        eventually(lambda: was_left(emulator, key))


def test_on_a_kept_connection_each_request_is_watched(
    tmp_path: Path, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    with ServerProcess(tmp_path, **vendor_settings(emulator, key=key)) as server:
        client = ask(server.started().url, key, is_stream=False)
        assert b"200 OK" in client.recv(65_536)
        answered = len(emulator.journal(key))
        scenario(latency=SILENT)
        ask(server.url, key, is_stream=False, client=client)
        eventually(lambda: len(emulator.journal(key)) > answered)

        client.close()

        eventually(lambda: was_left(emulator, key))


def test_an_answered_client_is_watched_no_more(serve: Callable[..., RunningServer]) -> None:
    answer = urllib3.request("GET", f"{serve().url}/health")

    assert answer.status == 200
    eventually(lambda: len(of_this_process()) == 0)
