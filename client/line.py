"""One WebSocket connection of a device, never blocking: what came, what goes out, and how fast it may be read.

The frames are wsproto's work (7 µs for an event of 2 KB); the socket and its pace are ours.
"""

import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
)
from wsproto.events import TextMessage as Text
from wsproto.utilities import ProtocolError, RemoteProtocolError

_READ_BYTES: Final = 65536
_SLOW_BUFFER_BYTES: Final = 8192
_SLOW_SEGMENT_BYTES: Final = 1400
"""A slow reader's receive buffer: small, so that its slowness reaches the server. Its segments are those of a real
network: with the loopback's 64 KB segments a small window makes TCP wait for its persist timer, seconds at a time."""


class LineError(Exception):
    """The connection could not be made, or is over. The text says why."""


class Throttle:
    """How many bytes may be read now. Invariant: on average at most `bytes_per_s`; 0 means as many as there are."""

    def __init__(self, bytes_per_s: int, *, now_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at_s = now_s

    def allowance(self, now_s: float) -> int:
        """Return how many bytes may be read at once: a twentieth of a second's worth."""
        if not self._bytes_per_s:
            return _READ_BYTES
        return max(1, self._bytes_per_s // 20) if now_s >= self._free_at_s else 0

    def spend(self, size: int, *, now_s: float) -> None:
        if self._bytes_per_s:
            self._free_at_s = max(self._free_at_s, now_s - 0.05) + size / self._bytes_per_s

    def pause(self, now_s: float) -> float | None:
        """Return when reading is allowed again; None when it is allowed now."""
        return self._free_at_s if self._bytes_per_s and now_s < self._free_at_s else None


class Line:
    """A connection to a `ws://` or `wss://` address. Invariant: after `close` or a `LineError` it is used no more.

    `paused_until_s`: as a slow reader it has read its share; call `receive` again then (None: when there is news).
    Threads: one owner.  Raises: LineError.
    """

    def __init__(self, url: str, *, key: str, bytes_per_s: int, connect_timeout_s: float, now_s: float) -> None:
        self.paused_until_s: float | None = None
        self._throttle = Throttle(bytes_per_s, now_s=now_s)
        self._socket = _connect(url, slow=bytes_per_s > 0, timeout_s=connect_timeout_s)
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._partial: list[str | bytes] = []
        self._out = bytearray(self._ws.send(_request(url, key)))
        self._ended = ""
        self.is_open = False
        self.flush()

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def has_unsent(self) -> bool:
        """Whether the socket did not take everything: call `flush` when it can be written again."""
        return bool(self._out)

    def send(self, message: str | bytes) -> None:
        self._out += self._ws.send(Text(message) if isinstance(message, str) else BytesMessage(message))
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes now."""
        try:
            while self._out:
                del self._out[: self._socket.send(self._out)]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as error:
            raise LineError(f"The connection broke: {error}.") from error

    def receive(self, now_s: float) -> list[str | bytes]:
        """Return the messages that have come, as far as the throttle lets them be read.

        What came before the end of a connection is returned first; the next call raises.
        """
        messages: list[str | bytes] = []
        while not self._ended and (size := self._throttle.allowance(now_s)):
            data = self._read(size)
            self._throttle.spend(len(data), now_s=now_s)
            messages += self._messages(data)
            if len(data) < size:
                break
        self.paused_until_s = self._throttle.pause(now_s)
        if self._ended and not messages:
            raise LineError(self._ended)
        return messages

    def _read(self, size: int) -> bytes:
        """Read what is there, perhaps nothing."""
        try:
            data = self._socket.recv(size)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise LineError(f"The connection broke: {error}.") from error
        if not data:
            self._ended = "The server went away without saying goodbye."
        return data

    def _messages(self, data: bytes) -> list[str | bytes]:
        messages: list[str | bytes] = []
        if not data:
            return messages
        try:
            self._ws.receive_data(data)
            for event in self._ws.events():
                if isinstance(event, Text | BytesMessage):
                    messages += self._join(event)
                else:
                    self._on_control(event)
        except RemoteProtocolError as error:
            self._ended = f"The server does not speak WebSocket here: {error}."
        return messages

    def _join(self, event: Text | BytesMessage) -> list[str | bytes]:
        """Return the whole message when this was its last piece."""
        self._partial.append(event.data if isinstance(event, Text) else bytes(event.data))
        if not event.message_finished:
            return []
        pieces, self._partial = self._partial, []
        return [pieces[0] if len(pieces) == 1 else type(pieces[0])().join(pieces)]  # type: ignore[arg-type]

    def _on_control(self, event: object) -> None:
        match event:
            case AcceptConnection():
                self.is_open = True
            case Ping():
                self._out += self._ws.send(event.response())
                self.flush()
            case RejectConnection():
                self._ended = f"The server refused the connection with HTTP status {event.status_code}."
            case CloseConnection():
                self._ended = f"The server closed the connection: {event.code} {event.reason or ''}".rstrip() + "."

    def close(self) -> None:
        """Say goodbye when that is possible at once, and free the socket; harmless when repeated."""
        try:
            if self.is_open and not self._out:
                self._socket.send(self._ws.send(CloseConnection(code=1000)))
        except (OSError, ProtocolError):
            pass  # the other side is gone already: nothing to tell it
        self.is_open = False
        self._socket.close()


def _connect(url: str, *, slow: bool, timeout_s: float) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise LineError(f"{url!r} is not a WebSocket address: it must start with ws:// or wss://.")
    address = (parts.hostname, parts.port or (443 if parts.scheme == "wss" else 80))
    try:
        sock = _open(address, slow=slow, timeout_s=timeout_s)
        if parts.scheme == "wss":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=parts.hostname)
    except OSError as error:
        raise LineError(f"No connection to {url}: {error}. Is the server running?") from error
    sock.setblocking(False)
    return sock


def _open(address: tuple[str, int], *, slow: bool, timeout_s: float) -> socket.socket:
    """Connect as `socket.create_connection` does, but with the receive buffer set before the window is agreed upon."""
    failure: OSError = OSError("the name has no address")
    for family, kind, proto, _, target in socket.getaddrinfo(*address, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, proto)
        sock.settimeout(timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if slow:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SLOW_SEGMENT_BYTES)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER_BYTES)
        try:
            sock.connect(target)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _request(url: str, key: str) -> Request:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [(b"Authorization", f"Bearer {key}".encode())] if key else []
    return Request(host=parts.netloc, target=target, extra_headers=headers)
