"""How long turns wait for the history to be read, over all connections."""

import time
from typing import Final

_PATIENCE_S: Final = 0.3
"""Counted from the beginning of reading, which begins with the utterance: mostly over before the words are known."""


class Patience:
    """A history that has kept one turn waiting in vain keeps no other: none waits until it has answered in time again.

    Threads: any. A race costs one wait at most, so there is no lock.
    """

    def __init__(self) -> None:
        self._is_lost = False

    def left_s(self, began_s: float) -> float:
        """Return how long to wait, in seconds, for a reading that began then (monotonic)."""
        return 0.0 if self._is_lost else max(0.0, began_s + _PATIENCE_S - time.monotonic())

    def lose(self) -> None:
        """Note that a turn waited in vain."""
        self._is_lost = True

    def regain(self, began_s: float) -> None:
        """Note that a reading that began then has ended well; one that took too long proves nothing."""
        if time.monotonic() <= began_s + _PATIENCE_S:
            self._is_lost = False
