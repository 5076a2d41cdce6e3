"""A request to CosyVoice over HTTP, checked.

Source: DashScope HTTP reference §5.2.  The refusals of a wrong voice were recorded by several of its users; the words
about wrong types are the emulator's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from emulator.errors import ApiError
from emulator.models import Model
from emulator.speech import billed_characters
from emulator.voices import is_cosyvoice_voice

FORMATS: Final = ("mp3", "pcm", "wav", "opus")
_RATES_HZ: Final = (8000, 16000, 22050, 24000, 44100, 48000)
_OPUS_RATES_HZ: Final = {22050: 24000, 44100: 48000}  # Opus knows neither: the next higher rate is used
_LONGEST_TEXT: Final = 20_000
_LONGEST_INSTRUCTION: Final = 100
_TAG: Final = re.compile(r"<[^>]+>")
_Rule = tuple[Callable[[Any], bool], str]


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


_RULES: Final[dict[str, _Rule]] = {
    "format": (lambda x: x in FORMATS, f"should be one of {list(FORMATS)}"),
    "sample_rate": (lambda x: x in _RATES_HZ, f"should be one of {list(_RATES_HZ)}"),
    "volume": (lambda x: _is_whole(x, 0, 100), "should be in [0, 100]"),
    "rate": (lambda x: _is_number(x, 0.5, 2), "should be in [0.5, 2.0]"),
    "pitch": (lambda x: _is_number(x, 0.5, 2), "should be in [0.5, 2.0]"),
    "bit_rate": (lambda x: _is_whole(x, 6, 510), "should be in [6, 510]"),
    "seed": (lambda x: _is_whole(x, 0, 65535), "should be in [0, 65535]"),
    "enable_ssml": (lambda x: isinstance(x, bool), "should be a valid boolean"),
    "word_timestamp_enabled": (lambda x: isinstance(x, bool), "should be a valid boolean"),
    "language_hints": (lambda x: isinstance(x, list), "should be a valid list"),
    "instruction": (
        lambda x: isinstance(x, str) and billed_characters(x) <= _LONGEST_INSTRUCTION,
        f"should be a text of at most {_LONGEST_INSTRUCTION} characters",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesisRequest:
    """The checked request.  `volume` is 50 for the voice as it is; rate and pitch have no effect on the emulator."""

    text: str
    voice: str
    format: str
    rate_hz: int
    volume: int
    bit_rate: int
    has_word_times: bool

    @property
    def characters(self) -> int:
        """What is billed."""
        return billed_characters(self.text)


def check_synthesis(model: Model, inputs: dict[str, Any]) -> SynthesisRequest:
    """Return the request if the service would take it.  Raises: ApiError with its message or naming the field."""
    for name, (is_valid, message) in _RULES.items():
        if inputs.get(name) is not None and not is_valid(inputs[name]):
            raise ApiError(f"{name} {message}")
    form, rate_hz = inputs.get("format") or "mp3", inputs.get("sample_rate") or 22050
    return SynthesisRequest(
        text=_text(inputs),
        voice=_voice(model, inputs.get("voice")),
        format=form,
        rate_hz=_OPUS_RATES_HZ.get(rate_hz, rate_hz) if form == "opus" else rate_hz,
        volume=50 if inputs.get("volume") is None else inputs["volume"],
        bit_rate=inputs.get("bit_rate") or 64,
        has_word_times=bool(inputs.get("word_timestamp_enabled")),
    )


def _text(inputs: dict[str, Any]) -> str:
    text = inputs.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ApiError("Request text is invalid!")
    if billed_characters(text) > _LONGEST_TEXT:
        raise ApiError(f"Range of input length should be [1, {_LONGEST_TEXT}]")
    return _TAG.sub("", text) if inputs.get("enable_ssml") else text


def _voice(model: Model, voice: Any) -> str:
    if not isinstance(voice, str) or not voice:
        raise ApiError("Request voice is invalid!")
    if is_cosyvoice_voice(voice, model.name):
        return voice
    if model.name.startswith("qwen-audio"):
        raise ApiError("[cosyvoice:]Engine error [411]: TTS speak operation failed")
    raise ApiError("[cosyvoice:]Engine return error code: 418")
