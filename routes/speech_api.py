"""`POST /v1/audio/speech`.  Source: OpenAI API reference, create speech."""

import errno
import logging
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, request

from protocol.errors import GatewayError
from protocol.openai.speech import (
    CONTENT_TYPES,
    SpeechDelta,
    SpeechDone,
    SpeechRequest,
    read_speech_form,
    read_speech_request,
)
from routes import errors
from routes.call import current
from services.speech_synthesis import SpeechSynthesis
from services.spoken import Spoken

_log = logging.getLogger(__name__)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def blueprint(synthesis: SpeechSynthesis) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("speech_api", __name__)

    @door.post("/v1/audio/speech")
    def speech() -> Response:
        call, wish = current(), _read()
        spoken = synthesis.speak(wish, key=call.caller.key, cancel=call.cancel)
        call.vendor_request_id = spoken.request_id
        answer = _stream(spoken) if wish.stream_format == "sse" else _audio(spoken, wish)
        answer.headers["X-Accel-Buffering"] = "no"
        answer.call_on_close(spoken.close)
        return answer

    return door


def _read() -> SpeechRequest:
    if request.mimetype in _FORMS:
        return read_speech_form(request.form)
    return read_speech_request(request.get_data())


def _audio(spoken: Spoken, wish: SpeechRequest) -> Response:
    answer = Response(_until_it_breaks(spoken), content_type=CONTENT_TYPES[wish.response_format])
    answer.headers["Content-Disposition"] = f'inline; filename="speech.{wish.response_format}"'
    return answer


def _until_it_breaks(spoken: Spoken) -> Iterator[bytes]:
    """Yield the sound. What fails after its first byte ends the connection, so that no player takes it for whole."""
    try:
        yield from spoken
    except GatewayError as error:
        _log.warning("speech broke off: %s %s", error.code, error)
        raise ConnectionResetError(errno.ECONNRESET, "the speech broke off") from error


def _stream(spoken: Spoken) -> Response:
    return Response(_events(spoken), content_type="text/event-stream; charset=utf-8")


def _events(spoken: Spoken) -> Iterator[bytes]:
    try:
        for chunk in spoken:
            yield _event(SpeechDelta(audio=chunk))
        yield _event(SpeechDone(usage=spoken.usage))
    except GatewayError as error:
        _log.warning("speech broke off: %s %s", error.code, error)
        yield _event(errors.body(error))


def _event(body: object) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"
