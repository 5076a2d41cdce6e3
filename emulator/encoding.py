"""The sound formats of realtime synthesis other than bare PCM."""

from __future__ import annotations

import io
import struct
from typing import Any, Protocol

import av
import numpy as np


class StreamEncoder(Protocol):
    """Turns PCM into one continuous encoded stream."""

    def push(self, pcm: bytes, *, is_last: bool) -> bytes:
        """Return the bytes that are ready; all the rest when it is the last."""


def make_encoder(session: dict[str, Any]) -> StreamEncoder | None:
    """Return the encoder for a session's `response_format`, or None for bare PCM."""
    form, rate_hz = session["response_format"], session["sample_rate"]
    if form == "wav":
        return _WavHeader(rate_hz)
    if form in {"mp3", "opus"}:
        return _Muxed(form, rate_hz, bit_rate=int(session.get("bit_rate") or 64) * 1000)
    return None


class _WavHeader:
    """One RIFF header with placeholder sizes before the first bytes of a response."""

    def __init__(self, rate_hz: int) -> None:
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16)
        self._header = struct.pack("<4sI4s", b"RIFF", 0x7FFFFFFF, b"WAVE") + form
        self._header += struct.pack("<4sI", b"data", 0x7FFFFFFF - 36)

    def push(self, pcm: bytes, *, is_last: bool) -> bytes:
        header, self._header = self._header, b""
        return header + pcm


class _Muxed:
    """MP3, or Opus in Ogg, written by libav into a growing buffer."""

    def __init__(self, form: str, rate_hz: int, *, bit_rate: int) -> None:
        codec, container = ("libmp3lame", "mp3") if form == "mp3" else ("libopus", "ogg")
        self._rate_hz = rate_hz
        self._buffer = io.BytesIO()
        self._out = av.open(
            self._buffer, mode="w", format=container, options={"write_xing": "0"} if form == "mp3" else {}
        )
        self._stream: Any = self._out.add_stream(codec, rate=rate_hz, layout="mono", bit_rate=bit_rate)
        self._taken = 0

    def push(self, pcm: bytes, *, is_last: bool) -> bytes:
        if pcm:
            frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = self._rate_hz
            self._out.mux(self._stream.encode(frame))
        if is_last:
            self._out.mux(self._stream.encode(None))
            self._out.close()
        data = self._buffer.getvalue()[self._taken :]
        self._taken += len(data)
        return data
