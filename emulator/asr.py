"""Recognition in one call: qwen3-asr-flash, used by the native and by the compatible surface."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from emulator.brain import count_tokens, is_chinese
from emulator.calls import Call
from emulator.chat_request import media_url
from emulator.ear import decode_audio
from emulator.errors import ApiError
from emulator.media import fetch

_RAW_RATE_HZ: Final = 16000
_TOKENS_PER_SECOND: Final = 25


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript and what it cost."""

    text: str
    language: str
    seconds: int

    @property
    def tokens(self) -> int:
        """Tokens of the text."""
        return count_tokens(self.text)

    @property
    def audio_tokens(self) -> int:
        """Tokens of the sound."""
        return self.seconds * _TOKENS_PER_SECOND

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """The language and the mood, as the service writes them."""
        return [{"language": self.language, "type": "audio_info", "emotion": "neutral"}]


def transcribe_part(part: dict[str, Any], options: dict[str, Any], call: Call) -> Heard:
    """Return what is heard in a content part.  Raises: ApiError when there is no sound in it."""
    data = fetch(media_url(part), call)
    if not data:
        raise ApiError("The audio is empty")
    pcm, rate_hz = _decode(data)
    seconds = math.ceil(len(pcm) / 2 / rate_hz)
    if seconds > 300:
        raise ApiError("The audio is too long: the limit is 300 seconds.")
    call.pause(call.scenario.latency.asr_ms)
    scripted = call.script.next_transcript()
    text = call.vendor.ear.hear(pcm, rate_hz=rate_hz) if scripted is None else scripted
    call.note("heard", text=text, size_bytes=len(data), seconds=seconds)
    return Heard(text, options.get("language") or guess_language(text), max(1, seconds))


def _decode(data: bytes) -> tuple[bytes, int]:
    try:
        return decode_audio(data)
    except ValueError as error:
        raise ApiError("The audio file cannot be decoded.", code="InvalidParameter") from error


def guess_language(text: str) -> str:
    """Return zh for a text with Han characters, else en."""
    return "zh" if is_chinese(text) else "en"
