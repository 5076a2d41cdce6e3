"""`/v1/audio/speech`: a text read aloud, as one stream in the format that was asked for.

How it works.  The text is made speakable as a turn's is, and cut into passages (`protocol/passages.py`), each one call
to the vendor. `services/narration.py` reads them ahead, because a client that plays while it reads would otherwise
make the vendor wait for minutes. All sound goes through one encoder, so there is no seam to hear.
"""

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from protocol.errors import BadInput
from protocol.keys import ApiKey
from protocol.openai.speech import SpeechRequest, SpeechUsage
from protocol.passages import passages
from services.audio import Encoder
from services.catalogue import Catalogue
from services.encoding import open_encoder
from services.flow import CancelToken
from services.narration import Narration, Passage
from services.ports import Manner, Narrator, Sound
from services.voices import resolve_voice

_SILENCE_S = 0.3
_FIRST_MS, _LATER_MS = 40, 160
"""Sound that is encoded at once: little for the first bytes, more later, because each piece costs a wake-up."""
_TOKENS_PER_S = 12.5
"""Of sound, for models that do not count it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRules:
    """What an operator chose."""

    voice: str
    mp3_kbps: int
    max_chars: int


class SpeechSynthesis:
    """Reads texts aloud. Threads: any."""

    def __init__(self, narrators: Callable[[str], Narrator], *, catalogue: Catalogue, rules: SpeechRules) -> None:
        self._narrators, self._catalogue, self._rules = narrators, catalogue, rules

    def speak(self, request: SpeechRequest, *, key: ApiKey, cancel: CancelToken) -> "Spoken":
        """Return the sound of a text, its first bytes known. Raises: BadInput, UpstreamError, Cancelled."""
        if len(request.input) > self._rules.max_chars:
            raise _too_long(len(request.input), self._rules.max_chars)
        narrator = self._narrators(self._catalogue.resolve_speech(request.model))
        voice = resolve_voice(request.voice_name or self._rules.voice, narrator.model)
        encoder = open_encoder(
            request.response_format,
            from_hz=narrator.rate_hz,
            to_hz=request.sample_rate,
            mp3_kbps=self._rules.mp3_kbps,
        )
        narration = Narration(
            narrator, _calls(request.input, narrator), voice=voice, manner=Manner(), key=key, cancel=cancel
        )
        return Spoken(narration.sounds(), encoder=encoder, rate_hz=narrator.rate_hz)


def _calls(text: str, narrator: Narrator) -> list[Passage]:
    """Return what to say, call by call."""
    return [(passage,) for passage in passages(text, most=narrator.most_chars)]


def _too_long(length: int, most: int) -> BadInput:
    message = (
        f"Invalid 'input': text too long. Expected at most {most} characters (this server's MAX_SPEECH_CHARS),"
        f" but got {length}."
    )
    return BadInput(message, code="string_above_max_length", param="input")


class Spoken:
    """One text's sound on its way to the client. Who makes it closes it. Threads: one owner."""

    def __init__(self, sounds: Iterator[Sound], *, encoder: Encoder, rate_hz: int) -> None:
        self._sounds, self._encoder, self._rate_hz = sounds, encoder, rate_hz
        self._waiting = bytearray()
        self._input_tokens = self._output_tokens = self._pcm_bytes = 0
        self.request_id = ""
        self._chunks = self._encoded()
        self._first = next(self._chunks, b"")

    def __iter__(self) -> Iterator[bytes]:
        """Yield the encoded sound as it comes. Raises: UpstreamError, Cancelled."""
        yield self._first
        yield from self._chunks

    def close(self) -> None:
        """Stop the vendor if it is still speaking; harmless when repeated."""
        self._chunks.close()

    @property
    def usage(self) -> SpeechUsage:
        """What it cost up to here."""
        seconds = self._pcm_bytes / 2 / self._rate_hz
        output_tokens = self._output_tokens or math.ceil(seconds * _TOKENS_PER_S)
        return SpeechUsage(
            input_tokens=self._input_tokens,
            output_tokens=output_tokens,
            total_tokens=self._input_tokens + output_tokens,
        )

    def _encoded(self) -> Generator[bytes]:
        for sound in self._sounds:
            self._take(sound)
            due_ms = _LATER_MS if self._pcm_bytes else _FIRST_MS
            if len(self._waiting) >= self._rate_hz * 2 * due_ms // 1000 and (chunk := self._encode()):
                yield chunk
        yield self._encode() + self._encoder.finish()

    def _take(self, sound: Sound) -> None:
        self._waiting += sound.pcm
        self.request_id = self.request_id or sound.request_id
        if sound.usage:
            self._input_tokens += sound.usage.prompt_tokens
            self._output_tokens += sound.usage.completion_tokens

    def _encode(self) -> bytes:
        pcm, self._waiting = bytes(self._waiting), bytearray()
        self._pcm_bytes += len(pcm)
        return self._encoder.feed(pcm)
