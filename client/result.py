"""What came of a turn, as records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from client.player import Playback

Body = Mapping[str, Any]
"""The fields of one event."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event of the server: when it came (monotonic seconds), its name, its fields, its size on the wire.

    Sound is not repeated here: `audio_stream` keeps its `event` field, and `data` is how many bytes it held.
    """

    at_s: float
    name: str
    body: Body
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerError:
    """One `error` event. `type` and `image`: of which upload packets are `missing`."""

    message: str
    code: str = ""
    missing: tuple[int, ...] = ()
    type: str = ""
    image: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """One turn as the device saw it. Invariant: `is_ok` exactly when `failure` is empty.

    Times are milliseconds since the last packet was sent (None: it never happened). `sound` is empty for a device that
    was told not to keep it; its size, hash and play time are there all the same.
    """

    transcript: str
    answer: str
    sound: bytes
    sound_bytes: int
    sound_sha256: str
    sound_ms: float
    stray_bytes: int
    first_text_ms: float | None
    first_audio_ms: float | None
    end_ms: float | None
    upload_ms: float
    playback: Playback
    packets: int
    resent: int
    acked: int
    completed: bool
    interrupted: bool
    stages: Mapping[str, float] = field(default_factory=dict)
    errors: tuple[ServerError, ...] = ()
    violations: tuple[str, ...] = ()
    events: tuple[Arrival, ...] = ()
    failure: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.failure
