"""What chat completions and text completions share at the door: the body that comes in, the stream that goes out."""

import logging
from collections.abc import Callable, Generator, Iterator

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from protocol.errors import Cancelled, GatewayError, TooLarge
from protocol.sse import event
from routes import errors
from routes.call import Call

_log = logging.getLogger(__name__)
_MOST_BYTES = 33_554_432
"""The vendor takes 10 MB a data URI. Source: DashScope HTTP reference §2.1."""
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def read_body() -> bytes:
    """Return the request's body. Raises: TooLarge."""
    most_bytes = request.max_content_length = min(request.max_content_length or _MOST_BYTES, _MOST_BYTES)
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLarge(f"The body is larger than {most_bytes} bytes. Send media as URLs.") from error


def naming(call: Call) -> Callable[[str], None]:
    """Return what notes the vendor's name for a call."""

    def named(request_id: str) -> None:
        call.vendor_request_id = request_id

    return named


def streamed(events: Generator[bytes], call: Call) -> Response:
    """Return a stream whose first event is there already: what fails before it is an error with a status."""
    answer = Response(_until_it_breaks(next(events), events, call), content_type="text/event-stream; charset=utf-8")
    answer.headers.update(_STREAM_HEADERS)
    answer.call_on_close(events.close)
    return answer


def _until_it_breaks(first: bytes, events: Iterator[bytes], call: Call) -> Iterator[bytes]:
    """Yield the events. A failure is the last one, without `[DONE]`, so that clients raise it."""
    try:
        yield first
        yield from events
    except Cancelled:
        return
    except GatewayError as error:
        call.fail(error)
        _log.warning("stream broke off: %s", error.code)
        yield event(errors.body(error))
