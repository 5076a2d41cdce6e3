"""The parts of a message's content, in either surface's way of writing them.

Source: DashScope HTTP reference §2.1, §3.2 and §4.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from emulator.errors import ApiError

BAD_ITEM: Final = "The provided messages input is invalid. The error info is [Unexpected item type in content.]."
_KINDS: Final = ("image", "audio", "video")
_HOLDERS: Final = ("image_url", "input_audio", "video_url")


def media_url(part: dict[str, Any]) -> str:
    """Return where a picture or a sound lies: a URL or a data URI; of a row of frames, the first.  Empty for none."""
    names = (kind_of(part), *_HOLDERS)
    value = next((part[name] for name in names if name in part), "")
    if isinstance(value, dict):
        value = value.get("url", value.get("data"))
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else ""


def sounding_parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of one message that can be listened to: sounds, and videos that are files."""
    return [part for part in parts_in(message) if kind_of(part) == "audio" or "video_url" in part]


def audio_parts(messages: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Return the sounds in the user's messages."""
    return [part for m in messages if m["role"] == "user" for part in parts_in(m) if kind_of(part) == "audio"]


def parts_in(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts of a message; a plain text has none.  Raises: ApiError for what is no part."""
    content = message.get("content")
    for part in content if isinstance(content, list) else []:
        if not isinstance(part, dict):
            raise ApiError(BAD_ITEM)
        yield part


def kind_of(part: dict[str, Any]) -> str:
    """Return text, image, audio or video.  Raises: ApiError for any other kind."""
    name = str(part.get("type") or next(iter(part), ""))
    if name == "text":
        return name
    for kind in _KINDS:
        if kind in name:
            return kind
    raise ApiError(BAD_ITEM)


def text_in(message: dict[str, Any]) -> str:
    """Return the text of a message."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in parts_in(message) if kind_of(part) == "text")
