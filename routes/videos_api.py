"""`/v1/videos`, and `/v1/video/generations` for NewAPI's clients: the same videos in other words.

Source: OpenAI API reference, videos; NewAPI's documentation of its video routes.
"""

import errno
import logging
import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager

import msgspec
from flask import Blueprint, Response, request

from protocol.errors import BadInput, Cancelled, GatewayError, NotFound, Unauthorized
from protocol.openai.video_answers import deleted, generation, page, started, video
from protocol.openai.videos import Asked, read_remix, read_video_body, read_video_form
from routes.call import Call, current
from services.openai.thumbnails import thumbnail
from services.openai.videos import Asker, Told, Videos
from services.video_ports import VideoFile, VideoRecord

_log = logging.getLogger(__name__)

_POLL_AFTER_MS = "5000"
"""A video takes minutes, and the vendor answers 20 questions a second for the whole account."""
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_MOST_FIELDS_BYTES = 1_048_576
_MOST, _USUAL = 100, 20
_LISTING = ("limit", "after", "order", "token")
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_PART = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})", re.ASCII)
_STRANGERS = "strangers"
"""The owner of what people without a key ask for: they cannot be told apart, and know their videos by their ids."""


def blueprint(videos: Videos, *, max_picture_bytes: int) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("videos_api", __name__)

    @door.post("/v1/videos")
    def create() -> Response:
        return _polled(video(_noted(videos.create(_read(max_picture_bytes), _asker()))))

    @door.get("/v1/videos")
    def listed() -> Response:
        limit, after, order = _paging()
        found = videos.page(_known_asker(), limit=limit, after=after, oldest_first=order == "asc")
        return _json(page(found.records, has_more=found.has_more))

    @door.get("/v1/videos/<video_id>")
    def retrieve(video_id: str) -> Response:
        return _polled(video(_noted(videos.get(_known(video_id), _asker()))))

    @door.delete("/v1/videos/<video_id>")
    def delete(video_id: str) -> Response:
        videos.delete(_known(video_id), _asker())
        return _json(deleted(video_id))

    @door.post("/v1/videos/<video_id>/remix")
    def remix(video_id: str) -> Response:
        prompt = read_remix(_body(_MOST_FIELDS_BYTES))
        return _polled(video(_noted(videos.remix(_known(video_id), prompt, _asker()))))

    @door.get("/v1/videos/<video_id>/content")
    def content(video_id: str) -> Response:
        variant = _variant()
        if variant == "thumbnail":
            with videos.open(_known(video_id), _asker()) as file:
                return Response(thumbnail(file.pieces), content_type="image/webp")
        return _file(videos.open(_known(video_id), _asker(), part=_part()), current())

    @door.post("/v1/video/generations")
    def generate() -> Response:
        return _polled(started(_noted(videos.create(_read(max_picture_bytes), _asker()))))

    @door.get("/v1/video/generations/<task_id>")
    def generated(task_id: str) -> Response:
        return _polled(generation(_noted(videos.get(_known(task_id), _asker()))))

    return door


# --- the request


def _asker() -> Asker:
    call = current()
    owner = _STRANGERS if call.caller.is_stranger else call.caller.owner
    return Asker(owner=owner, key=call.caller.key, cancel=call.cancel)


def _known_asker() -> Asker:
    """Return who asks for a list. Raises: Unauthorized for somebody whom nobody can tell from others."""
    if current().caller.is_stranger:
        raise Unauthorized(
            "查看视频列表需要 API 密钥。",
            english="Lists of videos belong to API keys, and you didn't provide one. "
            "Send it as 'Authorization: Bearer KEY'.",
            code="missing_api_key",
        )
    return _asker()


def _known(video_id: str) -> str:
    """Return an id that a video can have. Raises: NotFound."""
    if not _ID.fullmatch(video_id):
        raise NotFound(f"There is no video {video_id[:64]!r}.", param="video_id")
    return video_id


def _read(max_picture_bytes: int) -> Asked:
    """Return what is asked for: two pictures at most, in a form or within JSON. Raises: BadInput, 413."""
    if request.mimetype not in _FORMS:
        return read_video_body(_body(_MOST_FIELDS_BYTES + max_picture_bytes * 8 // 3))
    request.max_content_length = _MOST_FIELDS_BYTES + 2 * max_picture_bytes
    request.max_form_memory_size = request.max_content_length
    files = {}
    for name in request.files:
        given = request.files.getlist(name)
        if len(given) > 1:
            raise BadInput(f"'{name[:80]}' is given twice.", param=name[:80])
        files[name] = given[0].read()
    return read_video_form(request.form.items(multi=True), files)


def _body(most_bytes: int) -> bytes:
    request.max_content_length = most_bytes
    return request.get_data(cache=False)


def _paging() -> tuple[int, str, str]:
    """Return limit, after and order of the list that is asked for. Raises: BadInput."""
    for name in request.args:
        if name not in _LISTING:
            raise BadInput(f"Unknown parameter: {name[:64]!r}.", code="unknown_parameter", param=name[:64])
    limit, order = request.args.get("limit", str(_USUAL)), request.args.get("order", "desc")
    if not re.fullmatch(r"[0-9]{1,3}", limit) or int(limit) > _MOST:
        raise BadInput(f"Invalid 'limit': expected a whole number from 0 to {_MOST}.", param="limit")
    if order not in ("asc", "desc"):
        raise BadInput("Invalid 'order': expected asc or desc.", param="order")
    return int(limit), request.args.get("after", ""), order


def _variant() -> str:
    variant = request.args.get("variant", "video")
    if variant == "spritesheet":
        raise BadInput("The variant 'spritesheet' is not made here.", code="unsupported_value", param="variant")
    if variant not in ("video", "thumbnail"):
        raise BadInput("Invalid 'variant': expected video or thumbnail.", param="variant")
    return variant


def _part() -> str:
    """Return the part of the file that is asked for; several parts at once are answered with the whole."""
    told = request.headers.get("Range", "").strip()
    return told if _PART.fullmatch(told) else ""


# --- the answer


def _noted(told: Told) -> VideoRecord:
    """Return the video; the vendor's name for the call becomes a header."""
    record, current().vendor_request_id = told
    return record


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), content_type="application/json")


def _polled(answer: msgspec.Struct) -> Response:
    response = _json(answer)
    response.headers["openai-poll-after-ms"] = _POLL_AFTER_MS
    return response


def _file(opened: AbstractContextManager[VideoFile], call: Call) -> Response:
    """Answer with the file as it comes. What fails before its first byte is an error with a status."""
    sending = _sending(opened)
    file = next(sending)
    assert isinstance(file, VideoFile)
    pieces = _until_it_breaks(sending, call)
    answer = Response(pieces, status=file.status, content_type="video/mp4", headers=dict(file.headers))
    answer.call_on_close(sending.close)  # the client may have left: then the vendor is left, too
    return answer


def _sending(opened: AbstractContextManager[VideoFile]) -> Generator[VideoFile | bytes]:
    """Yield the file, then its pieces."""
    with opened as file:
        yield file
        yield from file.pieces


def _until_it_breaks(sending: Iterator[VideoFile | bytes], call: Call) -> Iterator[bytes]:
    """Yield the pieces. What fails after the first byte ends the connection, so that no half is taken for the whole."""
    try:
        for piece in sending:
            assert isinstance(piece, bytes)
            yield piece
    except (GatewayError, Cancelled) as error:
        if isinstance(error, GatewayError):
            call.fail(error)
            _log.warning("a video broke off: %s", error.code)
        raise ConnectionResetError(errno.ECONNRESET, "the video broke off") from error
