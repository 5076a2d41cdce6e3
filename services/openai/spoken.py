"""One text's sound on its way to a client: stretched, encoded, in pieces worth sending, and what it cost."""

import contextlib
import itertools
import math
from collections.abc import Generator, Iterator

from protocol.openai.speech import SpeechUsage
from services.ports import Sound
from services.sound.audio import Encoder
from services.sound.tempo import Tempo

_FIRST_MS, _LATER_MS = 40, 160
"""Sound that is encoded at once: little until the first bytes are out, more later, as each piece costs a wake-up."""
_TOKENS_PER_S = 12.5
"""Of sound, for models that do not count it: the frames of the model's own codec."""


class Spoken:
    """The encoded sound of one text. Who makes it closes it. Threads: one owner.

    Making it waits for the first bytes, so what fails before them is raised there.
    """

    def __init__(self, sounds: Generator[Sound], *, encoder: Encoder, rate_hz: int, tempo: Tempo | None = None) -> None:
        self._sounds, self._encoder, self._rate_hz = sounds, encoder, rate_hz
        self._tempo = tempo or Tempo(rate_hz=rate_hz, speed=1)
        self._waiting = bytearray()
        self._input_tokens = self._output_tokens = self._pcm_bytes = 0
        self.request_id = ""
        self._chunks = self._encoded()
        self._first = next(self._chunks, b"")

    def __iter__(self) -> Iterator[bytes]:
        """Yield the sound as it comes. Raises: UpstreamError, Cancelled."""
        yield from filter(None, itertools.chain((self._first,), self._chunks))

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
        with contextlib.closing(self._sounds):
            has_begun = False
            for sound in self._sounds:
                self._take(sound)
                while not has_begun and (chunk := self._encode(_FIRST_MS)) is not None:
                    has_begun = bool(chunk)
                    if chunk:
                        yield chunk
                if chunk := self._encode(_LATER_MS, whole=True):
                    yield chunk
            yield self._last()

    def _take(self, sound: Sound) -> None:
        self._waiting += sound.pcm
        self._pcm_bytes += len(sound.pcm)
        self.request_id = self.request_id or sound.request_id
        if sound.usage:
            self._input_tokens += sound.usage.prompt_tokens
            self._output_tokens += sound.usage.completion_tokens

    def _encode(self, least_ms: int, *, whole: bool = False) -> bytes | None:
        """Return so much of what waits, or all of it, encoded (maybe to nothing yet); None while less waits."""
        size_bytes = self._bytes(least_ms)
        if len(self._waiting) < size_bytes:
            return None
        pcm = bytes(self._waiting if whole else self._waiting[:size_bytes])
        del self._waiting[: len(pcm)]
        return self._encoder.feed(self._tempo.feed(pcm))

    def _last(self) -> bytes:
        rest = self._encode(0, whole=True) or b""
        return rest + self._encoder.feed(self._tempo.finish()) + self._encoder.finish()

    def _bytes(self, duration_ms: int) -> int:
        return self._rate_hz * 2 * duration_ms // 1000
