"""Voice activity: where speech starts and stops, by the loudness of 20 ms frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

FRAME_MS: Final = 20
_LOUD: Final = 250.0  # root mean square of s16 samples: -42 dB of full scale
_OPENING_FRAMES: Final = 3
_PADDING_MS: Final = 300

Change = Literal["", "started", "stopped"]


class VoiceActivity:
    """Cuts a stream of PCM into frames and tells where speech starts and stops.  Times count from the first sample."""

    def __init__(self, *, rate_hz: int, silence_ms: int) -> None:
        self._frame_bytes = rate_hz * FRAME_MS // 1000 * 2
        self._closing_frames = max(1, silence_ms // FRAME_MS)
        self._rest = b""
        self._before: deque[bytes] = deque(maxlen=_PADDING_MS // FRAME_MS)
        self._loud_frames = self._quiet_frames = 0
        self._is_open = False
        self.time_ms = 0

    def frames(self, pcm: bytes) -> Iterator[tuple[Change, bytes]]:
        """Yield each frame's change and what belongs to the segment: at a start also the 300 ms before it."""
        data = self._rest + pcm
        whole = len(data) // self._frame_bytes * self._frame_bytes
        self._rest = data[whole:]
        for start in range(0, whole, self._frame_bytes):
            yield self._frame(data[start : start + self._frame_bytes])

    def close(self) -> None:
        """End the open segment, as a finished session does."""
        self._is_open = False
        self._loud_frames = self._quiet_frames = 0

    def _frame(self, frame: bytes) -> tuple[Change, bytes]:
        self.time_ms += FRAME_MS
        is_loud = _rms(frame) > _LOUD
        self._loud_frames = self._loud_frames + 1 if is_loud else 0
        self._quiet_frames = 0 if is_loud else self._quiet_frames + 1
        if self._is_open:
            return self._inside(frame)
        self._before.append(frame)
        if self._loud_frames < _OPENING_FRAMES:
            return "", b""
        self._is_open = True
        segment = b"".join(self._before)
        self._before.clear()
        return "started", segment

    def _inside(self, frame: bytes) -> tuple[Change, bytes]:
        if self._quiet_frames < self._closing_frames:
            return "", frame
        self._is_open = False
        return "stopped", frame


def _rms(frame: bytes) -> float:
    samples = np.frombuffer(frame, "<i2").astype(np.float32)
    return float(np.sqrt(samples.dot(samples) / max(1, len(samples))))
