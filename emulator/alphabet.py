"""The sound alphabet: every byte of a text's UTF-8 form is one short chord.

How it works
------------
A symbol lasts 60 ms and sounds two tones at once: one of 16 in the low half of the band (the byte's high
nibble) and one of 16 in the high half (the low nibble).  The 64 tones stand 50 Hz apart.  Symbols at even
positions use the tones with even numbers, symbols at odd positions those with odd numbers, so two equal bytes in
a row still change tones: a listener sees every boundary, and notices a symbol that was lost, cut or repeated.
The count starts at even after every pause; an utterance ends with one symbol of silence.

The band (300-3450 Hz) passes telephone-rate audio (8 kHz), MP3 at 64 kbit/s and Opus at 24 kbit/s.  Sixty
milliseconds are a multiple of three bytes at every usual rate, so base64 text of symbols can simply be joined.
At three symbols per Chinese character (180 ms) and one per Latin letter it speaks about as fast as a person.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

SYMBOL_MS: Final = 60
TONES_HZ: Final = 300.0 + 50.0 * np.arange(64)
_AMPLITUDE: Final = 0.22 * 32767
_EDGE_MS: Final = 6


def tone_numbers(byte: int, *, odd: bool) -> tuple[int, int]:
    """Return the two tones (0-63) that sound for a byte at an even or odd position."""
    return 2 * (byte >> 4) + odd, 32 + 2 * (byte & 15) + odd


def symbol_samples(rate_hz: int) -> int:
    """Return the length of one symbol in samples."""
    return rate_hz * SYMBOL_MS // 1000


@lru_cache(maxsize=8)
def waveforms(rate_hz: int) -> tuple[bytes, ...]:
    """Return the PCM of all symbols: index = byte + 256 if its position is odd; the last one is silence."""
    time_s = np.arange(symbol_samples(rate_hz)) / rate_hz
    tones = np.sin(2 * np.pi * TONES_HZ[:, None] * time_s) * _envelope(rate_hz) * _AMPLITUDE
    symbols = [_chord(tones, byte, odd=odd) for odd in (False, True) for byte in range(256)]
    return (*symbols, bytes(2 * symbol_samples(rate_hz)))


def _chord(tones: NDArray[np.float64], byte: int, *, odd: bool) -> bytes:
    low, high = tone_numbers(byte, odd=odd)
    pcm: NDArray[np.int16] = (tones[low] + tones[high]).astype("<i2")
    return pcm.tobytes()


def _envelope(rate_hz: int) -> NDArray[np.float64]:
    """Return a flat top with raised-cosine edges, so that no symbol starts with a click."""
    edge = rate_hz * _EDGE_MS // 1000
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    envelope = np.ones(symbol_samples(rate_hz))
    envelope[:edge], envelope[-edge:] = ramp, ramp[::-1]
    return envelope


SILENCE: Final = 512


def spell(text: str, *, start: int = 0) -> list[int]:
    """Return the symbols (indices into `waveforms`) of a text whose first byte stands at position `start`."""
    return [byte + 256 * ((start + n) % 2) for n, byte in enumerate(text.encode("utf-8", "replace"))]
