"""Where the recording of a request is, when it did not come as the form's file.

Beyond OpenAI's API, for clients that send JSON: `input_audio` (Open WebUI) and `file`, `file_url` or `url` as an
address; `format` and `sample_rate` declare bare PCM.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.errors import BadInput
from protocol.links import is_public_link

_BARE = ("pcm", "pcm16", "s16le", "raw")


class InputAudio(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The recording as base64 text. `format` is believed only for bare PCM; everything else is told by its bytes."""

    data: str
    format: str = ""


class SoundFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters that say where the recording is."""

    input_audio: InputAudio | None = None
    file: str = ""
    file_url: str = ""
    url: str = ""
    format: str = ""
    sample_rate: Annotated[int, Meta(ge=1000, le=384_000)] = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundSource:
    """`data` or `link` is the recording when it did not come as a file; `pcm_rate_hz` is 0 unless it is bare s16le."""

    data: bytes | None = None
    link: str = ""
    pcm_rate_hz: int = 0


def source_of(request: SoundFields) -> SoundSource:
    """Return where the recording is. Raises: BadInput."""
    found = {name: text for name in ("file", "file_url", "url") if (text := getattr(request, name))}
    if len(found) + bool(request.input_audio) > 1:
        raise BadInput("The recording is given twice.", param=[*found, "input_audio"][1])
    kind, data, link = request.format, None, ""
    if request.input_audio:
        kind = request.input_audio.format or kind
        data = decoded(request.input_audio.data.rpartition(",")[2], "input_audio.data")
    for param, text in found.items():
        data, link = _addressed(text, param)
    return SoundSource(data=data, link=link, pcm_rate_hz=request.sample_rate if kind.lower() in _BARE else 0)


def _addressed(text: str, param: str) -> tuple[bytes | None, str]:
    """Return (the sound of a data URI, "") or (None, a link that the vendor can read)."""
    if text.startswith("data:"):
        return decoded(text.partition(",")[2], param), ""
    if is_public_link(text):
        return None, text
    raise BadInput(
        f"'{param}' must be the recording itself, a data: URI, or a public http(s):// or oss:// address.", param=param
    )


def decoded(text: str, param: str) -> bytes:
    """Return the bytes of a base64 text. Raises: BadInput naming the parameter."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"'{param}' is not valid base64.", param=param) from error
