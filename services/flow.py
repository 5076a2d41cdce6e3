"""What threads of a turn share to end in time: a stop signal and a deadline."""

import threading
import time
from collections.abc import Callable

from protocol.errors import Cancelled


class CancelToken:
    """The stop signal of one turn or request.

    Invariant: cancelled once is cancelled for ever; each `stop` runs at most once.

    Threads: any. `stop` functions run in the thread that cancels, so they only shut sockets and wake waiters.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._stops: dict[int, Callable[[], None]] = {}
        self._next_id = 0
        self.waited_s = 0.0

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        if self._event.is_set():
            raise Cancelled

    def wait(self, timeout_s: float) -> bool:
        return self._event.wait(timeout_s)

    def note_waiting(self, seconds: float) -> None:
        self.waited_s += seconds

    def on_cancel(self, stop: Callable[[], None]) -> Callable[[], None]:
        with self._lock:
            if not self._event.is_set():
                self._next_id += 1
                self._stops[self._next_id] = stop
                return self._forget(self._next_id)
        stop()
        return lambda: None

    def _forget(self, stop_id: int) -> Callable[[], None]:
        def forget() -> None:
            with self._lock:
                self._stops.pop(stop_id, None)

        return forget

    def cancel(self) -> None:
        """Stop the turn; harmless when repeated."""
        with self._lock:
            self._event.set()
            stops, self._stops = list(self._stops.values()), {}
        for stop in stops:
            stop()


class Deadline:
    """A moment in time, asked for what is left of it."""

    __slots__ = ("_at",)

    def __init__(self, timeout_s: float) -> None:
        self._at = time.monotonic() + min(timeout_s, threading.TIMEOUT_MAX / 2)

    def left_s(self) -> float:
        """Return the seconds left, 0 when it has passed."""
        return max(0.0, self._at - time.monotonic())
