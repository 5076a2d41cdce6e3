"""The open connections of this process: how many may be, and how they all end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from protocol.errors import TooManySessions
from services.session import Session


class Sessions:
    """The admission limit. Open sockets occupy the server's threads, so there must be fewer of them than threads.

    Threads: any.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: set[Session] = set()
        self._admitted = 0
        self._is_draining = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._admitted

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place. Raises: TooManySessions."""
        with self._lock:
            if self._admitted >= self._limit or self._is_draining:
                raise TooManySessions(f"连接数已达上限 {self._limit}，请稍后重试。")
            self._admitted += 1
        try:
            yield
        finally:
            with self._lock:
                self._admitted -= 1

    @contextmanager
    def running(self, session: Session) -> Iterator[None]:
        """Know a session while it runs, so that it can be asked to end."""
        with self._lock:
            self._open.add(session)
            if self._is_draining:
                session.drain()
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(session)

    def drain(self) -> None:
        """Ask every session to end and admit no more. Safe in a signal handler's thread of its own, not in the
        handler."""
        with self._lock:
            self._is_draining = True
            for session in self._open:
                session.drain()
