"""Recordings of every kind, spoken in the emulator's sound alphabet, and when each character in them was said."""

import io
from collections.abc import Iterable
from typing import Any

import av
import numpy as np

from emulator import voice
from emulator.alphabet import SYMBOL_MS
from protocol.media import wav_header

RATE_HZ = 16_000
_BIT_RATES = {"amr_nb": 12_200, "wmav2": 96_000}


def wav(pcm: bytes, *, rate_hz: int = RATE_HZ) -> bytes:
    return wav_header(pcm_bytes=len(pcm), rate_hz=rate_hz) + pcm


def silence(duration_ms: int, *, rate_hz: int = RATE_HZ) -> bytes:
    return bytes(rate_hz * duration_ms // 1000 * 2)


def sentences_with_pauses(texts: Iterable[str], *, pause_ms: int) -> bytes:
    """Return the texts as one recording (PCM), with a pause after each."""
    return b"".join(voice.speak(text, rate_hz=RATE_HZ) + silence(pause_ms) for text in texts)


def said_s(text: str) -> float:
    """Return how long a text sounds, its closing silence not counted."""
    return len(text.encode()) * SYMBOL_MS / 1000


def in_container(
    pcm: bytes, *, format: str, codec: str, rate_hz: int = RATE_HZ, layout: str = "mono", with_pictures: bool = False
) -> bytes:
    """Return the sound (s16le mono) as a file of this kind, resampled and mixed to what the kind takes."""
    file = io.BytesIO()
    with av.open(file, "w", format=format) as media:
        options: dict[str, Any] = {"bit_rate": _BIT_RATES[codec]} if codec in _BIT_RATES else {}
        sound = media.add_stream(codec, rate=rate_hz, layout=layout, **options)
        film = media.add_stream("mpeg4", rate=5, width=64, height=64) if with_pictures else None
        if film:
            film.pix_fmt = "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            media.mux(film.encode(picture))
            media.mux(film.encode(None))
        resampler = av.AudioResampler(
            format=sound.format, layout=layout, rate=rate_hz, frame_size=sound.frame_size or None
        )
        for frame in [*resampler.resample(_frame(pcm)), *resampler.resample(None)]:
            media.mux(sound.encode(frame))
        media.mux(sound.encode(None))
    return file.getvalue()


def _frame(pcm: bytes) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    return frame
