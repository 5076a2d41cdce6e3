"""How long MP3 data plays: the frame headers tell, no decoder is needed.

Source: ISO/IEC 11172-3 §2.4.1.3 and 13818-3 (the layout of a frame header), layer III only.
"""

from dataclasses import dataclass
from typing import Final

_KBPS_MPEG1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_MPEG2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_HZ: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_HEADER_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """What one frame header says."""

    size_bytes: int
    samples: int
    rate_hz: int

    @property
    def duration_s(self) -> float:
        return self.samples / self.rate_hz


def parse_header(header: bytes) -> Frame | None:
    """Return the frame that begins with these four bytes, or None when no layer III frame does."""
    if header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return None
    kbps = (_KBPS_MPEG1 if version == 3 else _KBPS_MPEG2)[bitrate]
    samples, rate_hz = 1152 if version == 3 else 576, _RATES_HZ[version][rate]
    size = samples * kbps * 125 // rate_hz + (header[2] >> 1 & 1)
    return Frame(size, samples, rate_hz)


class Mp3Meter:
    """Counts the play time of MP3 data that arrives in pieces.

    Invariant: every byte fed so far belongs to a counted frame, to `stray_bytes` (no frame: damage) or waits for the
    rest of its frame.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._frames: dict[bytes, Frame | None] = {}
        self.frames = 0
        self.duration_s = 0.0
        self.stray_bytes = 0

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait for the rest of their frame; 0 after a whole file."""
        return len(self._rest)

    def feed(self, data: bytes) -> float:
        """Take the next piece and return the seconds of sound that became complete through it."""
        data, at, before = self._rest + data, 0, self.duration_s
        while at + _HEADER_BYTES <= len(data):
            frame = self._frame(data[at : at + _HEADER_BYTES])
            if frame is None:
                at, self.stray_bytes = at + 1, self.stray_bytes + 1
            elif at + frame.size_bytes > len(data):
                break
            else:
                at += frame.size_bytes
                self.frames += 1
                self.duration_s += frame.duration_s
        self._rest = data[at:]
        return self.duration_s - before

    def _frame(self, header: bytes) -> Frame | None:
        """Parse through a small cache: the frames of one answer have two or three different headers."""
        if header not in self._frames:
            if len(self._frames) > 64:
                self._frames.clear()
            self._frames[header] = parse_header(header)
        return self._frames[header]


def duration_s(data: bytes) -> float:
    """Return the play time of a whole MP3 file, in seconds; 0 when it holds no frames."""
    return Mp3Meter().feed(_without_id3(data))


def _without_id3(data: bytes) -> bytes:
    """Drop an ID3v2 tag, whose pictures may hold bytes that look like frames."""
    if data[:3] != b"ID3" or len(data) < 10:
        return data
    size = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
    return data[10 + size :]
