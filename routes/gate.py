"""Where every request comes in and goes out: its id, its caller, the headers of every answer, its end.

How it works.  `Gate` stands around the whole application, because a streamed answer ends long after Flask has let go of
the request: it begins the call, watches the client, and ends the call with the last byte. In between, Flask's own
hooks find out who asks and write the headers.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Flask, Response, g, request

from protocol.errors import GatewayError
from routes import presence
from routes.auth import Auth, is_public
from routes.call import Call

_CALL = "gateway.call"
_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def register(app: Flask, *, auth: Auth) -> None:
    """Let every request of this application pass here, if it may."""
    app.wsgi_app = Gate(app.wsgi_app)  # type: ignore[method-assign]

    @app.before_request
    def enter() -> None:
        g.call = request.environ.get(_CALL) or Call()
        _admit(g.call, auth)

    @app.after_request
    def leave(response: Response) -> Response:
        call: Call | None = g.get("call")
        if call is None:  # what failed, failed before the gate
            return response
        call.status = response.status_code
        response.headers["x-request-id"] = call.request_id
        if call.vendor_request_id:
            response.headers["x-dashscope-request-id"] = call.vendor_request_id
        response.headers["x-overhead-ms"] = f"{call.overhead_ms:.2f}"
        return response


def _admit(call: Call, auth: Auth) -> None:
    """Find out who asks. What is public is everybody's, and so is the news that an address does not exist."""
    is_open = request.method == "OPTIONS" or request.routing_exception is not None or is_public(request.path)
    with contextlib.suppress(GatewayError) if is_open else contextlib.nullcontext():
        call.caller = auth.caller_of(request)


class Gate:
    """The application with a beginning and an end around every request. Threads: any."""

    def __init__(self, app: _App) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> "_Answer":
        call = environ[_CALL] = Call()
        with ExitStack() as ending:
            if sock := presence.socket_of(environ):
                ending.enter_context(presence.of_this_process().watching(sock, call.cancel))
            body = self._app(environ, start_response)
            return _Answer(body, call, ending.pop_all())


class _Answer(Iterator[bytes]):
    """The body of an answer on its way out. Servers promise to close it, whatever happens.  Source: PEP 3333."""

    def __init__(self, body: Iterable[bytes], call: Call, ending: ExitStack) -> None:
        self._body, self._call, self._ending = body, call, ending
        self._pieces = iter(body)

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self._call.note_sent(len(piece))
        return piece

    def close(self) -> None:
        """End the call: with its last byte, or when the client takes no more."""
        with self._ending:
            if close := getattr(self._body, "close", None):
                close()
