"""HTTP/1.1 with keep-alive for Werkzeug's threaded server.

Werkzeug closes every connection after one answer; the real service keeps them open, and how a client deals with
kept connections is part of what is tested.  Each piece of an answer costs one system call.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from werkzeug.serving import WSGIRequestHandler

_LOG: Final = logging.getLogger("emulator")
_IDLE_S: Final = 75.0
_NO_BODY: Final = ("1", "204", "304")


class Handler(WSGIRequestHandler):
    """Serves the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Wait for the next request, but not for ever: the real gateway closes an idle line too."""
        self.connection.settimeout(_IDLE_S)
        super().handle_one_request()

    def log_error(self, format: str, *args: Any) -> None:
        """Stay quiet: an idle line that is closed is no error."""

    def run_wsgi(self) -> None:
        """Answer one request; a ConnectionError from the application drops the line without an answer."""
        self.connection.settimeout(None)  # with a timeout set, a large send could be a short one
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            self._answer(self.make_environ())
        except ConnectionError:
            self.close_connection = True
        except Exception:  # outermost frame of a request: show the defect, drop the line
            _LOG.exception("the emulator failed at %s %s", self.command, self.path)
            self.close_connection = True

    def _answer(self, environ: dict[str, Any]) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started[:] = [(status, headers)]

        body = self.server.app(environ, start_response)
        try:
            self._write(*started[0], body)
        finally:
            if hasattr(body, "close"):
                body.close()

    def _write(self, status: str, headers: list[tuple[str, str]], body: Iterable[bytes]) -> None:
        names = {name.lower() for name, _ in headers}
        is_chunked = "content-length" not in names and not status.startswith(_NO_BODY) and self.command != "HEAD"
        head = self._head(status, headers, is_chunked=is_chunked)
        for piece in body:
            if piece:
                self.wfile.write(head + (b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece))
                head = b""
        tail = b"0\r\n\r\n" if is_chunked else b""
        if head or tail:
            self.wfile.write(head + tail)

    def _head(self, status: str, headers: list[tuple[str, str]], *, is_chunked: bool) -> bytes:
        lines = [f"{name}: {value}" for name, value in headers]
        lines += ["transfer-encoding: chunked"] if is_chunked else []
        lines += ["server: istio-envoy", f"date: {self.date_time_string()}"]
        lines += ["connection: close"] if self.close_connection else []
        return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")
