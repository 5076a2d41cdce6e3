"""Requests for pictures: JSON or a form becomes one record, or a 400 that names the parameter; and the answers.

Source: OpenAI API reference, create image, create image edit, create image variation.  Beyond it: `negative_prompt`,
`seed`, `prompt_extend` and `watermark`, which the vendor's models take, and more names for the pictures of an edit.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from protocol.drawings import Size
from protocol.errors import BadInput
from protocol.openai.reading import convert, read_object

Task = Literal["generation", "edit", "variation"]
ResponseFormat = Literal["url", "b64_json"]
OutputFormat = Literal["png", "jpeg", "webp"]
Quality = Literal["auto", "low", "medium", "high", "standard", "hd"]
Background = Literal["auto", "opaque", "transparent"]

_ModelName = Annotated[str, Meta(max_length=200)]
_Count = Annotated[int, Meta(ge=1, le=10)]
_SizeWords = Annotated[str, Meta(max_length=40)]
_Prompt = Annotated[str, Meta(min_length=1, max_length=32_000)]
_MOST_SEED = 2**31 - 1

_SIDES = re.compile(r"([1-9]\d{1,4})\s*[x*×X]\s*([1-9]\d{1,4})")
_SCALE = re.compile(r"\dK")
_ALWAYS_BASE64 = re.compile(r"(chat)?gpt-image")


class ImageRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture drawn from words. Empty and null mean "not said"."""

    prompt: _Prompt
    model: _ModelName = ""
    n: _Count = 1
    size: _SizeWords = "auto"
    response_format: ResponseFormat | None = None
    output_format: OutputFormat = "png"
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    background: Background = "auto"
    quality: Quality = "auto"
    style: Literal["vivid", "natural"] = "vivid"
    moderation: Literal["auto", "low"] = "auto"
    stream: bool = False
    partial_images: Annotated[int, Meta(ge=0, le=3)] = 0
    user: str = ""
    negative_prompt: Annotated[str, Meta(max_length=32_000)] = ""
    seed: Annotated[int, Meta(ge=0, le=_MOST_SEED)] | None = None
    prompt_extend: bool | None = None
    watermark: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that can be served: checked, and its words reduced to one spelling.

    `size` or `scale` (2K) may be said, or neither.  `pictures` are what it begins from: bytes, or a link that the
    vendor reads.  `quality` is the encoder's, 0 to 100, None when nobody chose it.
    """

    task: Task
    prompt: str
    model: str = ""
    count: int = 1
    size: Size | None = None
    scale: str = ""
    is_base64: bool = False
    is_stream: bool = False
    format: OutputFormat = "png"
    quality: int | None = None
    pictures: tuple[bytes | str, ...] = ()
    negative_prompt: str = ""
    seed: int | None = None
    prompt_extend: bool | None = None
    watermark: bool | None = None


def read_generation(body: bytes) -> Asked:
    """Return what a JSON body asks for. Raises: BadInput naming the parameter."""
    return checked(convert(said(read_object(body)), ImageRequest), task="generation")


def said(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that say something: clients send empty ones for settings that are not set."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def checked(request: Any, *, task: Task) -> Asked:
    """Refuse by name what cannot be honoured. `request` is one of the records of this route. Raises: BadInput."""
    if request.background == "transparent":
        raise unsupported("background", "These models draw on an opaque background.")
    size, scale = _read_size(request.size)
    return Asked(
        task=task,
        prompt=request.prompt,
        model=request.model,
        count=request.n,
        size=size,
        scale=scale,
        is_base64=_is_base64(request),
        is_stream=request.stream,
        format=request.output_format,
        quality=_quality(request),
        negative_prompt=request.negative_prompt,
        seed=request.seed,
        prompt_extend=request.prompt_extend,
        watermark=request.watermark,
    )


def _read_size(text: str) -> tuple[Size | None, str]:
    words = text.strip()
    if words.lower() == "auto":
        return None, ""
    if _SCALE.fullmatch(words.upper()):
        return None, words.upper()
    if not (found := _SIDES.fullmatch(words)):
        raise BadInput(f"Invalid 'size': expected auto or a size like 1024x1024, got '{words}'.", param="size")
    return Size(width=int(found[1]), height=int(found[2])), ""


def _is_base64(request: Any) -> bool:
    """Return how the picture is given: as it was asked for, else as OpenAI's model of that name gives it.

    Whatever has to be encoded here cannot be at the vendor's address.
    """
    needs_bytes = request.stream or request.output_format != "png"
    if request.response_format == "url" and needs_bytes:
        param = "stream" if request.stream else "output_format"
        raise unsupported(param, f"'{param}' needs response_format b64_json: behind a url is the vendor's own png.")
    if request.response_format:
        return bool(request.response_format == "b64_json")
    return needs_bytes or bool(_ALWAYS_BASE64.match(request.model))


def _quality(request: Any) -> int | None:
    compression: int | None = request.output_compression
    if compression not in (None, 100) and request.output_format == "png":
        raise unsupported("output_compression", "A png is never compressed with loss. Ask for jpeg or webp.")
    return compression


def unsupported(param: str, message: str) -> BadInput:
    return BadInput(message, code="unsupported_value", param=param)


# --- the answers


class ImageObject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One picture: where it can be read for a day, or the file itself."""

    url: str = ""
    b64_json: bytes = b""
    revised_prompt: str = ""


class ImageFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is one picture less than was asked for."""

    code: str
    message: str


class ImagesAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Pictures. `created` in seconds since 1970; `size` is told where OpenAI has a word for it.

    `failures` is not OpenAI's: it is there when some of the pictures could not be drawn.
    """

    created: int
    data: list[ImageObject]
    background: str = ""
    output_format: str = ""
    size: str = ""
    failures: list[ImageFailure] = []


class TokenDetails(msgspec.Struct, frozen=True, kw_only=True):
    text_tokens: int = 0
    image_tokens: int = 0


class ImageUsage(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's events must have it. It is zero: the vendor counts pictures, not tokens."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: TokenDetails = TokenDetails()


class _Completed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    b64_json: bytes
    created_at: int
    size: str
    output_format: OutputFormat
    quality: str = "auto"
    background: str = "opaque"
    usage: ImageUsage = ImageUsage()


class ImageCompleted(_Completed, frozen=True, kw_only=True, tag_field="type", tag="image_generation.completed"):
    """A picture of a streamed answer."""


class ImageEditCompleted(_Completed, frozen=True, kw_only=True, tag_field="type", tag="image_edit.completed"):
    """A picture of a streamed edit."""


_SIZE_NAMES = ("1024x1024", "1024x1536", "1536x1024")


def size_name(size: Size | None) -> str:
    """Return OpenAI's word for a size, "" where it has none."""
    name = f"{size.width}x{size.height}" if size else ""
    return name if name in _SIZE_NAMES else ""
