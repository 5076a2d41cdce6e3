"""When each stage of a turn was reached."""

import time
from collections.abc import Callable
from typing import Literal

Stage = Literal["upload", "asr", "first_token", "first_sentence", "tts_connect", "first_pcm", "first_sent", "end"]
"""upload: the recording is stored; asr: the transcript is there; …; first_sent: the first sound left; end: all is
done."""


class Stages:
    """The stages of one turn in ms since its last packet. Invariant: a stage is noted once, the first time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._reached: dict[str, float] = {}

    def mark(self, stage: Stage) -> None:
        """Threads: any; each stage belongs to one."""
        self._reached.setdefault(stage, round((self._clock() - self._began) * 1000, 1))

    def in_ms(self) -> dict[str, float]:
        """Return the stages reached so far, earliest first."""
        return dict(sorted(self._reached.items(), key=lambda item: item[1]))
