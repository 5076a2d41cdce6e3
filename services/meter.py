"""What the parts of a turn tell about themselves, and whom: `Metrics` in a server, nobody in a test of one part."""

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol

StageName = Literal["asr", "chat", "tts"]
TurnOutcome = Literal["ok", "interrupted", "failed"]


class Meter(Protocol):
    """Threads: any. No method blocks or raises."""

    def stage(self, name: StageName) -> AbstractContextManager[None]:
        """Count a stage as in flight meanwhile, and the vendor's error that ends it, if one does."""

    def note_turn(self, outcome: TurnOutcome, stages_ms: Mapping[str, float]) -> None: ...

    def note_queued(self, change: int) -> None:
        """Note that so many messages more (or fewer) wait for their devices."""


class Unmeasured:
    """A meter that nobody reads."""

    def stage(self, name: StageName) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def note_turn(self, outcome: TurnOutcome, stages_ms: Mapping[str, float]) -> None:
        pass

    def note_queued(self, change: int) -> None:
        pass
