"""How far a device has played: what pacing and the history of interrupted answers are reckoned from."""

import time
from bisect import bisect_right
from collections.abc import Callable

from services.ports import Cancel


class Playback:
    """The sound of one answer, as far as it has left for the device.

    A device starts to play with the first sound and never plays faster than real time, so what was *heard* is the
    smaller of what was sent and the time since then. Units: ms of sound.  Threads: the speaking thread marks and
    waits, the outbox's writer reports, the handler asks; each field has one writer.
    """

    def __init__(
        self,
        *,
        max_lead_s: float,
        clock: Callable[[], float] = time.monotonic,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        self._max_lead_ms = max_lead_s * 1000
        self._clock, self._on_start = clock, on_start
        self._started_at: float | None = None
        self._queued_ms = self._sent_ms = 0.0
        self._ends_ms: list[float] = []
        self._stopped_ms: float | None = None

    def sent(self, duration_ms: float) -> None:
        """Note sound that is on its way to the device."""
        if self._started_at is None:
            self._started_at = self._clock()
            self._on_start()
        self._sent_ms += duration_ms

    def queue(self, duration_ms: float) -> None:
        """Note sound that was handed over for sending."""
        self._queued_ms += duration_ms

    def mark_spoken(self, segments: int, *, at_ms: float) -> None:
        """Note that the first `segments` segments end `at_ms` into the answer's sound."""
        self._ends_ms += [at_ms] * (segments - len(self._ends_ms))

    def freeze(self, *, reported_ms: float | None) -> None:
        """Playing has been stopped: what was heard by now is all. A device that counted knows better than we do."""
        if self._stopped_ms is None:
            self._stopped_ms = self._played_ms() if reported_ms is None else reported_ms

    def heard_ms(self) -> float:
        """Return how much of the answer the person can have heard by now."""
        played_ms = self._played_ms() if self._stopped_ms is None else self._stopped_ms
        return min(self._sent_ms, played_ms)

    def heard_segments(self) -> int:
        """Return how many segments were heard to their end."""
        return bisect_right(self._ends_ms, self.heard_ms())

    def wait_for_lead(self, cancel: Cancel) -> None:
        """Sleep until the sound handed over is at most the allowed lead ahead of playing."""
        if not self._max_lead_ms:
            return
        while (ahead_ms := self._queued_ms - self._played_ms()) > self._max_lead_ms:
            if cancel.wait(min((ahead_ms - self._max_lead_ms) / 1000, 0.5)):
                cancel.raise_if_cancelled()

    def _played_ms(self) -> float:
        return 0.0 if self._started_at is None else (self._clock() - self._started_at) * 1000
