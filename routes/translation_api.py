"""`POST /v1/audio/translations`.  Source: OpenAI API reference, create translation."""

from flask import Blueprint, Response

from protocol.openai import translation
from protocol.openai.translation import Wanted, read_body, read_form
from protocol.transcription import Transcription
from routes import heard, recordings
from routes.call import current
from services.openai.translation import TranslationService


def blueprint(service: TranslationService, *, max_upload_bytes: int) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("translation_api", __name__)

    @door.post("/v1/audio/translations")
    def translations() -> Response:
        call = current()
        wanted, sound = recordings.read(read_form, read_body, max_upload_bytes=max_upload_bytes)
        if wanted.is_stream:
            pieces = service.listen(wanted, sound, key=call.caller.key, cancel=call.cancel)
            return heard.as_events(pieces, call, at_the_end=lambda told: [translation.done(told)])
        told = service.translate(wanted, sound, key=call.caller.key, cancel=call.cancel)
        call.vendor_request_id = told.request_id
        return _answer(wanted, told)

    return door


def _answer(wanted: Wanted, told: Transcription) -> Response:
    match wanted.format:
        case "json":
            return heard.as_json(translation.plain(told))
        case "verbose_json":
            return heard.as_json(translation.verbose(told, wanted))
    return heard.as_text(told, wanted.format)
