"""Realtime recognition (in the making)."""

from __future__ import annotations

from emulator.calls import Call
from emulator.wire import Wire


class RecognitionSession:
    def __init__(self, model: str, wire: Wire, call: Call) -> None:
        self._wire = wire

    def run(self) -> None:
        raise NotImplementedError
