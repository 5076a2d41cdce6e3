"""`POST /v1/audio/transcriptions`.  Source: OpenAI API reference, create transcription."""

import io
import logging
from collections.abc import Generator, Iterator
from itertools import chain
from typing import BinaryIO, cast

import msgspec
from flask import Blueprint, Response, request, stream_with_context
from werkzeug.exceptions import RequestEntityTooLarge

from protocol.errors import BadInput, Cancelled, GatewayError, TooLarge
from protocol.openai import captions
from protocol.openai.transcription import Asked, read_body, read_form
from protocol.transcription import Transcription
from routes import errors, leftover
from routes.call import Call, current
from services.ports import Heard, Link, SoundFile
from services.sound_files import open_sound
from services.transcription import TranscriptionService

_log = logging.getLogger(__name__)
Pieces = Generator[Heard | Transcription]
_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_VTT = "text/vtt; charset=utf-8"
_EVENTS = "text/event-stream; charset=utf-8"
_MOST_FIELDS_BYTES = 8_388_608
"""Of a form, its file not counted."""
_MOST_JSON_BYTES = 36_700_160
"""A JSON body is held in memory: 25 MB of sound, which base64 makes a third longer, and some words."""


def blueprint(service: TranscriptionService, *, max_upload_bytes: int) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("transcription_api", __name__)

    @door.post("/v1/audio/transcriptions")
    def transcriptions() -> Response:
        call = current()
        asked, sound = _read(max_upload_bytes)
        if asked.is_stream:
            return _stream(asked, service.listen(asked, sound, key=call.caller.key, cancel=call.cancel), call)
        heard = service.transcribe(asked, sound, key=call.caller.key, cancel=call.cancel)
        call.vendor_request_id = heard.request_id
        return _answer(asked, heard)

    return door


# --- the request


def _read(max_upload_bytes: int) -> tuple[Asked, SoundFile | Link]:
    is_json = request.mimetype == _JSON
    most_bytes = min(max_upload_bytes, _MOST_JSON_BYTES) if is_json else max_upload_bytes
    request.max_content_length, request.max_form_memory_size = most_bytes, _MOST_FIELDS_BYTES
    try:
        file = None if is_json else _file()
        asked = read_body(request.get_data(cache=False)) if is_json else read_form(request.form.items(multi=True))
    except RequestEntityTooLarge as error:
        leftover.discard(request)
        raise TooLarge(f"The upload is larger than {most_bytes} bytes.", param="file") from error
    return asked, _sound(asked, file)


def _file() -> BinaryIO | None:
    for name in request.files:
        if name != "file":
            raise BadInput(f"Unknown parameter: '{name[:80]}'.", code="unknown_parameter", param=name[:80])
    files = request.files.getlist("file")
    if len(files) > 1:
        raise BadInput("Send one file at a time.", param="file")
    return cast(BinaryIO, files[0].stream) if files else None


def _sound(asked: Asked, file: BinaryIO | None) -> SoundFile | Link:
    if file and (asked.link or asked.data is not None):
        raise BadInput("The recording is given twice.", param="file")
    if asked.link:
        return Link(url=asked.link)
    if asked.data is not None:
        file = io.BytesIO(asked.data)
    if file is None:
        raise BadInput("Missing required parameter: 'file'.", code="missing_required_parameter", param="file")
    return open_sound(file, pcm_rate_hz=asked.pcm_rate_hz)


# --- the answer


def _answer(asked: Asked, heard: Transcription) -> Response:
    match asked.format:
        case "json":
            return _json(captions.plain(heard))
        case "verbose_json":
            return _json(
                captions.verbose(
                    heard,
                    temperature=asked.temperature,
                    with_segments=asked.with_segments,
                    with_words=asked.with_words,
                )
            )
        case "diarized_json":
            return _json(captions.diarized(heard))
        case "srt":
            return Response(captions.srt(heard), content_type=_TEXT)
        case "vtt":
            return Response(captions.vtt(heard), content_type=_VTT)
    return Response(captions.text(heard), content_type=_TEXT)


def _json(body: captions.Body) -> Response:
    return Response(msgspec.json.encode(body), content_type=_JSON)


def _stream(asked: Asked, heard: Pieces, call: Call) -> Response:
    """Answer as the text is found. What fails before the first piece is an error with a status."""
    first = next(heard)
    call.vendor_request_id = first.request_id
    events = _told(asked, first, heard, call)
    answer = Response(stream_with_context(events), content_type=_EVENTS)  # the upload's file lives as long
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _told(asked: Asked, first: Heard | Transcription, heard: Pieces, call: Call) -> Iterator[bytes]:
    try:
        for piece in chain([first], heard):
            for event in _events(asked, piece):
                yield _line(event)
    except GatewayError as error:
        _log.warning("transcription broke off: %s %s", error.code, error)
        call.fail(error)
        yield _line(errors.body(error))
    except Cancelled:
        _log.info("transcription stopped: the client left")
    finally:
        heard.close()  # the client may have left: then the vendor is left, too


def _events(asked: Asked, piece: Heard | Transcription) -> Iterator[captions.Body]:
    if isinstance(piece, Heard):
        if piece.text:
            yield captions.delta(piece.text)
        return
    if asked.format == "diarized_json":
        yield from captions.spoken_turns(piece)
    yield captions.done(piece)


def _line(event: object) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"
