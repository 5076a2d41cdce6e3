"""What was heard, on its way out: JSON, subtitles, or events as the words are found."""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain

import msgspec
from flask import Response, stream_with_context

from protocol.errors import Cancelled, GatewayError
from protocol.openai import captions
from protocol.sse import event
from protocol.transcription import Transcription
from routes import errors
from routes.call import Call
from services.ports import Heard

_log = logging.getLogger(__name__)
Pieces = Generator[Heard | Transcription]
Events = Callable[[Transcription], Iterable[captions.Body]]
_TEXT = "text/plain; charset=utf-8"
_VTT = "text/vtt; charset=utf-8"
_EVENTS = "text/event-stream; charset=utf-8"


def as_json(body: captions.Body) -> Response:
    """Return an answer in JSON."""
    return Response(msgspec.json.encode(body), content_type="application/json")


def as_text(heard: Transcription, format: str) -> Response:
    """Return an answer in one of the formats that are text: `srt`, `vtt`, else the words alone."""
    match format:
        case "srt":
            return Response(captions.srt(heard), content_type=_TEXT)
        case "vtt":
            return Response(captions.vtt(heard), content_type=_VTT)
    return Response(captions.text(heard), content_type=_TEXT)


def as_events(heard: Pieces, call: Call, *, at_the_end: Events) -> Response:
    """Answer as the text is found. What fails before the first piece is an error with a status."""
    first = next(heard)
    call.vendor_request_id = first.request_id
    events = _told(first, heard, call, at_the_end)
    answer = Response(stream_with_context(events), content_type=_EVENTS)  # the upload's file lives as long
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _told(first: Heard | Transcription, heard: Pieces, call: Call, at_the_end: Events) -> Iterator[bytes]:
    try:
        for piece in chain([first], heard):
            yield from map(event, _events(piece, at_the_end))
    except GatewayError as error:
        _log.warning("stream broke off: %s %s", error.code, error)
        call.fail(error)
        yield event(errors.body(error))
    except Cancelled:
        _log.info("stream stopped: the client left")
    finally:
        heard.close()  # the client may have left: then the vendor is left, too


def _events(piece: Heard | Transcription, at_the_end: Events) -> Iterable[captions.Body]:
    if isinstance(piece, Transcription):
        return at_the_end(piece)
    return [captions.delta(piece.text)] if piece.text else []
