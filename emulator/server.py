"""Start and stop the emulator inside this process.

Threads: one accepts, one serves each connection; `stop` shuts every connection and joins them all.
"""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Any, Final, Self

from werkzeug.serving import ThreadedWSGIServer

from emulator.app import create_app
from emulator.calls import Vendor, shut
from emulator.http11 import Handler
from emulator.scenario import parse_scenario

_JOIN_S: Final = 5.0


class _Server(ThreadedWSGIServer):
    """Knows its open connections and their threads, so that stopping can end both."""

    request_queue_size = 1024

    def __init__(self, *args: Any, **options: Any) -> None:
        self._lock = threading.Lock()
        self._lines: dict[threading.Thread, socket.socket] = {}
        super().__init__(*args, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in a thread of its own."""
        thread = threading.Thread(target=self._serve, args=(request, client_address), name="emulator-line", daemon=True)
        with self._lock:
            self._lines[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._lines[threading.current_thread()]

    def hang_up(self) -> None:
        """Shut every connection and join its thread."""
        with self._lock:
            lines = dict(self._lines)
        for line in lines.values():
            shut(line)
        deadline = time.monotonic() + _JOIN_S
        for thread in lines:
            thread.join(max(0.0, deadline - time.monotonic()))


class Emulator:
    """A running emulator.  Use it as a context manager or call `stop`."""

    def __init__(self, server: _Server, vendor: Vendor) -> None:
        self._server = server
        self._vendor = vendor
        self.port: int = server.server_port
        self.url = vendor.url
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="emulator-accept", daemon=True)
        self._thread.start()

    @property
    def compatible_url(self) -> str:
        """The base URL for OpenAI clients."""
        return f"{self.url}/compatible-mode/v1"

    @property
    def native_url(self) -> str:
        """The base URL for the vendor's own HTTP API."""
        return f"{self.url}/api/v1"

    @property
    def websocket_url(self) -> str:
        """The base URL of the WebSocket APIs; the realtime one is `/realtime` below it."""
        return f"ws://127.0.0.1:{self.port}/api-ws/v1"

    def journal(self, key: str) -> list[dict[str, Any]]:
        """Return what arrived from a key, oldest first."""
        return self._vendor.journal.of(key)

    def set_scenario(self, key: str, scenario: dict[str, Any]) -> None:
        """Script what a key will see.  Raises: msgspec.ValidationError naming the wrong field."""
        self._vendor.scripts.set(key, parse_scenario(scenario))

    def stop(self) -> None:
        """Stop accepting, end every connection, join every thread.  May be called twice."""
        self._vendor.stopping.set()
        self._server.shutdown()
        self._thread.join(_JOIN_S)
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(*, port: int = 0, voice: str = "tones", ear: str = "auto") -> Emulator:
    """Start an emulator on 127.0.0.1 in threads of this process; port 0 takes a free one.

    Raises: ValueError for an unknown voice or ear, OSError when the port is taken.
    """
    from emulator.listeners import make_ear
    from emulator.voice import make_voice

    vendor = Vendor(voice=make_voice(voice), ear=make_ear(ear))
    server = _Server("127.0.0.1", port, create_app(vendor), handler=Handler)
    vendor.url = f"http://127.0.0.1:{server.server_port}"
    return Emulator(server, vendor)
