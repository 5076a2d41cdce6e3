"""CosyVoice and Qwen-Audio-TTS over HTTP: speed, pitch, volume and manner are the model's own.

Source: DashScope HTTP reference §5.2.
"""

from collections.abc import Iterator
from typing import Any

from protocol.dashscope import SpeechEvent, billed_characters
from protocol.errors import BadInput
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport
from providers.dashscope.tts_http import SSE, HttpSpeech, speech_events
from services.ports import PLAIN, Cancel, Manner

_MOST_INSTRUCTION = 100
"""Of CosyVoice; the limits of Qwen-Audio-TTS are not documented, so the vendor tells them."""
_HINTS = {
    "chinese": "zh",
    "english": "en",
    "french": "fr",
    "german": "de",
    "japanese": "ja",
    "korean": "ko",
    "russian": "ru",
    "portuguese": "pt",
    "thai": "th",
    "indonesian": "id",
    "vietnamese": "vi",
}
"""Language names -> the codes of `language_hints`."""


class CosyVoiceSynthesiser:
    """`cosyvoice-*` and `qwen-audio-*-tts*`, streamed as bare PCM of 24 000 Hz."""

    rate_hz = 24_000
    most_chars = 600  # it would take more; but sound is read ahead by the call
    rates = (0.5, 2.0)
    obeys = frozenset({"language", "instructions", "pitch", "volume", "seed"})

    def __init__(self, transport: Transport, *, base_url: str, model: str) -> None:
        self._transport, self.model = transport, model
        self._url = f"{base_url}/services/audio/tts/SpeechSynthesizer"

    def open(self, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner = PLAIN) -> HttpSpeech:
        """Raises: BadInput for a language that has no code, and for instructions that are too long."""
        _hints(manner.language)
        if self.model.startswith("cosyvoice-") and billed_characters(manner.instructions) > _MOST_INSTRUCTION:
            raise BadInput(
                f"Invalid 'instructions': the model '{self.model}' takes at most {_MOST_INSTRUCTION} characters"
                " (Chinese ones count twice).",
                code="string_above_max_length",
                param="instructions",
            )
        return HttpSpeech(self, voice=voice, key=key, cancel=cancel, manner=manner)

    def events(
        self, text: str, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner = PLAIN
    ) -> Iterator[SpeechEvent]:
        """Yield the events of one text of at most 600 characters. Raises: UpstreamError, Cancelled."""
        said = {"text": text, "voice": voice, "format": "pcm", "sample_rate": self.rate_hz, **_choices(manner)}
        body = {"model": self.model, "input": said}
        return speech_events(self._transport.events(self._url, body, key=key, cancel=cancel, headers=SSE))


def _choices(manner: Manner) -> dict[str, Any]:
    """Return what the caller chose; what they left open is left to the model."""
    choices = {
        "rate": manner.rate if manner.rate != 1 else None,
        "pitch": manner.pitch,
        "volume": manner.volume,
        "seed": manner.seed,
        "instruction": manner.instructions or None,
        "language_hints": _hints(manner.language),
    }
    return {name: value for name, value in choices.items() if value is not None}


def _hints(language: str) -> list[str] | None:
    """Return the hint for a language's name or code. Raises: BadInput."""
    wanted = language.lower()
    if wanted in ("", "auto"):
        return None
    if wanted not in _HINTS and wanted not in _HINTS.values():
        names = ", ".join(name.capitalize() for name in _HINTS)
        raise BadInput(f"Invalid 'language_type': expected Auto or one of {names}.", param="language_type")
    return [_HINTS.get(wanted, wanted)]
