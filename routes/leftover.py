"""What is still to come of a body that is too large.

A server that answers and closes while its client is still sending resets the connection: the client then often never
sees the answer, and SDKs send the whole upload twice more. So the rest is read, up to a bound, and forgotten: after the
answer has gone out, for some clients wait for it before they send.
"""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import IO

from flask import Request
from werkzeug.wsgi import LimitedStream

MOST_BYTES = 268_435_456
_PIECE_BYTES = 65_536


def discarding(request: Request) -> Callable[[], None]:
    """Return what reads the rest of a body, at most `MOST_BYTES` of it. Call this while the request is served."""
    return partial(_discard, _rest(request))


def _discard(stream: IO[bytes] | None) -> None:
    left = MOST_BYTES
    with contextlib.suppress(Exception):  # whatever is wrong with the line or what comes, the answer is on its way
        while stream and left > 0 and (piece := stream.read(_PIECE_BYTES)):
            left -= len(piece)


def _rest(request: Request) -> IO[bytes] | None:
    """Return the body from where it was left; None for one whose end is not known.

    The server's own stream of a body with a length does not end with it under every server.
    """
    raw: IO[bytes] = request.environ["wsgi.input"]
    if request.content_length is None:
        return raw if request.environ.get("wsgi.input_terminated") else None
    limit = request.max_content_length
    if limit is not None and request.content_length > limit:  # then nothing of it has been read
        return LimitedStream(raw, request.content_length)  # type: ignore[return-value]
    return request.stream
