"""`POST /v1/audio/speech`.  Source: OpenAI API reference, create speech."""

import errno
import logging
from collections.abc import Iterator

from flask import Blueprint, Response, request

from protocol.errors import BadInput, Cancelled, GatewayError, UpstreamError
from protocol.openai.speech import SpeechDelta, SpeechDone, SpeechRequest, read_speech_form, read_speech_request
from protocol.sse import event
from routes import errors
from routes.call import Call, current
from services.openai.speech_synthesis import SpeechSynthesis
from services.openai.spoken import Spoken

_log = logging.getLogger(__name__)

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_SPENT = frozenset({"upstream_cut", "upstream_empty", "upstream_malformed", "tts_failed"})
"""Failures after the vendor had begun: the work is paid for, and was tried twice."""


def blueprint(synthesis: SpeechSynthesis) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("speech_api", __name__)

    @door.post("/v1/audio/speech")
    def speech() -> Response:
        call, wish = current(), _read(most_bytes=synthesis.most_body_bytes)
        try:
            spoken = synthesis.speak(wish, key=call.caller.key, cancel=call.cancel)
        except UpstreamError as error:
            error.is_spent = error.is_spent or error.code in _SPENT
            raise
        call.vendor_request_id = spoken.request_id
        return _answer(spoken, wish, call)

    return door


def _read(*, most_bytes: int) -> SpeechRequest:
    """Return what is asked for. Raises: BadInput, RequestEntityTooLarge."""
    request.max_content_length = request.max_form_memory_size = most_bytes
    if request.mimetype not in _FORMS:
        return read_speech_request(request.get_data())
    if request.files:
        name = next(iter(request.files))
        raise BadInput(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    return read_speech_form(request.form.to_dict())


def _answer(spoken: Spoken, wish: SpeechRequest, call: Call) -> Response:
    if wish.stream_format == "sse":
        answer = Response(_events(spoken, call), content_type="text/event-stream; charset=utf-8")
        answer.headers["Cache-Control"] = "no-cache"
    else:
        answer = Response(_until_it_breaks(spoken, call), content_type=wish.content_type)
        answer.headers["Content-Disposition"] = f'inline; filename="speech.{wish.response_format}"'
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(spoken.close)
    return answer


def _until_it_breaks(spoken: Spoken, call: Call) -> Iterator[bytes]:
    """Yield the sound. What fails after its first byte ends the connection, so that no player takes it for whole."""
    try:
        yield from spoken
    except (GatewayError, Cancelled) as error:
        _note(error, call)
        raise ConnectionResetError(errno.ECONNRESET, "the speech broke off") from error


def _events(spoken: Spoken, call: Call) -> Iterator[bytes]:
    try:
        for chunk in spoken:
            yield event(SpeechDelta(audio=chunk))
        yield event(SpeechDone(usage=spoken.usage))
    except Cancelled:
        return
    except GatewayError as error:
        _note(error, call)
        yield event(errors.body(error))


def _note(error: GatewayError | Cancelled, call: Call) -> None:
    if isinstance(error, GatewayError):
        call.fail(error)
        _log.warning("speech broke off: %s", error.code)
