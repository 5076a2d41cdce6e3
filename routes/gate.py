"""Where every request comes in and goes out: its id, its caller, the headers of every answer, its end.

How it works.  `Gate` stands around the whole application, because a streamed answer ends long after Flask has let go of
the request: it begins the call, watches the client, and ends the call with the last byte. In between, Flask's own
hooks find out who asks and write the headers.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask, Request, Response, g, request

from protocol.errors import GatewayError
from routes import cors, leftover, presence, request_log
from routes.auth import Auth, is_public
from routes.body import BoundedRequest
from routes.call import Call
from services.admission.limits import Limits
from services.metrics import Metrics

_CALL = "gateway.call"
_TOO_LARGE = 413
_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def register(app: Flask, *, auth: Auth, limits: Limits, metrics: Metrics, max_body_bytes: int) -> None:
    """Let every request of this application pass here, if it may."""
    app.config["MAX_CONTENT_LENGTH"], app.request_class = max_body_bytes, BoundedRequest
    app.wsgi_app = Gate(app.wsgi_app, metrics)  # type: ignore[method-assign]
    cors.register(app)

    @app.before_request
    def enter() -> None:
        asked = request._get_current_object()  # type: ignore[attr-defined]  # the proxy costs more than the rest
        call: Call = asked.environ.get(_CALL) or Call()
        g.call = call
        call.route = asked.url_rule.rule if asked.url_rule else "none"
        _admit(call, asked, auth, limits)

    @app.after_request
    def leave(response: Response) -> Response:
        if call := g.get("call"):  # what failed, failed before the gate
            if response.status_code == _TOO_LARGE:
                call.ending.callback(leftover.discarding(request))
            call.status, call.size_bytes = response.status_code, response.content_length
            response.headers.extend(_headers(call))
        return response


def _admit(call: Call, asked: Request, auth: Auth, limits: Limits) -> None:
    """Find out who asks, and let them in if there is room.

    What is public is everybody's and counted for nobody, and so is the news that an address does not exist.
    """
    if asked.method == "OPTIONS" or asked.routing_exception is not None or is_public(asked.path):
        with contextlib.suppress(GatewayError):
            call.caller = auth.caller_of(asked)
        return
    call.caller = auth.caller_of(asked)
    call.standing = limits.count(call.caller.identity)
    limits.require(call.standing)
    call.ending.enter_context(limits.place(call.caller.identity, call.request_id))


def _headers(call: Call) -> Iterator[tuple[str, str]]:
    overhead_ms, upstream_ms = call.overhead_ms, call.upstream_ms
    yield "x-request-id", call.request_id
    yield "x-overhead-ms", f"{overhead_ms:.2f}"
    yield "openai-processing-ms", f"{overhead_ms + upstream_ms:.0f}"
    yield "Server-Timing", f"upstream;dur={upstream_ms:.2f}, server;dur={overhead_ms:.2f}"
    if call.vendor_request_id:
        yield "x-dashscope-request-id", call.vendor_request_id
    if call.standing:
        yield "x-ratelimit-limit-requests", str(call.standing.limit)
        yield "x-ratelimit-remaining-requests", str(call.standing.remaining)


class Gate:
    """The application with a beginning and an end around every request. Threads: any."""

    def __init__(self, app: _App, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> "_Answer":
        call = environ[_CALL] = Call()
        with call.ending as ending:
            is_socket = presence.is_websocket(environ)
            ending.callback(self._note, call, environ, is_socket)
            ending.enter_context(self._metrics.in_flight(is_socket=is_socket))
            if sock := presence.socket_of(environ):
                ending.enter_context(presence.of_this_process().watching(sock, call.cancel))
            body = self._app(environ, start_response)
            call.ending = ending.pop_all()
            return _Answer(body, call)

    def _note(self, call: Call, environ: dict[str, Any], is_socket: bool) -> None:
        """Count and log a request that has ended."""
        if is_socket and call.status == 200:
            call.status = 101
        if call.upstream_error:
            self._metrics.note_upstream_error(call.route, call.upstream_error)
        self._metrics.note_request(
            route=call.route,
            method=environ["REQUEST_METHOD"],
            status=call.status,
            total_s=call.total_ms / 1000,
            first_byte_s=call.first_byte_ms / 1000,
        )
        request_log.write(call, environ)


class _Answer(Iterator[bytes]):
    """The body of an answer on its way out. Servers promise to close it, whatever happens.  Source: PEP 3333."""

    def __init__(self, body: Iterable[bytes], call: Call) -> None:
        self._body, self._call = body, call
        self._pieces = iter(body)

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._call.note_end()
            raise
        self._call.note_sent(len(piece))
        return piece

    def close(self) -> None:
        """End the call: with its last byte, or when the client takes no more."""
        with self._call.ending:
            if not self._call.is_whole:
                self._call.cancel.cancel()
            if close := getattr(self._body, "close", None):
                close()
