"""The traps of WebSockets on threads: each test fails without its cure in `routes/socket.py`."""

import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import urllib3

from routes.socket import GuardedSocket, Inbox, guarded_reader
from test.support.device import TestDevice, packets, spoken_wav
from test.support.servers import RunningServer
from test.support.waiting import eventually


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    with ours, theirs:
        yield ours, theirs


def read_exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := sock.recv(4096)):
        data += piece
    return bytes(data)


def test_a_send_larger_than_the_sockets_buffer_arrives_whole(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    data = os.urandom(2_000_000)
    writer = threading.Thread(target=GuardedSocket(ours, stall_s=10).send, args=(data,))

    writer.start()
    received = read_exactly(theirs, len(data))
    writer.join()

    assert received == data


def test_two_threads_frames_never_mix(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    guarded, size, rounds = GuardedSocket(ours, stall_s=10), 50_000, 10
    writers = [
        threading.Thread(target=lambda fill=fill: [guarded.send(fill * size) for _ in range(rounds)])
        for fill in (b"a", b"b")
    ]

    for writer in writers:
        writer.start()
    received = read_exactly(theirs, 2 * rounds * size)
    for writer in writers:
        writer.join()

    frames = {received[begin : begin + size] for begin in range(0, len(received), size)}
    assert frames == {b"a" * size, b"b" * size}


def test_a_peer_that_takes_nothing_is_given_up(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, _ = pair

    with pytest.raises(TimeoutError):
        GuardedSocket(ours, stall_s=0.05).send(bytes(10_000_000))


def test_the_inbox_makes_the_reader_wait_when_full() -> None:
    inbox = Inbox(limit_bytes=10)
    inbox.append(b"0123456789")
    reader = threading.Thread(target=inbox.append, args=(b"next",))
    reader.start()

    reader.join(0.05)
    was_waiting = reader.is_alive()
    inbox.pop(0)
    reader.join(5)

    assert was_waiting and list(inbox) == [b"next"]


def test_a_released_inbox_lets_the_reader_go() -> None:
    inbox = Inbox(limit_bytes=1)
    inbox.append(b"full")
    reader = threading.Thread(target=inbox.append, args=(b"next",))
    reader.start()

    inbox.release()
    reader.join(5)

    assert not reader.is_alive()


class AcceptedConnection:
    """A connection at the moment when the library starts its reader."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.input_buffer = sock, ["an early packet"]

    def read(self) -> None:
        self.input_buffer.append("a later packet")


def test_no_packet_is_lost_between_the_handshake_and_the_guard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            connection = AcceptedConnection(accepted)

            reader = guarded_reader(connection.read, stall_s=1)
            reader.start()
            reader.join()

            assert isinstance(connection.input_buffer, Inbox)
            assert list(connection.input_buffer) == ["an early packet", "a later packet"]


def test_accepted_sockets_send_at_once_and_notice_dead_peers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            guarded_reader(AcceptedConnection(accepted).read, stall_s=1)

            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_compression_is_not_negotiated_and_pings_are_left_to_tcp(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    server = serve()

    device = connect(server, header=["Sec-WebSocket-Extensions: permessage-deflate"])

    assert "sec-websocket-extensions" not in device.ws.getheaders()
    assert server.app.config["SOCK_SERVER_OPTIONS"]["ping_interval"] is None


def test_a_large_message_is_told_and_a_monstrous_one_ends_the_connection_and_its_threads(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    server = serve()
    device = connect(server)

    device.send({"seq": 1, "total": 1, "data": "A" * 500_000})
    error = device.until("error")
    device.send("x" * 1_100_000)
    closed = device.until_closed()

    assert error["code"] == "too_large" and closed
    eventually(lambda: len(server.app.extensions["sessions"]) == 0)
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("ws-")])


def test_a_broken_part_closes_the_socket_properly_and_frees_its_place(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(tts_output_dir=None)
    device = connect(server)
    device.until("connected")
    monkeypatch.setattr("uuid.uuid4", lambda: 1 // 0)  # the system's randomness fails while a turn is prepared

    device.send(*packets(spoken_wav("你好")))
    closed = device.until_closed()
    monkeypatch.undo()

    assert closed == "closed with 1011"
    eventually(lambda: len(server.app.extensions["sessions"]) == 0)
    assert urllib3.request("GET", f"{server.url}/health").status == 200


def test_a_device_that_never_answers_pings_is_served(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve())

    device.ws.ping("are you there")
    complete = device.turn(spoken_wav("你好"))

    assert complete["transcription_success"]


def test_no_http_answer_is_ever_written_into_an_open_websocket(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setattr("uuid.uuid4", lambda: 1 // 0)  # a session cannot even begin

    received = read_exactly(connect(server).ws.sock, 1_000_000)

    assert b"HTTP/1.1" not in received
    assert len(server.app.extensions["sessions"]) == 0
