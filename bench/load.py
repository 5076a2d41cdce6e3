"""A load generator: one thread, raw sockets, one request as bytes, sent again and again on connections that stay open.

It costs about 20 µs of CPU per exchange, an HTTP library ten times that: the figures are the server's, not its own.
"""

import selectors
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import msgspec

from client.fleet import Spread, spread

_GIVE_UP_S: Final = 60.0
_SETTLE_S: Final = 0.2
"""After connecting: who has a thread for each connection has it now, and the exchanges alone are measured."""
_READ_BYTES: Final = 65536
_HEAD_END: Final = b"\r\n\r\n"
_LAST_CHUNK: Final = b"0\r\n\r\n"


@dataclass(slots=True, kw_only=True)
class Load:
    """What a run measured. `first_ms`: until the first byte of the body; `total_ms`: until its last."""

    first_ms: list[float] = field(default_factory=list)
    total_ms: list[float] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def per_s(self) -> float:
        return len(self.total_ms) / self.wall_s

    @property
    def first(self) -> Spread:
        return spread(self.first_ms)

    @property
    def total(self) -> Spread:
        return spread(self.total_ms)


def post(url: str, content: object, *, key: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a POST request as it goes over the wire."""
    parts, body = urlsplit(url), msgspec.json.encode(content)
    lines = {
        "Host": parts.netloc,
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    } | dict(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + body


def run(url: str, request: bytes, *, connections: int, seconds: float = 0.0, most: int = 0) -> Load:
    """Keep so many exchanges in flight until time is up, or until `most` were sent.  Raises: RuntimeError."""
    load = Load()
    with selectors.DefaultSelector() as selector:
        lines = [_Line(url, request, load) for _ in range(connections)]
        for line in lines:
            selector.register(line.sock, selectors.EVENT_READ, line)
        time.sleep(_SETTLE_S)
        began_s = time.monotonic()
        _exchange(selector, lines, until_s=began_s + (seconds or _GIVE_UP_S), most=most)
        load.wall_s = time.monotonic() - began_s
    for line in lines:
        line.sock.close()
    return load


def _exchange(selector: selectors.BaseSelector, lines: list["_Line"], *, until_s: float, most: int) -> None:
    sent = len(lines)
    for line in lines:
        line.send()
    busy, give_up_s = len(lines), time.monotonic() + _GIVE_UP_S
    while busy:
        if time.monotonic() > give_up_s:
            raise RuntimeError(f"{busy} of {len(lines)} answers did not come")
        for key, _ in selector.select(1.0):
            if not key.data.has_read_all():
                continue
            if time.monotonic() < until_s and not (most and sent >= most):
                sent += 1
                key.data.send()
            else:
                busy -= 1


class _Line:
    """One connection with one exchange at a time."""

    def __init__(self, url: str, request: bytes, load: Load) -> None:
        parts = urlsplit(url)
        self.sock = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=_GIVE_UP_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request, self._load = request, load

    def send(self) -> None:
        self._head, self._tail = b"", b""
        self._left: int | None = None  # None: chunked, or the head is not here yet
        self._is_in_body = self._has_first = False
        self._sent_s = time.perf_counter()
        self.sock.sendall(self._request)

    def has_read_all(self) -> bool:
        """Read what is there; True when the answer is whole, and then its times are noted."""
        data = self.sock.recv(_READ_BYTES)
        now_s = time.perf_counter()
        if not data:
            raise RuntimeError(f"the connection ended: {self._head[:200]!r}")
        if not self._is_in_body:
            data = self._body_after_head(data)
        if data and not self._has_first:
            self._has_first = True
            self._load.first_ms.append((now_s - self._sent_s) * 1000)
        if not self._is_in_body or not self._ends_with(data):
            return False
        self._load.total_ms.append((now_s - self._sent_s) * 1000)
        return True

    def _body_after_head(self, data: bytes) -> bytes:
        self._head += data
        head, end, body = self._head.partition(_HEAD_END)
        if not end:
            return b""
        lines = head.lower().split(b"\r\n")
        if b" 200 " not in lines[0] + b" ":
            raise RuntimeError(f"{head.decode()} {body[:500]!r}")
        length = next((line[15:] for line in lines if line.startswith(b"content-length:")), None)
        self._left = None if length is None else int(length)
        self._is_in_body = True
        return body

    def _ends_with(self, data: bytes) -> bool:
        if self._left is None:
            self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
            return self._tail == _LAST_CHUNK
        self._left -= len(data)
        return self._left <= 0
