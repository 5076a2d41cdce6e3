"""The three things that threads of a turn may share: a stop signal, a bounded channel, a deadline."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from protocol.errors import Cancelled

T = TypeVar("T")


class CancelToken:
    """The stop signal of one turn. Invariant: cancelled once is cancelled for ever; each `stop` runs at most once.

    Threads: any. `stop` functions run in the thread that cancels, so they only shut sockets and wake waiters.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._stops: dict[int, Callable[[], None]] = {}
        self._next_id = 0

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        if self._event.is_set():
            raise Cancelled

    def wait(self, timeout_s: float) -> bool:
        return self._event.wait(timeout_s)

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


class Closed(Exception):
    """The channel takes nothing more: its reader is gone or its writer has finished."""


class Channel(Generic[T]):
    """A bounded queue between one writer and one reader that ends.

    Invariant: at most `limit` items wait; `put` blocks when full (back-pressure, never loss); after `close` the reader
    gets what is left and then stops; after `abort` both sides stop at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = self._aborted = False

    def put(self, item: T) -> None:
        """Raises: Closed."""
        with self._changed:
            while len(self._items) >= self._limit and not self._closed:
                self._changed.wait()  # woken by the reader, by close or by abort (a cancelled turn aborts)
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abort(self) -> None:
        with self._changed:
            self._closed = self._aborted = True
            self._items.clear()
            self._changed.notify_all()

    def get(self, timeout_s: float) -> T:
        """Return the next item. Raises: Closed after the last one, TimeoutError when none came in time."""
        deadline = Deadline(timeout_s)
        with self._changed:
            while not self._items:
                if self._closed:
                    raise Closed
                if not self._changed.wait(deadline.left_s()):
                    raise TimeoutError
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def __iter__(self) -> Iterator[T]:
        """Yield until the channel closes; the writer's own deadlines bound the wait."""
        while True:
            try:
                yield self.get(timeout_s=threading.TIMEOUT_MAX)
            except Closed:
                return


class Deadline:
    """A moment in time, asked for what is left of it."""

    __slots__ = ("_at",)

    def __init__(self, timeout_s: float) -> None:
        self._at = time.monotonic() + min(timeout_s, threading.TIMEOUT_MAX / 2)

    def left_s(self) -> float:
        """Return the seconds left, 0 when it has passed."""
        return max(0.0, self._at - time.monotonic())

    @property
    def has_passed(self) -> bool:
        return time.monotonic() >= self._at
