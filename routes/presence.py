"""Who still waits for an answer: a client that goes away stops its call at once, also while nothing is being sent.

How it works.  A server notices a client's leaving when it writes, and a call that waits for the vendor writes nothing.
So one thread of the process asks the kernel to be told when a client closes its side of the connection. The socket is
watched from the beginning of a request to the end of its answer, and by nobody in between.

A client that closes only its sending side cannot be told from one that left (both send FIN), and counts as gone, as it
does with nginx.  Source: epoll_ctl(2), EPOLLRDHUP.

Threads: any may watch; `_listen` runs in a daemon thread that starts with the first watch, so after a worker's fork.
"""

import contextlib
import functools
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from services.flow import CancelToken

_GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Presence:
    """The sockets of all clients that wait for an answer.

    Invariant: a socket in `_waiting` is open. Its number is taken out under the lock before it can be closed, so a
    number that the kernel has given to another connection since is never mistaken for the old one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, CancelToken] = {}
        self._epoll: select.epoll | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @contextmanager
    def watching(self, sock: socket.socket, cancel: CancelToken) -> Iterator[None]:
        """Cancel the token when the peer of this socket goes away meanwhile."""
        number = sock.fileno()
        if number < 0:  # it broke before its request was read
            cancel.cancel()
            yield
            return
        self._begin(number, cancel)
        try:
            yield
        finally:
            self._end(number, cancel)

    def _begin(self, number: int, cancel: CancelToken) -> None:
        with self._lock:
            epoll = self._epoll or self._start()
            self._waiting[number] = cancel
            try:
                epoll.register(number, _GONE)
            except FileExistsError:
                epoll.modify(number, _GONE)  # a server that began a request before it ended the one before

    def _end(self, number: int, cancel: CancelToken) -> None:
        with self._lock:
            if self._waiting.get(number) is cancel:
                self._forget(number)

    def _start(self) -> select.epoll:
        self._epoll = select.epoll()
        threading.Thread(target=self._listen, args=(self._epoll,), name="presence", daemon=True).start()
        return self._epoll

    def _listen(self, epoll: select.epoll) -> None:
        while True:
            for number, _ in epoll.poll():
                if cancel := self._gone(number):
                    cancel.cancel()

    def _gone(self, number: int) -> CancelToken | None:
        """Return the token of a socket whose peer is gone indeed.

        The news may be old: its request ended and the number names another connection now. So the kernel is asked
        again while nobody can end a request.
        """
        with self._lock:
            cancel = self._waiting.get(number)
            if cancel is None or not _has_hung_up(number):
                return None
            self._forget(number)
            return cancel

    def _forget(self, number: int) -> None:
        del self._waiting[number]
        if self._epoll:
            with contextlib.suppress(OSError):  # closed by its server already: the kernel has forgotten it by itself
                self._epoll.unregister(number)


def _has_hung_up(number: int) -> bool:
    poll = select.poll()
    poll.register(number, select.POLLRDHUP)
    return bool(poll.poll(0))


@functools.cache
def of_this_process() -> Presence:
    """Return the one that all applications of this process share."""
    return Presence()


def is_websocket(environ: Mapping[str, Any]) -> bool:
    """Whether a request asks to become a WebSocket.  Source: RFC 6455 §4.1."""
    has_asked = "upgrade" in environ.get("HTTP_CONNECTION", "").lower()
    return has_asked and environ.get("HTTP_UPGRADE", "").lower() == "websocket"


def socket_of(environ: Mapping[str, Any]) -> socket.socket | None:
    """Return the client's socket where the server shows it; None for a WebSocket, which is watched by its reader."""
    if is_websocket(environ):
        return None
    sock: socket.socket | None = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    return sock
