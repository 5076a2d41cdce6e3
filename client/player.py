"""A device's loudspeaker, simulated: when would its listener have heard a gap?"""

from dataclasses import dataclass
from typing import Final

GAP_S: Final = 0.005
"""A shorter pause between two pieces of sound is not heard as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """What a listener heard. `overflow_ms`: how far the sound outran the device's buffer (0: it always fitted)."""

    gaps: int = 0
    gap_ms: float = 0.0
    longest_gap_ms: float = 0.0
    peak_lead_ms: float = 0.0
    overflow_ms: float = 0.0


class Player:
    """Plays from the first piece of sound on, without waiting.

    A gap is a pause longer than `GAP_S` before a piece because the sound before it had run out. `buffer_s` is what the
    device can store: sound that is further ahead of playing than that counts as overflow (it is not dropped).
    Invariant: `_ends_at_s` is when the sound received so far has been played.
    """

    def __init__(self, buffer_s: float = 2.0) -> None:
        self._buffer_s = buffer_s
        self._ends_at_s: float | None = None
        self._gaps_s: list[float] = []
        self._peak_lead_s = 0.0

    def add(self, duration_s: float, *, at_s: float) -> None:
        """Take a piece of sound that arrived at `at_s` (monotonic seconds)."""
        ends_at_s = at_s if self._ends_at_s is None else self._ends_at_s
        if at_s - ends_at_s > GAP_S:
            self._gaps_s.append(at_s - ends_at_s)
        self._ends_at_s = max(ends_at_s, at_s) + duration_s
        self._peak_lead_s = max(self._peak_lead_s, self._ends_at_s - at_s)

    def playback(self) -> Playback:
        return Playback(
            gaps=len(self._gaps_s),
            gap_ms=1000 * sum(self._gaps_s),
            longest_gap_ms=1000 * max(self._gaps_s, default=0.0),
            peak_lead_ms=1000 * self._peak_lead_s,
            overflow_ms=1000 * max(0.0, self._peak_lead_s - self._buffer_s),
        )
