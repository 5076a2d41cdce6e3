"""Recognition in one call: qwen3-asr-flash on both surfaces, and what an omni model hears."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

from emulator.brain import count_tokens, is_chinese
from emulator.calls import Call
from emulator.chat_parts import media_url, sounding_parts
from emulator.chat_request import ChatRequest
from emulator.ear import decode_audio
from emulator.errors import ApiError
from emulator.media import fetch

_TOKENS_PER_SECOND: Final = 25
_LONGEST_S: Final = 300
_LARGEST_FILE: Final = 10 * 1024 * 1024
LANGUAGES: Final = tuple("zh yue en ja de ko ru fr pt ar it es hi id th tr uk vi cs da fil fi is ms no pl sv".split())


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


def transcribe_part(part: dict[str, Any], chat: ChatRequest, call: Call) -> Heard:
    """Return what is heard in a content part.  Raises: ApiError when there is no sound in it, or too much."""
    options = chat.options.get("asr_options") or {}
    check_language(options.get("language"), "parameters.asr_options.language")
    data = fetch(media_url(part), call, limit=_LARGEST_FILE)
    pcm, rate_hz, seconds = _decode(data)
    if seconds > _LONGEST_S:
        raise ApiError(f"The audio is too long: the limit is {_LONGEST_S} seconds.")
    call.pause(call.scenario.latency.asr_ms)
    text = _transcript(pcm, rate_hz, call)
    call.note("heard", text=text, size_bytes=len(data), seconds=seconds, context=chat.system_text)
    return Heard(text, options.get("language") or guess_language(text), seconds)


def with_hearing(chat: ChatRequest, call: Call) -> ChatRequest:
    """Return the request with what is heard in its last message.  Raises: ApiError for sounds that cannot be used."""
    parts = sounding_parts(chat.messages[-1]) if chat.model.streams == "always" else []
    sounds = [_decode(fetch(media_url(part), call)) for part in parts]
    texts = [_transcript(pcm, rate_hz, call) for pcm, rate_hz, _ in sounds]
    if sounds:
        call.note("heard", text=" ".join(texts), seconds=sum(seconds for *_, seconds in sounds))
    return replace(chat, heard=" ".join(texts), heard_s=sum(seconds for *_, seconds in sounds))


def check_language(language: object, field: str) -> None:
    """Refuse a language that the models do not know.  Raises: ApiError naming the field."""
    if language is not None and language not in LANGUAGES:
        raise ApiError(f"Input should be {', '.join(map(repr, LANGUAGES[:-1]))} or {LANGUAGES[-1]!r}: {field}")


def _transcript(pcm: bytes, rate_hz: int, call: Call) -> str:
    scripted = call.script.next_transcript()
    return call.vendor.ear.hear(pcm, rate_hz=rate_hz) if scripted is None else scripted


def _decode(data: bytes) -> tuple[bytes, int, int]:
    """Return PCM, its rate, and its length in started seconds."""
    if not data:
        raise ApiError("The audio is empty")
    try:
        pcm, rate_hz = decode_audio(data)
    except ValueError as error:
        raise ApiError("The audio file cannot be decoded.", code="InvalidParameter") from error
    return pcm, rate_hz, max(1, math.ceil(len(pcm) / 2 / rate_hz))


def guess_language(text: str) -> str:
    """Return zh for a text with Han characters, else en."""
    return "zh" if is_chinese(text) else "en"
