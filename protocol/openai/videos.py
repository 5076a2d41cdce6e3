"""`/v1/videos` and `/v1/video/generations`: what may be asked.

Both routes read one record, which knows the names of both and some that the vendor's models obey.
Source: OpenAI API reference, videos; NewAPI's video routes for `image`, `duration`, `width`, `height`, `fps`, `n`,
`response_format` and `metadata`; DashScope HTTP reference §12.4 for the rest.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from protocol.errors import BadInput
from protocol.links import is_public_link
from protocol.openai.forms import fold
from protocol.openai.reading import convert, read_object
from protocol.videos import Size, VideoOrder

_Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Prompt = Annotated[str, Meta(max_length=32_000)]
_Side = Annotated[int, Meta(ge=1, le=10_000)]
PICTURE_FIELDS = ("input_reference", "last_frame", "image")
"""The fields that may hold a picture, in a form also as a file."""


class PictureReference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture by its link (or data URI)."""

    image_url: str = ""
    file_id: str = ""


_Picture = str | PictureReference


class VideoRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One video to be made. Empty and null mean "not said"; `seconds` is `duration`, `size` is `width` and `height`,
    `input_reference` is `image`: each is said once.

    `metadata` holds words of the vendor's own, passed on as they are.
    """

    prompt: _Prompt = ""
    model: Annotated[str, Meta(max_length=128)] = ""
    seconds: str | int | float = ""
    size: str = ""
    input_reference: _Picture = ""
    last_frame: _Picture = ""
    negative_prompt: str = ""
    seed: _Seed | None = None
    prompt_extend: bool | None = None
    watermark: bool | None = None
    audio_url: str = ""
    shot_type: Literal["single", "multi"] | None = None
    image: str = ""
    duration: float | None = None
    width: _Side | None = None
    height: _Side | None = None
    fps: float | None = None
    n: int = 1
    response_format: str = ""
    user: str = ""
    metadata: dict[str, Any] = {}


class RemixRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A video to be made again with other words."""

    prompt: Annotated[str, Meta(min_length=1, max_length=32_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for: an order, and the pictures that came as bytes instead of links."""

    order: VideoOrder
    first: bytes | None = None
    last: bytes | None = None


def read_video_body(body: bytes) -> Asked:
    """Return what a JSON body asks for. Raises: BadInput naming the parameter."""
    return _asked(_request(read_object(body)), {})


def read_video_form(fields: Iterable[tuple[str, str]], files: Mapping[str, bytes]) -> Asked:
    """Return what a form asks for; `files` are its pictures. Raises: BadInput naming the parameter."""
    folded = fold(fields, lists=())
    for name in files:
        if name not in PICTURE_FIELDS:
            raise BadInput(f"Unknown parameter: '{name[:80]}'.", code="unknown_parameter", param=name[:80])
        if name in folded:
            raise _twice(name)
    if isinstance(words := folded.get("metadata"), str):
        folded["metadata"] = _metadata(words)
    return _asked(_request(folded, is_form=True), files)


def read_remix(body: bytes) -> str:
    """Return the new prompt. Raises: BadInput."""
    return convert(read_object(body), RemixRequest).prompt


def _request(fields: dict[str, Any], *, is_form: bool = False) -> VideoRequest:
    said = {name: value for name, value in fields.items() if value not in (None, "")}
    return convert(said, VideoRequest, is_form=is_form)


def _metadata(text: str) -> dict[str, Any]:
    try:
        return read_object(text.encode())
    except BadInput as error:
        raise BadInput("Invalid 'metadata': expected a JSON object.", param="metadata") from error


def _asked(said: VideoRequest, files: Mapping[str, bytes]) -> Asked:
    _refuse_what_nobody_can(said)
    first = _one_of("input_reference", [*_pictures(said, files, "input_reference"), *_pictures(said, files, "image")])
    last = _one_of("last_frame", _pictures(said, files, "last_frame"))
    if not (said.prompt or first or said.metadata):
        raise BadInput("Missing required parameter: 'prompt'.", code="missing_required_parameter", param="prompt")
    order = VideoOrder(
        model=said.model,
        prompt=said.prompt,
        seconds=_seconds(said),
        size=_size(said),
        first=first if isinstance(first, str) else "",
        last=last if isinstance(last, str) else "",
        negative_prompt=said.negative_prompt,
        seed=said.seed,
        prompt_extend=said.prompt_extend,
        watermark=said.watermark,
        audio_url=_link(said.audio_url, "audio_url") if said.audio_url else "",
        shot_type=said.shot_type or "",
        own_words=_public(said.metadata),
    )
    return Asked(order=order, first=_bytes(first), last=_bytes(last))


def _refuse_what_nobody_can(said: VideoRequest) -> None:
    if said.n != 1:
        raise BadInput("Invalid 'n': one request makes one video.", code="unsupported_value", param="n")
    if said.fps is not None:
        raise BadInput("'fps' cannot be chosen: it is the model's.", code="unsupported_parameter", param="fps")
    if said.response_format not in ("", "url"):
        message = "Invalid 'response_format': videos are given by 'url'."
        raise BadInput(message, code="unsupported_value", param="response_format")


def _seconds(said: VideoRequest) -> int | None:
    """Return the length, a whole number however it was written. Raises: BadInput."""
    if said.seconds != "" and said.duration is not None:
        raise _twice("seconds")
    name, told = ("duration", said.duration) if said.duration is not None else ("seconds", said.seconds)
    if told == "":
        return None
    if not (found := re.fullmatch(r"(\d{1,4})(?:\.0+)?", str(told), re.ASCII)) or int(found[1]) == 0:
        raise BadInput(f"Invalid '{name}': expected a whole number of seconds.", param=name)
    return int(found[1])


def _size(said: VideoRequest) -> Size | None:
    if said.size and (said.width or said.height):
        raise _twice("size")
    if said.width and said.height:
        return said.width, said.height
    if said.width or said.height:
        missing = "height" if said.width else "width"
        raise BadInput(f"Missing required parameter: '{missing}'.", code="missing_required_parameter", param=missing)
    if not said.size:
        return None
    if not (found := re.fullmatch(r"([1-9]\d{1,3})[xX*]([1-9]\d{1,3})", said.size, re.ASCII)):
        raise BadInput("Invalid 'size': expected WIDTHxHEIGHT, as 1280x720.", param="size")
    return int(found[1]), int(found[2])


# --- pictures and links


def _pictures(said: VideoRequest, files: Mapping[str, bytes], name: str) -> list[str | bytes]:
    """Return the picture of one field, as bytes or as a link; none when the field is empty. Raises: BadInput."""
    if name in files:
        return [files[name]]
    told: _Picture = getattr(said, name)
    if isinstance(told, PictureReference):
        if told.file_id:
            param = f"{name}.file_id"
            raise BadInput(f"'{param}' is not supported: send the picture.", code="unsupported_parameter", param=param)
        told, name = told.image_url, f"{name}.image_url"
    return [_picture(told, name)] if told else []


def _picture(told: str, name: str) -> str | bytes:
    if told.startswith(("http:", "https:", "oss:")):
        return _link(told, name)
    head, comma, data = told.partition(",")
    encoded = data if comma and head.startswith("data:") and head.endswith(";base64") else told
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"Invalid '{name}': expected a link or a picture in base64.", param=name) from error


def _link(text: str, name: str) -> str:
    if not is_public_link(text):
        raise BadInput(f"Invalid '{name}': expected a public http(s):// or oss:// link.", param=name)
    return text


def _public(words: dict[str, Any]) -> dict[str, Any]:
    """Return the vendor's own words if every address among them is public. Raises: BadInput."""
    try:
        if len(msgspec.json.encode(words)) > _MOST_OWN_WORDS:
            raise BadInput(f"'metadata' has more than {_MOST_OWN_WORDS} bytes.", param="metadata")
        for word, value in words.items():
            for text in _addresses(value, is_address=bool(_ADDRESS.search(word))):
                if not text.startswith("data:"):
                    _link(text, f"metadata.{word[:80]}")
    except RecursionError as error:
        raise BadInput("'metadata' is nested too deeply.", param="metadata") from error
    return {word: value for word, value in words.items() if value is not None}


_MOST_OWN_WORDS = 65_536
_ADDRESS = re.compile(r"(url|urls|img|image|images|video|videos)$")
_SCHEME = re.compile(r"\s*[A-Za-z][\w+.-]*:/")


def _addresses(value: Any, *, is_address: bool) -> Iterable[str]:
    """Yield the texts that the vendor would fetch: those under a name that ends like one, and what looks like one."""
    if isinstance(value, str):
        yield from [value] if is_address or _SCHEME.match(value) else []
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item, is_address=is_address)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _addresses(item, is_address=bool(_ADDRESS.search(name)))


def _one_of(name: str, said: list[str | bytes]) -> str | bytes | None:
    if len(said) > 1:
        raise _twice(name)
    return said[0] if said else None


def _bytes(picture: str | bytes | None) -> bytes | None:
    return picture if isinstance(picture, bytes) else None


def _twice(name: str) -> BadInput:
    return BadInput(f"'{name}' is given twice.", param=name)
