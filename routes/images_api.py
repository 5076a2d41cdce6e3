"""`POST /v1/images/generations`, `/v1/images/edits`, `/v1/images/variations`.

Source: OpenAI API reference, create image, create image edit, create image variation.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain

import msgspec
from flask import Blueprint, Response, request

from protocol.errors import Cancelled, GatewayError, UpstreamError
from protocol.openai.image_edits import read_edit_body, read_edit_form, read_variation_body, read_variation_form
from protocol.openai.images import (
    Asked,
    ImageCompleted,
    ImageEditCompleted,
    ImageFailure,
    ImageObject,
    ImagesAnswer,
    read_generation,
    size_name,
)
from protocol.sse import event
from routes import errors
from routes.call import Call, current
from services.openai.images import Drawn, Images, Outcome

_log = logging.getLogger(__name__)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_MOST_BYTES = 100_663_296
"""Of one request: ten pictures of the vendor's 10 MB. Pictures in a form's fields are as large as files."""

ReadBody = Callable[[bytes], Asked]
ReadForm = Callable[[Iterable[tuple[str, str]], Iterable[tuple[str, bytes]]], Asked]


def blueprint(images: Images) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("images_api", __name__)

    @door.post("/v1/images/generations")
    def generations() -> Response:
        _limit()
        return _answer(read_generation(request.get_data()), images)

    @door.post("/v1/images/edits")
    def edits() -> Response:
        return _answer(_read(read_edit_body, read_edit_form), images)

    @door.post("/v1/images/variations")
    def variations() -> Response:
        return _answer(_read(read_variation_body, read_variation_form), images)

    return door


def _limit() -> None:
    most_bytes = min(_MOST_BYTES, request.max_content_length or _MOST_BYTES)
    request.max_content_length = request.max_form_memory_size = most_bytes


def _read(read_body: ReadBody, read_form: ReadForm) -> Asked:
    """Return what is asked for. Raises: BadInput, RequestEntityTooLarge."""
    _limit()
    if request.mimetype not in _FORMS:
        return read_body(request.get_data())
    files = [(name, file.read()) for name, file in request.files.items(multi=True)]
    return read_form(request.form.items(multi=True), files)


# --- the answer


def _answer(asked: Asked, images: Images) -> Response:
    call = current()
    outcomes = images.draw(asked, key=call.caller.key, cancel=call.cancel)
    return _stream(asked, outcomes, call) if asked.is_stream else _whole(asked, list(outcomes), call)


def _whole(asked: Asked, outcomes: list[Outcome], call: Call) -> Response:
    drawn = [one for one in outcomes if isinstance(one, Drawn)]
    failures = [one for one in outcomes if isinstance(one, UpstreamError)]
    call.vendor_request_id = drawn[0].request_id
    if failures:
        call.fail(failures[0])
        _log.warning("%d of %d pictures failed: %s", len(failures), len(outcomes), failures[0].code)
    answer = ImagesAnswer(
        created=int(time.time()),
        data=[_object(one) for one in drawn],
        background="opaque",
        output_format=asked.format,
        size=size_name(drawn[0].size),
        failures=[ImageFailure(code=one.code, message=one.english) for one in failures],
    )
    return Response(msgspec.json.encode(answer), content_type="application/json")


def _object(drawn: Drawn) -> ImageObject:
    """Return a picture as JSON has it; the encoder makes base64 of the bytes."""
    return ImageObject(url=drawn.url, b64_json=drawn.data, revised_prompt=drawn.prompt)


def _stream(asked: Asked, outcomes: Generator[Outcome], call: Call) -> Response:
    """Answer picture by picture. What fails before the first is an error with a status."""
    first = next(outcomes)
    call.vendor_request_id = first.request_id
    answer = Response(_events(asked, chain([first], outcomes), call), content_type="text/event-stream; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(outcomes.close)  # the client may have left: then the vendor is left, too
    return answer


def _events(asked: Asked, outcomes: Iterator[Outcome], call: Call) -> Iterator[bytes]:
    try:
        for outcome in outcomes:
            if isinstance(outcome, UpstreamError):
                raise outcome
            yield _completed(asked, outcome)
    except GatewayError as error:
        _log.warning("pictures broke off: %s", error.code)
        call.fail(error)
        yield event(errors.body(error))
    except Cancelled:
        _log.info("pictures stopped: the client left")


def _completed(asked: Asked, drawn: Drawn) -> bytes:
    kind = ImageCompleted if asked.task == "generation" else ImageEditCompleted
    completed = kind(
        b64_json=drawn.data,
        created_at=int(time.time()),
        size=size_name(drawn.size) or "auto",
        output_format=asked.format,
    )
    name = "image_generation" if asked.task == "generation" else "image_edit"
    return f"event: {name}.completed\n".encode() + event(completed)
