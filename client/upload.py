"""A recording cut into messages, and the link that delays or loses them.  Source: docs/protocol.md §3"""

import base64
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from client import mp3

Message = str | bytes
"""One WebSocket message: text or binary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What stands between a device and its server.

    `loss`: the share of packets that are lost the first time (never twice, and never the first of a recording or a
    picture: nobody would know of it). `delay_ms`: the
    mean delay of a packet on its way up; single ones take 0 to 2 times as long, so their order changes. The connection
    takes at most `read_bytes_per_s` down (0: no limit).
    """

    loss: float = 0.0
    delay_ms: float = 0.0
    read_bytes_per_s: int = 0


PERFECT: Final = Link()
PROFILES: Final = {
    "perfect": PERFECT,
    "home": Link(loss=0.005, delay_ms=5),
    "busy": Link(loss=0.03, delay_ms=40, read_bytes_per_s=64_000),
    "edge": Link(loss=0.10, delay_ms=120, read_bytes_per_s=20_000),
}
"""Wi-Fi as a device meets it: the same room; a crowded office; the far end of the garden (1.5 × real time)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The messages of one utterance. Invariant: `packets[n]` has seq n + 1; `end` is empty when packets carry a total.

    Binary packets carry no seq, so they can be neither lost nor sent again. A question for the picture socket
    (`is_question`) names its packets by kind, picture and seq in `places`, one for each, and always has an `end`;
    `typed` is its question when that is written, sent before all else.
    """

    packets: tuple[Message, ...]
    end: str
    interval_s: float
    size_bytes: int
    typed: str = ""
    places: tuple[tuple[str, int, int], ...] | None = None

    @property
    def is_question(self) -> bool:
        return self.places is not None

    def is_first(self, index: int) -> bool:
        """Return whether a packet begins the recording, or one of the pictures."""
        return (self.places[index][2] == 1) if self.places else index == 0

    def named(self, kind: str, image: int, missing: Sequence[int]) -> list[Message]:
        """Return the packets that the server says are missing; numbers that were never sent name none."""
        places = self.places or tuple((kind, image, seq) for seq in range(1, len(self.packets) + 1))
        packets = dict(zip(places, self.packets, strict=True))
        return [packets[kind, image, seq] for seq in missing if (kind, image, seq) in packets]


def cut(
    data: bytes,
    *,
    packet_bytes: int = 3000,
    interval_ms: float | None = None,
    live: bool = False,
    binary: bool = False,
) -> Upload:
    """Cut a recording into packets of `packet_bytes` decoded bytes, one every `interval_ms`.

    Without `interval_ms` a live upload takes as long as its sound lasts, and any other goes as fast as it can.
    """
    pieces = [data[at : at + packet_bytes] for at in range(0, len(data), packet_bytes)]
    if interval_ms is None:
        interval_ms = 1000 * seconds_of(data) / max(1, len(pieces)) if live or binary else 0.0
    total = None if live or binary else len(pieces)
    packets = pieces if binary else [_packet(seq, total, piece) for seq, piece in enumerate(pieces, start=1)]
    end = _json({"type": "end"} if binary else {"type": "end", "total": len(pieces)}) if total is None else ""
    return Upload(packets=tuple(packets), end=end, interval_s=interval_ms / 1000, size_bytes=len(data))


def _packet(seq: int, total: int | None, piece: bytes) -> str:
    where = {"seq": seq} if total is None else {"seq": seq, "total": total}
    return _json(where | {"data": base64.b64encode(piece).decode()})


def _json(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()


def seconds_of(data: bytes) -> float:
    """Return the play time of a WAV or MP3 file; 0 for any other."""
    if data[:4] != b"RIFF":
        return mp3.duration_s(data)
    try:
        with wave.open(io.BytesIO(data)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError):
        return 0.0
