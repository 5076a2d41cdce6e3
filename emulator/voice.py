"""The voice: text becomes sound, in the exact sound alphabet or through espeak-ng.

A voice makes sound in pieces so that a long answer starts at once; tone pieces are cut from tables, never computed.
"""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
import wave
from functools import lru_cache
from typing import Final, Protocol

import av
import numpy as np

from emulator.alphabet import SILENCE, SYMBOL_MS, spell, symbol_samples, waveforms

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_ESPEAK_TIMEOUT_S: Final = 30
_ESPEAK_HZ: Final = 22050
_USUAL_HZ: Final = 24000


def speak(text: str, *, rate_hz: int = 24000) -> bytes:
    """Return the text in the sound alphabet, s16le mono PCM: 60 ms per UTF-8 byte and 60 ms of silence."""
    table = waveforms(rate_hz)
    return b"".join([table[symbol] for symbol in spell(text)] + [table[SILENCE]])


def pcm_to_wav(pcm: bytes, *, rate_hz: int) -> bytes:
    """Return a WAV file holding s16le mono PCM."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm)
    return buffer.getvalue()


class Utterance(Protocol):
    """The sound of one response, made while its text arrives.  `pcm` and `base64` take sound from the front."""

    def add(self, text: str) -> None:
        """Append text that will be spoken after what is already there."""

    def finish(self) -> None:
        """Append the closing silence: no more text follows."""

    @property
    def pending_ms(self) -> int:
        """How much sound is ready to be taken."""

    def take(self, duration_ms: int) -> bytes:
        """Take up to about `duration_ms` of sound as s16le mono PCM."""

    def take_base64(self, duration_ms: int) -> tuple[str, int]:
        """Take the same as base64 text, and how many milliseconds it lasts."""


class Voice(Protocol):
    """Something that can begin to speak at a given rate."""

    def begin(self, rate_hz: int) -> Utterance:
        """Return an empty utterance."""


class ToneVoice:
    """The exact voice: the sound alphabet."""

    def __init__(self) -> None:
        _base64_waveforms(_USUAL_HZ)  # 10 ms that would otherwise delay the first session's first delta

    def begin(self, rate_hz: int) -> Utterance:
        return _ToneUtterance(rate_hz)


class _ToneUtterance:
    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._symbols: list[int] = []
        self._taken = 0

    def add(self, text: str) -> None:
        self._symbols += spell(text, start=len(self._symbols))

    def finish(self) -> None:
        self._symbols.append(SILENCE)

    @property
    def pending_ms(self) -> int:
        return (len(self._symbols) - self._taken) * SYMBOL_MS

    def take(self, duration_ms: int) -> bytes:
        table = waveforms(self._rate_hz)
        return b"".join([table[symbol] for symbol in self._next(duration_ms)])

    def take_base64(self, duration_ms: int) -> tuple[str, int]:
        table = _base64_waveforms(self._rate_hz)
        symbols = self._next(duration_ms)
        return "".join([table[symbol] for symbol in symbols]), len(symbols) * SYMBOL_MS

    def _next(self, duration_ms: int) -> list[int]:
        count = max(1, round(duration_ms / SYMBOL_MS))
        symbols = self._symbols[self._taken : self._taken + count]
        self._taken += len(symbols)
        return symbols


@lru_cache(maxsize=8)
def _base64_waveforms(rate_hz: int) -> tuple[str, ...]:
    if symbol_samples(rate_hz) * 2 % 3:
        raise ValueError(f"at {rate_hz} Hz a symbol is not a multiple of three bytes")
    return tuple(base64.b64encode(wave_).decode() for wave_ in waveforms(rate_hz))


class EspeakVoice:
    """A voice for people: the espeak-ng program, Chinese or English by the text."""

    def begin(self, rate_hz: int) -> Utterance:
        return _PcmUtterance(rate_hz)


class _PcmUtterance:
    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._pcm = bytearray()

    def add(self, text: str) -> None:
        self._pcm += espeak(text, rate_hz=self._rate_hz)

    def finish(self) -> None:
        self._pcm += bytes(self._rate_hz * SYMBOL_MS // 1000 * 2)

    @property
    def pending_ms(self) -> int:
        return len(self._pcm) * 500 // self._rate_hz

    def take(self, duration_ms: int) -> bytes:
        size = self._rate_hz * duration_ms // 1000 * 2
        piece = bytes(self._pcm[:size])
        del self._pcm[:size]
        return piece

    def take_base64(self, duration_ms: int) -> tuple[str, int]:
        piece = self.take(duration_ms)
        return base64.b64encode(piece).decode(), len(piece) * 500 // self._rate_hz


def has_espeak() -> bool:
    """Tell whether the espeak-ng program is installed."""
    return shutil.which("espeak-ng") is not None


def espeak(text: str, *, rate_hz: int) -> bytes:
    """Return the text spoken by espeak-ng, resampled to `rate_hz`.  Raises: RuntimeError without the program."""
    if not text.strip():
        return b""
    command = ["espeak-ng", "-v", "cmn" if _HAN.search(text) else "en-us", "-s", "165", "--stdin", "--stdout"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=_ESPEAK_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise RuntimeError(f"espeak-ng did not speak (apt-get install espeak-ng): {error}") from error
    return resample(done.stdout[44:], from_hz=_ESPEAK_HZ, to_hz=rate_hz)


def resample(pcm: bytes, *, from_hz: int, to_hz: int) -> bytes:
    """Return s16le mono PCM at another rate."""
    if from_hz == to_hz or not pcm:
        return pcm
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = from_hz
    resampler = av.AudioResampler(format="s16", layout="mono", rate=to_hz)
    frames = resampler.resample(frame) + resampler.resample(None)
    return b"".join(out.to_ndarray().tobytes() for out in frames)


def make_voice(name: str) -> Voice:
    """Return the voice called "tones", "espeak", or "auto" (espeak-ng where installed, else tones)."""
    if name not in {"tones", "espeak", "auto"}:
        raise ValueError(f"unknown voice {name!r}: use tones, espeak or auto")
    if name == "espeak" and not has_espeak():
        raise ValueError("the voice espeak needs the program espeak-ng: apt-get install espeak-ng")
    return EspeakVoice() if name != "tones" and has_espeak() else ToneVoice()
