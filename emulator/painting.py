"""The emulator's paintbrush: pictures in one colour that follows from what was asked for, which stands in the file.

Source of the format: PNG Specification, third edition (signature, IHDR, tEXt, PLTE, IDAT, IEND).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Any, Final

import msgspec

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PALETTE: Final = 3
PICTURE_BEGINNINGS: Final = (_SIGNATURE, b"\xff\xd8\xff", b"BM", b"RIFF", b"II*\x00", b"MM\x00*")


def paint(width: int, height: int, story: dict[str, Any]) -> bytes:
    """Return a PNG of that size whose colour and text chunk tell the story; the same story is the same picture."""
    head = struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)
    rows = zlib.compress(bytes((width + 1) * height), 1)
    text = b"story\x00" + msgspec.json.encode(ascii_only(story))
    chunks = ((b"IHDR", head), (b"tEXt", text), (b"PLTE", bytes(colour_of(story))), (b"IDAT", rows), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def colour_of(story: dict[str, Any]) -> tuple[int, int, int]:
    """Return the colour (red, green, blue) of a story."""
    red, green, blue = hashlib.sha256(msgspec.json.encode(story, order="deterministic")).digest()[:3]
    return red, green, blue


def story_in(picture: bytes) -> dict[str, Any]:
    """Return the story of a painted PNG.  Raises: ValueError when there is none."""
    at = len(_SIGNATURE)
    while at + 8 < len(picture):
        size, name = struct.unpack(">I4s", picture[at : at + 8])
        data = picture[at + 8 : at + 8 + size]
        if name == b"tEXt" and data.startswith(b"story\x00"):
            told = msgspec.json.decode(data.partition(b"\x00")[2], type=dict[str, Any])
            return {key: _plain(value) for key, value in told.items()}
        at += size + 12
    raise ValueError("this picture tells no story")


def ascii_only(story: dict[str, Any]) -> dict[str, Any]:
    """Return a story whose texts a tEXt chunk can hold (it is Latin-1)."""
    return {
        key: value.encode("unicode-escape").decode() if isinstance(value, str) else value
        for key, value in story.items()
    }


def _plain(value: Any) -> Any:
    return value.encode().decode("unicode-escape") if isinstance(value, str) else value


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
