"""`POST /v1/chat/completions`.  Source: OpenAI API reference, create chat completion."""

import logging
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from protocol.errors import Cancelled, GatewayError, TooLarge
from protocol.openai.chat_request import ChatCall, read_call
from protocol.openai.chat_stream import event
from routes import errors
from routes.call import Call, current
from services.chat import ChatCompletions

_log = logging.getLogger(__name__)
_MOST_BYTES = 33_554_432
"""The vendor takes 10 MB a data URI. Source: DashScope HTTP reference §2.1."""
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def blueprint(chat: ChatCompletions) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("chat_api", __name__)

    @door.post("/v1/chat/completions")
    def completions() -> Response:
        call, asked = current(), read_call(_body())
        if asked.is_stream:
            return _streamed(chat, asked, call)
        answer = chat.answer(asked, key=call.caller.key, cancel=call.cancel, named=_naming(call))
        return Response(answer, content_type="application/json")

    return door


def _body() -> bytes:
    """Return the request's body. Raises: TooLarge."""
    most_bytes = request.max_content_length = min(request.max_content_length or _MOST_BYTES, _MOST_BYTES)
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLarge(f"The body is larger than {most_bytes} bytes. Send media as URLs.") from error


def _naming(call: Call) -> Callable[[str], None]:
    def named(request_id: str) -> None:
        call.vendor_request_id = request_id

    return named


def _streamed(chat: ChatCompletions, asked: ChatCall, call: Call) -> Response:
    """Return a stream whose first event is there already: what fails before it is an error with a status."""
    events = chat.stream(asked, key=call.caller.key, cancel=call.cancel, named=_naming(call))
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
