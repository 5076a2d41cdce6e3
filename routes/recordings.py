"""A recording that comes in: as the file of a form, in a JSON body, or as a link. Its sender's other wishes with it."""

import io
from collections.abc import Callable, Iterable
from typing import BinaryIO, Protocol, TypeVar, cast

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from protocol.errors import BadInput, TooLarge
from services.ports import Link, SoundFile
from services.sound.sound_files import open_sound

_JSON = "application/json"
_MOST_FIELDS_BYTES = 8_388_608
"""Of a form, its file not counted."""
_MOST_JSON_BYTES = 36_700_160
"""A JSON body is held in memory: 25 MB of sound, which base64 makes a third longer, and some words."""


class Wishes(Protocol):
    """What a request says beside its file; `data` or `link` when the recording itself is in it."""

    @property
    def data(self) -> bytes | None: ...

    @property
    def link(self) -> str: ...

    @property
    def pcm_rate_hz(self) -> int: ...


AnyWishes = TypeVar("AnyWishes", bound=Wishes)


def read(
    read_form: Callable[[Iterable[tuple[str, str]]], AnyWishes],
    read_body: Callable[[bytes], AnyWishes],
    *,
    max_upload_bytes: int,
) -> tuple[AnyWishes, SoundFile | Link]:
    """Return what this thread's request wishes, and its recording. Raises: BadInput, TooLarge."""
    is_json = request.mimetype == _JSON
    most_bytes = min(max_upload_bytes, _MOST_JSON_BYTES) if is_json else max_upload_bytes
    request.max_content_length, request.max_form_memory_size = most_bytes, _MOST_FIELDS_BYTES
    try:
        file = None if is_json else _file()
        wishes = read_body(request.get_data(cache=False)) if is_json else read_form(request.form.items(multi=True))
    except RequestEntityTooLarge as error:
        raise TooLarge(f"The upload is larger than {most_bytes} bytes.", param="file") from error
    return wishes, _sound(wishes, file)


def _file() -> BinaryIO | None:
    for name in request.files:
        if name != "file":
            raise BadInput(f"Unknown parameter: '{name[:80]}'.", code="unknown_parameter", param=name[:80])
    files = request.files.getlist("file")
    if len(files) > 1:
        raise BadInput("Send one file at a time.", param="file")
    return cast(BinaryIO, files[0].stream) if files else None


def _sound(wishes: Wishes, file: BinaryIO | None) -> SoundFile | Link:
    if file and (wishes.link or wishes.data is not None):
        raise BadInput("The recording is given twice.", param="file")
    if wishes.link:
        return Link(url=wishes.link)
    if wishes.data is not None:
        file = io.BytesIO(wishes.data)
    if file is None:
        raise BadInput("Missing required parameter: 'file'.", code="missing_required_parameter", param="file")
    return open_sound(file, pcm_rate_hz=wishes.pcm_rate_hz)
