"""A vendor whose every byte is scripted by the test: for what the emulator, which behaves, cannot be made to do."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage

WAIT_S = 20


class HangUp(Exception):
    """The client went away."""


class Line:
    """The vendor's end of one connection; `number` counts the connections from 1."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(WAIT_S)
        self.sock, self.number = sock, number
        self._read = sock.makefile("rb")

    def close(self) -> None:
        self._read.close()
        self.sock.close()

    # --- HTTP

    def request(self) -> tuple[str, dict[str, str], bytes]:
        """Return the request line, the headers (lower case) and the body of the next request."""
        first = self._line()
        headers = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return first, headers, self._read.read(int(headers.get("content-length", 0)))

    def _line(self) -> str:
        line = self._read.readline()
        if not line:
            raise HangUp
        return line.decode().rstrip("\r\n")

    def answer(self, body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> None:
        self.sock.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    # --- WebSocket

    def upgrade(self) -> dict[str, str]:
        """Accept the WebSocket; returns the request's headers."""
        self._ws = WSConnection(ConnectionType.SERVER)
        self._events: Iterator[Any] = iter(())
        request = self._next()
        assert isinstance(request, Request)
        self.sock.sendall(self._ws.send(AcceptConnection()))
        return {name.decode().lower(): value.decode() for name, value in request.extra_headers}

    def frame(self, kind: str, **fields: Any) -> bytes:
        """Return the bytes of one event."""
        return bytes(self._ws.send(TextMessage(data=json.dumps({"type": kind, **fields}))))

    def say(self, kind: str, **fields: Any) -> None:
        self.sock.sendall(self.frame(kind, **fields))

    def ping(self) -> None:
        self.sock.sendall(self._ws.send(Ping(payload=b"?")))

    def bid_farewell(self, code: int, reason: str = "") -> None:
        self.sock.sendall(self._ws.send(CloseConnection(code=code, reason=reason)))

    def hear(self, *kinds: str) -> dict[str, Any]:
        """Return the client's next event (of one of these kinds). Raises: HangUp."""
        text = ""
        while True:
            event = self._next()
            if event is None or isinstance(event, CloseConnection):
                raise HangUp
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    said, text = json.loads(text), ""
                    if not kinds or said["type"] in kinds:
                        return dict(said)

    def begin_session(self) -> None:
        """Go through the beginning that every realtime session has."""
        self.upgrade()
        self.say("session.created")
        self.hear("session.update")
        self.say("session.updated")

    def _next(self) -> Any:
        while True:
            for event in self._events:
                return event
            data = self._read.read1(65536)
            if not data:
                return None
            self._ws.receive_data(data)
            self._events = self._ws.events()


class Vendor:
    """Serves every connection by the script, each in its own thread, until the test ends."""

    def __init__(
        self, listener: socket.socket, script: Callable[[Line], None], *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._listener, self._script, self._tls = listener, script, tls
        self._socks: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.connections = 0
        host, s = f"127.0.0.1:{listener.getsockname()[1]}", "s" if tls else ""
        self.url, self.websocket_url = f"http{s}://{host}", f"ws{s}://{host}"
        self._accepting = self._start(self._accept)

    def _start(self, target: Callable[..., None], *args: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, name="scripted vendor", daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._threads.append(self._start(self._serve, sock, self.connections))

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(HangUp, OSError):
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            self._socks.append(sock)
            with contextlib.closing(Line(sock, number)) as line:
                self._script(line)

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(WAIT_S)
        for sock in self._socks:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT_S)


@contextmanager
def scripted_vendor(script: Callable[[Line], None], *, tls: ssl.SSLContext | None = None) -> Iterator[Vendor]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        vendor = Vendor(listener, script, tls=tls)
        try:
            yield vendor
        finally:
            vendor.stop()


def polite(line: Line) -> None:
    """Answer every request with an empty object."""
    while True:
        line.request()
        line.answer()
