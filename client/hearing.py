"""What the server's events tell a device about its turn.  Source: docs/protocol.md §5, §11"""

import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from client.mp3 import Mp3Meter
from client.player import Player
from client.result import Arrival, Body, ServerError

_RANKS: Final = {
    "packet_ack": 0,
    "transcription_started": 1,
    "chat_started": 2,
    "chat_chunk": 3,
    "tts_started": 3,
    "audio_stream": 3,
    "audio_stream.finished": 4,
    "chat_tts_complete": 5,
    "timings": 5,
    "audio_complete": 6,
}
"""The order table: within a turn the rank of the events never falls (acks of repeated packets may come at any time)."""

PLAIN_NAMES: Final = {
    "vlm_chat_started": "chat_started",
    "vlm_chat_chunk": "chat_chunk",
    "vlm_chat_tts_complete": "chat_tts_complete",
    "vlm_complete": "audio_complete",
}
"""The names of the picture socket, and what the same events are called elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """What sound comes down: MP3, or s16le mono PCM at `rate_hz`."""

    name: str = "mp3"
    rate_hz: int = 24000


class Sound:
    """The sound of an answer: measured, hashed, played, and kept when wished.

    Invariant: `stray_bytes` counts what belongs to no whole MP3 frame; an undamaged answer has none.
    """

    def __init__(self, codec: Codec, *, buffer_s: float, keeps: bool) -> None:
        self._codec = codec
        self._keeps = keeps
        self._meter = Mp3Meter()
        self._hash = hashlib.sha256()
        self.player = Player(buffer_s)
        self.kept = bytearray()
        self.size_bytes = 0
        self.duration_s = 0.0

    def add(self, data: bytes, *, at_s: float) -> None:
        self.size_bytes += len(data)
        self._hash.update(data)
        if self._keeps:
            self.kept += data
        duration_s = self._duration_s(data)
        self.duration_s += duration_s
        self.player.add(duration_s, at_s=at_s)

    def _duration_s(self, data: bytes) -> float:
        return self._meter.feed(data) if self._codec.name == "mp3" else len(data) / 2 / self._codec.rate_hz

    @property
    def stray_bytes(self) -> int:
        return self._meter.stray_bytes + self._meter.pending_bytes

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class Hearing:
    """The turn as its events describe it. Invariant: `end` is None until the terminal event came.

    `was_understood`, `was_spoken`: whether the question came through, and whether the answer has sound.
    """

    def __init__(self, sound: Sound, *, has_pictures: bool = False) -> None:
        self.sound = sound
        self.was_understood = self.was_spoken = False
        self.transcript = self.answer = ""
        self.acked: set[tuple[str, int, int]] = set()
        self.first_text_at_s: float | None = None
        self.first_audio_at_s: float | None = None
        self.end_at_s: float | None = None
        self.end: Body | None = None
        self.interrupted = False
        self.stages: dict[str, float] = {}
        self.errors: list[ServerError] = []
        self.violations: list[str] = []
        self._rank = 0
        self._sounds = 0
        self._foreign_names = PLAIN_NAMES.values() if has_pictures else PLAIN_NAMES.keys()

    @property
    def has_begun(self) -> bool:
        """Whether the server has taken the recording as complete."""
        return self._rank > 0

    def hear(self, name: str, body: Body, *, size: int, now_s: float) -> Arrival:
        """Take one event and return it as it is kept."""
        plain_name = self._checked(name, body)
        match plain_name:
            case "packet_ack":
                self.acked.add((body.get("type", ""), body.get("image", 1), body["seq"]))
            case "chat_started":
                self.transcript = body.get("user_message", "")
            case "chat_chunk":
                self._on_chunk(body, now_s)
            case "audio_stream" if body["event"] == "data":
                return self.hear_sound(binascii.a2b_base64(body["data"]), size=size, now_s=now_s)
            case "timings":
                self.stages = dict(body["stages"])
            case "chat_tts_complete":
                self._on_told(body)
            case "audio_complete":
                self._on_end(body, now_s)
            case "error":
                self.errors.append(_error(body))
        return Arrival(now_s, name, body, size)

    def hear_sound(self, data: bytes, *, size: int, now_s: float) -> Arrival:
        """Take a piece of sound (it may have come as a binary frame)."""
        self.first_audio_at_s = self.first_audio_at_s or now_s
        self.sound.add(data, at_s=now_s)
        self._sounds += 1
        return Arrival(now_s, "audio_stream", {"event": "data", "data": len(data)}, size)

    def _checked(self, name: str, body: Body) -> str:
        """Return what an event is called on the audio socket, once its name and its place are checked."""
        if name in self._foreign_names:
            self.violations.append(f"{name} belongs to another socket")
        plain_name = PLAIN_NAMES.get(name, name)
        self._check_order(f"{plain_name}.finished" if body.get("event") == "finished" else plain_name, told=name)
        return plain_name

    def _check_order(self, name: str, *, told: str) -> None:
        rank = _RANKS.get(name, self._rank)
        if rank < self._rank and name != "packet_ack":
            self.violations.append(f"{told} came too late")
        self._rank = max(rank, self._rank)

    def _on_chunk(self, body: Body, now_s: float) -> None:
        self.first_text_at_s = self.first_text_at_s or now_s
        self.answer += body["chunk"]
        if body.get("full_response", self.answer) != self.answer:
            self.violations.append("full_response is not the sum of the chunks")

    def _on_told(self, body: Body) -> None:
        self.interrupted = body.get("interrupted", False)
        self.was_spoken = body.get("tts_success", body.get("audio_chunks", 0) > 0)
        if not self.interrupted and body.get("audio_chunks", self._sounds) != self._sounds:
            self.violations.append(f"audio_chunks is {body['audio_chunks']} after {self._sounds} audio_stream data")

    def _on_end(self, body: Body, now_s: float) -> None:
        self.end, self.end_at_s = body, now_s
        self.was_understood = body.get("transcription_success", bool(body.get("transcription")))
        self.was_spoken = body.get("tts_success", self.was_spoken)
        if not self.interrupted and body.get("vlm_response", self.answer) != self.answer:
            self.violations.append("vlm_response is not the sum of the chunks")


def _error(body: Body) -> ServerError:
    return ServerError(
        message=body["message"],
        code=body.get("code", ""),
        missing=tuple(body.get("missing", ())),
        type=body.get("type", ""),
        image=body.get("image", 1),
    )
