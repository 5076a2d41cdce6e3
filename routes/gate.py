"""Where every request comes in and goes out: its id, its caller, the headers of every answer, its end.

How it works.  `Gate` stands around the whole application, because a streamed answer ends long after Flask has let go of
the request: it begins the call, watches the client, and ends the call with the last byte. In between, Flask's own
hooks find out who asks and write the headers.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Flask, Response, g, request

from protocol.keys import ApiKey
from routes import presence
from routes.call import Call
from services.access import Caller

_CALL = "gateway.call"
_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def register(app: Flask, *, key: ApiKey) -> None:
    """Let every request of this application pass here."""
    app.wsgi_app = Gate(app.wsgi_app)  # type: ignore[method-assign]

    @app.before_request
    def enter() -> None:
        g.call = request.environ.get(_CALL) or Call()
        g.call.caller = Caller(key=key, identity=key.fingerprint)

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
