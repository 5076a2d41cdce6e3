"""Many devices at once: the load generator of the benchmarks.

    fleet.run(60, "ws://127.0.0.1:5000/v1/chat/audio", data=recording)

All devices connect first; then device k begins to speak `k * stagger_ms` after the first. One thread drives them all.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from client import poll
from client.device import Device, DeviceError
from client.line import Line
from client.result import TurnResult
from client.turn import LOAD, Options, Turn
from client.upload import Upload, cut

_CONNECT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How a figure is spread over the turns that have it, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetResult:
    """What a fleet saw. `cpu_s` is what this process spent, so a benchmark can tell the load from the loader."""

    devices: int
    turns: tuple[TurnResult, ...]
    first_text: Spread
    first_audio: Spread
    end: Spread
    gaps: int
    gap_ms: float
    sound_s: float
    wall_s: float
    cpu_s: float
    failures: Mapping[str, int]

    @property
    def is_ok(self) -> bool:
        return not self.failures


def run(
    devices: int,
    url: str,
    *,
    data: bytes,
    key: str = "",
    start: Mapping[str, Any] | None = None,
    options: Options = LOAD,
    stagger_ms: float = 0.0,
    repeat: int = 1,
    timeout_s: float = 3600.0,
    **how: Any,
) -> FleetResult:
    """Let many devices say the same recording, `repeat` times each. `how`: the arguments of `upload.cut`.

    Neither sound nor events are kept unless `options` says so.  Raises: DeviceError when a device cannot connect.
    """
    upload = cut(data, **{"binary": bool((start or {}).get("binary")) and bool(how.get("live"))} | how)
    crew = [Device(url, key=key, start=start, options=options, seed=1000 * n) for n in range(devices)]
    try:
        _connect(crew)
        return _talk(crew, upload, stagger_s=stagger_ms / 1000, repeat=repeat, timeout_s=timeout_s)
    finally:
        for device in crew:
            device.close()


def _connect(crew: Sequence[Device]) -> None:
    for device in crew:
        device.connect()
    if not poll.drive(crew, until=lambda: all(device.is_ready for device in crew), timeout_s=_CONNECT_S):
        unready = [device for device in crew if not device.is_ready]
        reason = unready[0].failure or f"no greeting within {_CONNECT_S:g} s"
        raise DeviceError(f"{len(unready)} of {len(crew)} devices could not connect: {reason}")


def _talk(crew: Sequence[Device], upload: Upload, *, stagger_s: float, repeat: int, timeout_s: float) -> FleetResult:
    wall_s, cpu_s = time.monotonic(), time.process_time()
    members = [_Member(device, upload, at_s=wall_s + n * stagger_s, repeat=repeat) for n, device in enumerate(crew)]
    poll.drive(members, until=lambda: all(member.is_done for member in members), timeout_s=timeout_s)
    for member in members:
        member.give_up(f"The turn was not over after {timeout_s:g} s.")
    return _summarise(
        [result for member in members for result in member.results],
        devices=len(crew),
        wall_s=time.monotonic() - wall_s,
        cpu_s=time.process_time() - cpu_s,
    )


class _Member:
    """A device of the fleet that holds one turn after the other. Invariant: over after `repeat` or a broken one."""

    def __init__(self, device: Device, upload: Upload, *, at_s: float, repeat: int) -> None:
        self._device = device
        self._upload = upload
        self._left = repeat
        self._turn: Turn = device.say(upload, at_s=at_s)
        self.results: list[TurnResult] = []

    @property
    def is_done(self) -> bool:
        return self._left == 0

    @property
    def line(self) -> Line | None:
        return self._device.line

    @property
    def next_at_s(self) -> float:
        return self._device.next_at_s

    def step(self, now_s: float) -> None:
        self._device.step(now_s)
        if self._turn.is_over and not self.is_done:
            self._finish(now_s)

    def _finish(self, now_s: float) -> None:
        self.results.append(self._turn.result())
        self._left = self._left - 1 if self.results[-1].completed else 0
        if not self.is_done:
            self._turn = self._device.say(self._upload, at_s=now_s)

    def give_up(self, sentence: str) -> None:
        if not self.is_done:
            self._turn.fail(sentence)
            self._left = 0
            self.results.append(self._turn.result())


def _summarise(turns: Sequence[TurnResult], *, devices: int, wall_s: float, cpu_s: float) -> FleetResult:
    return FleetResult(
        devices=devices,
        turns=tuple(turns),
        first_text=spread(turn.first_text_ms for turn in turns),
        first_audio=spread(turn.first_audio_ms for turn in turns),
        end=spread(turn.end_ms for turn in turns),
        gaps=sum(turn.playback.gaps for turn in turns),
        gap_ms=sum(turn.playback.gap_ms for turn in turns),
        sound_s=sum(turn.sound_ms for turn in turns) / 1000,
        wall_s=wall_s,
        cpu_s=cpu_s,
        failures=Counter(turn.failure for turn in turns if turn.failure),
    )


def spread(values: Iterable[float | None]) -> Spread:
    """Return the percentiles (nearest rank) of the values that are there; all NaN when none is."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return Spread(0, math.nan, math.nan, math.nan, math.nan)
    p50, p95, p99 = (known[math.ceil(len(known) * share) - 1] for share in (0.50, 0.95, 0.99))
    return Spread(len(known), p50, p95, p99, known[-1])
