"""What a video is asked for with and what becomes of it, in nobody's words.

An order can be written down as JSON and given again: that is what a remix does.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Status = Literal["queued", "in_progress", "completed", "failed"]
Size = tuple[int, int]
"""Width and height in pixels."""


class VideoOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked for. None and empty mean: not said.

    `first` and `last` are pictures that the video begins and ends with: links, or names of stored objects (`STORED`).
    `own_words` are the vendor's own, which count more than what is translated.
    """

    model: str
    prompt: str = ""
    seconds: int | None = None
    size: Size | None = None
    first: str = ""
    last: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    prompt_extend: bool | None = None
    watermark: bool | None = None
    audio_url: str = ""
    shot_type: str = ""
    own_words: dict[str, Any] = {}

    @property
    def pictures(self) -> tuple[str, ...]:
        return tuple(picture for picture in (self.first, self.last) if picture)


STORED = "stored:"
"""The beginning of a picture's name that is an object of ours, not a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlan:
    """What will be made of an order. `size` is nominal where a picture decides about the shape."""

    model: str
    size: Size
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoNews:
    """How a video stands. `is_known` is False when the vendor knows no such task (any more).

    `size` and `seconds` are there once the vendor has told what it made.
    """

    status: Status
    is_known: bool = True
    url: str = ""
    error_code: str = ""
    error_message: str = ""
    ended_at: datetime | None = None
    size: Size | None = None
    seconds: int | None = None
    request_id: str = ""


def write_size(size: Size) -> str:
    """Return a size as OpenAI writes it: `1280x720`."""
    return f"{size[0]}x{size[1]}"
