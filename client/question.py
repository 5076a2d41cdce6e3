"""Pictures and a question about them, cut into messages.  Source: docs/protocol.md §11"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final

import msgspec

from client.upload import Message, Upload, seconds_of

_END: Final = '{"type":"end"}'
Place = tuple[str, int, int]
"""Where a packet belongs: kind of upload, number of the picture (1 for sound), seq."""


def ask(
    pictures: Sequence[bytes] = (),
    *,
    recording: bytes = b"",
    text: str = "",
    packet_bytes: int = 3000,
    interval_ms: float | None = None,
    live: bool = False,
) -> Upload:
    """Cut pictures, and a recording or a typed question, into packets of `packet_bytes` that go up mixed.

    Live sound has no total, and the upload takes as long as the sound; else one packet every `interval_ms`, or at once.
    """
    uploads = [_cut("image", number, data, packet_bytes=packet_bytes) for number, data in enumerate(pictures, start=1)]
    sound = _cut("audio", 1, recording, packet_bytes=packet_bytes, has_total=not live) if recording else []
    places = dict(_mixed([sound, *uploads]))
    if interval_ms is None:
        interval_ms = 1000 * seconds_of(recording) / max(1, len(places)) if live else 0.0
    return Upload(
        packets=tuple(places.values()),
        end=_json({"type": "end", "total": len(sound)}) if live and sound else _END,
        interval_s=interval_ms / 1000,
        size_bytes=len(recording) + sum(map(len, pictures)),
        typed=_json({"type": "text", "text": text}) if text else "",
        places=tuple(places),
    )


def _cut(
    kind: str, number: int, data: bytes, *, packet_bytes: int, has_total: bool = True
) -> list[tuple[Place, Message]]:
    pieces = [data[at : at + packet_bytes] for at in range(0, len(data), packet_bytes)]
    shared = {"type": kind} | ({"total": len(pieces)} if has_total else {}) | ({"image": number} if number > 1 else {})
    packets = (
        {"seq": seq, **shared, "data": base64.b64encode(piece).decode()} for seq, piece in enumerate(pieces, start=1)
    )
    return [((kind, number, seq), _json(packet)) for seq, packet in enumerate(packets, start=1)]


def _mixed(uploads: Sequence[Sequence[tuple[Place, Message]]]) -> Iterator[tuple[Place, Message]]:
    """Give one packet of each upload in turn."""
    for row in zip_longest(*uploads):
        yield from (packet for packet in row if packet is not None)


def _json(message: Mapping[str, object]) -> str:
    return msgspec.json.encode(message).decode()
