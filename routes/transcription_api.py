"""`POST /v1/audio/transcriptions`.  Source: OpenAI API reference, create transcription."""

from collections.abc import Iterator

from flask import Blueprint, Response

from protocol.openai import captions
from protocol.openai.transcription import Asked, read_body, read_form
from protocol.transcription import Transcription
from routes import heard, recordings
from routes.call import current
from services.openai.transcription import TranscriptionService


def blueprint(service: TranscriptionService, *, max_upload_bytes: int) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("transcription_api", __name__)

    @door.post("/v1/audio/transcriptions")
    def transcriptions() -> Response:
        call = current()
        asked, sound = recordings.read(read_form, read_body, max_upload_bytes=max_upload_bytes)
        if asked.is_stream:
            pieces = service.listen(asked, sound, key=call.caller.key, cancel=call.cancel)
            return heard.as_events(pieces, call, at_the_end=_turns if asked.format == "diarized_json" else _end)
        told = service.transcribe(asked, sound, key=call.caller.key, cancel=call.cancel)
        call.vendor_request_id = told.request_id
        return _answer(asked, told)

    return door


def _answer(asked: Asked, told: Transcription) -> Response:
    match asked.format:
        case "json":
            return heard.as_json(captions.plain(told))
        case "verbose_json":
            body = captions.verbose(
                told, temperature=asked.temperature, with_segments=asked.with_segments, with_words=asked.with_words
            )
            return heard.as_json(body)
        case "diarized_json":
            return heard.as_json(captions.diarized(told))
    return heard.as_text(told, asked.format)


def _end(told: Transcription) -> Iterator[captions.Body]:
    yield captions.done(told)


def _turns(told: Transcription) -> Iterator[captions.Body]:
    yield from captions.spoken_turns(told)
    yield captions.done(told)
