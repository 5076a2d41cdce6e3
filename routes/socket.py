"""The WebSocket adapter: every trap of the library and of the network, in one place.

Measured, each with its test: a library that calls `send` once and takes a short write for a whole one; a pong of the
reader's thread that lands in the middle of the writer's frame; a list of received messages without a bound;
Nagle with delayed ACK (44 ms an exchange); compression of base64 for nothing; a client that stops reading.
"""

import contextlib
import functools
import select
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Flask, request
from simple_websocket import ConnectionClosed, Server
from wsproto.events import BytesMessage, TextMessage
from wsproto.utilities import LocalProtocolError

from routes.auth import SUBPROTOCOLS

RECEIVE_BYTES = 16_384
MAX_MESSAGE_BYTES = 1_048_576
"""Up to here a message that is too large is told; past it the connection closes with 1009."""
INBOX_BYTES = 4 * MAX_MESSAGE_BYTES


def prepare(app: Flask, *, stall_s: float) -> None:
    """Set the WebSocket server's options for this application."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "thread_class": functools.partial(guarded_reader, stall_s=stall_s),
        "max_message_size": MAX_MESSAGE_BYTES,
        "receive_bytes": RECEIVE_BYTES,
        "subprotocols": list(SUBPROTOCOLS),
        "ping_interval": None,  # it would cut devices whose library never answers pings
    }

    @app.before_request
    def refuse_compression() -> None:
        request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)


_TCP_OPTIONS = (
    (socket.TCP_NODELAY, 1),
    (socket.TCP_KEEPIDLE, 60),
    (socket.TCP_KEEPINTVL, 15),
    (socket.TCP_KEEPCNT, 4),
)
"""A peer that vanished is noticed after two minutes, without asking its WebSocket library for pongs."""


class Inbox(list[str | bytes]):
    """The library's list of received messages, with a bound: when it is full the reader waits, and so does the device.

    Threads: the library's reader appends, the handler pops.
    """

    def __init__(self, messages: Iterable[str | bytes] = (), *, limit_bytes: int) -> None:
        super().__init__(messages)
        self._limit_bytes, self._size_bytes = limit_bytes, sum(map(len, self))
        self._is_released = False
        self._changed = threading.Condition()

    def append(self, message: str | bytes) -> None:
        with self._changed:
            while self._size_bytes >= self._limit_bytes and not self._is_released:
                self._changed.wait()  # woken by the handler, or released when the connection ends
            self._size_bytes += len(message)
            super().append(message)

    def pop(self, index: Any = -1) -> str | bytes:
        with self._changed:
            message = super().pop(index)
            self._size_bytes -= len(message)
            self._changed.notify_all()
            return message

    def release(self) -> None:
        """Let the reader go on: nobody takes from here any more."""
        with self._changed:
            self._is_released = True
            self._changed.notify_all()


class GuardedSocket:
    """A socket whose `send` is a whole write, one at a time, and fails when the peer takes nothing for `stall_s`.

    The lock is held over the write on purpose: it is what keeps frames whole.
    """

    def __init__(self, sock: socket.socket, *, stall_s: float) -> None:
        self._sock, self._stall_ms = sock, int(stall_s * 1000)
        self._writing = threading.Lock()
        self._poll = select.poll()
        self._poll.register(sock, select.POLLOUT)

    def send(self, data: bytes) -> int:
        """Raises: OSError (TimeoutError when the peer stalls)."""
        view = memoryview(data)
        with self._writing:
            while view:
                view = view[self._send_some(view) :]
        return len(data)

    def _send_some(self, view: memoryview) -> int:
        with contextlib.suppress(BlockingIOError):
            return self._sock.send(view, socket.MSG_DONTWAIT)
        if not self._poll.poll(self._stall_ms):
            raise TimeoutError("the device takes no data")
        return 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def guarded_reader(target: Callable[[], None], *, stall_s: float) -> threading.Thread:
    """Return the library's reader thread, not yet started, its connection's socket and inbox guarded.

    This moment is the only one at which the connection is complete and nobody reads it: exchanged later, the inbox
    would lose what the reader had put into the old one (one connection in fifteen lost its first packets).
    """
    ws: Server = target.__self__  # type: ignore[attr-defined]
    for option, value in _TCP_OPTIONS:
        ws.sock.setsockopt(socket.IPPROTO_TCP, option, value)
    ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    ws.sock = GuardedSocket(ws.sock, stall_s=stall_s)
    ws.input_buffer = Inbox(ws.input_buffer, limit_bytes=INBOX_BYTES)
    return threading.Thread(target=target, daemon=True)


class WebSocketAdapter:
    """A device's connection as the session wants it. Threads: one receives, one sends, any aborts."""

    def __init__(self, ws: Server) -> None:
        self._ws = ws
        self._sock: GuardedSocket = ws.sock
        self._inbox: Inbox = ws.input_buffer

    @property
    def is_open(self) -> bool:
        return bool(self._ws.connected)

    def receive(self, *, timeout_s: float) -> str | bytes | None:
        """Return the next message, None when none came in time or the connection closed."""
        with contextlib.suppress(ConnectionClosed):
            message: str | bytes | None = self._ws.receive(timeout=timeout_s)
            return message if message is None or isinstance(message, str) else bytes(message)
        return None

    def send(self, messages: Sequence[str | bytes]) -> None:
        """Send messages in one write, which saves a system call and a wake-up for each. Raises: OSError."""
        if not self._ws.connected:
            raise ConnectionResetError("the device has closed the connection")
        try:
            self._sock.send(b"".join(map(self._frame, messages)))
        except LocalProtocolError as error:
            raise ConnectionResetError("the device is closing the connection") from error

    def _frame(self, message: str | bytes) -> bytes:
        event = TextMessage(data=message) if isinstance(message, str) else BytesMessage(data=message)
        return bytes(self._ws.ws.send(event))

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; harmless when the device is gone."""
        with contextlib.suppress(ConnectionClosed, OSError):
            self._ws.close(code, reason)

    def abort(self) -> None:
        self._inbox.release()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
