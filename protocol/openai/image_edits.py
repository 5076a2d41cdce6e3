"""Requests for edits and variations: pictures come as files of a form, as text in it, or in JSON, under many names.

Source: OpenAI API reference, create image edit (form and JSON), create image variation; the names beyond OpenAI's are
those that earlier servers of this kind took.
"""

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from protocol.errors import BadInput
from protocol.links import is_public_link
from protocol.openai.forms import fold
from protocol.openai.images import (
    Asked,
    Background,
    ImageRequest,
    OutputFormat,
    Quality,
    ResponseFormat,
    checked,
    said,
    unsupported,
)
from protocol.openai.reading import convert, read_object

PICTURES = ("image", "images", "input_image", "input_images", "image_url", "image_urls")
"""The names under which pictures come, each also with [] behind it."""
_MOST_PICTURES = 16
_INDEXED = re.compile(r"\[\d*\]$")
_VARY = (
    "Draw a variation of this picture: keep its subject, its style and its colours,"
    " and change the composition and the details."
)


class ImageAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture by its address or as a `data:` URI. `type` is said by clients that know it from chats."""

    image_url: str = ""
    url: str = ""
    file_id: str = ""
    type: str = ""


_Given = str | ImageAddress | list[str | ImageAddress]


class ImageEditRequest(ImageRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture drawn from words and other pictures. In a form, the pictures are its files."""

    image: _Given = ""
    images: _Given = ""
    input_image: _Given = ""
    input_images: _Given = ""
    image_url: _Given = ""
    image_urls: _Given = ""
    mask: str | ImageAddress | None = None
    input_fidelity: Literal["high", "low"] = "low"


class ImageVariationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pictures like another one. The last nine are those of an edit."""

    image: _Given = ""
    model: Annotated[str, Meta(max_length=200)] = ""
    n: Annotated[int, Meta(ge=1, le=10)] = 1
    size: Annotated[str, Meta(max_length=40)] = "auto"
    response_format: ResponseFormat | None = None
    user: str = ""
    output_format: OutputFormat = "png"
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    background: Background = "auto"
    quality: Quality = "auto"
    negative_prompt: Annotated[str, Meta(max_length=32_000)] = ""
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    prompt_extend: bool | None = None
    watermark: bool | None = None

    @property
    def prompt(self) -> str:
        return _VARY

    @property
    def stream(self) -> bool:
        return False


Files = Iterable[tuple[str, bytes]]


def read_edit_body(body: bytes) -> Asked:
    """Return what a JSON body asks for. Raises: BadInput."""
    return _edit(convert(_one_spelling(read_object(body)), ImageEditRequest), [])


def read_edit_form(fields: Iterable[tuple[str, str]], files: Files) -> Asked:
    """Return what a form asks for, its files given as (name, bytes). Raises: BadInput."""
    uploads = _uploads(files, PICTURES)
    return _edit(convert(fold(fields, lists=PICTURES), ImageEditRequest, is_form=True), uploads)


def read_variation_body(body: bytes) -> Asked:
    """Return what a JSON body asks for. Raises: BadInput."""
    return _variation(convert(_one_spelling(read_object(body)), ImageVariationRequest), [])


def read_variation_form(fields: Iterable[tuple[str, str]], files: Files) -> Asked:
    """Return what a form asks for. Raises: BadInput."""
    uploads = _uploads(files, ("image",))
    return _variation(convert(fold(fields, lists=("image",)), ImageVariationRequest, is_form=True), uploads)


def _one_spelling(fields: dict[str, Any]) -> dict[str, Any]:
    return {name.removesuffix("[]"): value for name, value in said(fields).items()}


def _uploads(files: Files, names: tuple[str, ...]) -> list[bytes]:
    uploads = []
    for written, data in files:
        name = _INDEXED.sub("", written)
        if name == "mask":
            raise _mask()
        if name not in names:
            raise BadInput(f"Unknown parameter: '{written[:80]}'.", code="unknown_parameter", param=written[:80])
        if not data:
            raise BadInput(f"The file of '{name}' is empty.", param=name)
        uploads.append(data)
    return uploads


def _edit(request: ImageEditRequest, uploads: list[bytes]) -> Asked:
    if request.mask:
        raise _mask()
    given = [*uploads, *(one for name in PICTURES for one in _addressed(getattr(request, name), name))]
    if not given:
        raise _missing()
    if len(given) > _MOST_PICTURES:
        raise BadInput(f"At most {_MOST_PICTURES} pictures can be given, and these are {len(given)}.", param="image")
    return dataclasses.replace(checked(request, task="edit"), pictures=tuple(given))


def _variation(request: ImageVariationRequest, uploads: list[bytes]) -> Asked:
    given = [*uploads, *_addressed(request.image, "image")]
    if not given:
        raise _missing()
    if len(given) > 1:
        raise BadInput("A variation is made of one picture.", param="image")
    return dataclasses.replace(checked(request, task="variation"), pictures=tuple(given))


def _missing() -> BadInput:
    return BadInput("Missing required parameter: 'image'.", code="missing_required_parameter", param="image")


def _mask() -> BadInput:
    return unsupported("mask", "These models take no mask. Say in the prompt what to change, and what to leave.")


def _addressed(given: _Given, param: str) -> Iterator[bytes | str]:
    """Yield the bytes of data URIs, and links that the vendor can read. Raises: BadInput."""
    for one in given if isinstance(given, list) else [given] if given else []:
        if isinstance(one, ImageAddress) and one.file_id:
            raise unsupported(f"{param}.file_id", "No files are kept here. Send the picture itself or its address.")
        text = one if isinstance(one, str) else one.image_url or one.url
        if text.startswith("data:"):
            yield _decoded(text, param)
        elif is_public_link(text):
            yield text
        else:
            raise BadInput(
                f"'{param}' must be the picture itself, a data: URI, or a public http(s):// or oss:// address.",
                param=param,
            )


def _decoded(text: str, param: str) -> bytes:
    head, _, body = text.partition(",")
    try:
        data = base64.b64decode(body, validate=True) if head.endswith(";base64") else b""
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"'{param}' is not valid base64.", param=param) from error
    if not data:
        raise BadInput(f"'{param}' must be a data: URI with ;base64 and the picture behind it.", param=param)
    return data
