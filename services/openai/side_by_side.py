"""Several pieces of one work done at once, told in their order: recordings heard, texts translated.

How it works.  A single recording is heard by the caller's own thread. Of several, each is heard by a thread that keeps
what it hears until its turn comes. At most `_AT_ONCE` are under way, so a recording of hours holds a few pieces in
memory.

Threads: one caller; helpers are started and joined here.  Invariant: when the iteration ends, however it ends, every
helper has ended: one stop signal, behind the caller's, belongs to them all.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

from protocol.texts import join_texts
from services.flow import CancelToken
from services.ports import Heard, Recording

_AT_ONCE = 4
Work = TypeVar("Work")
Result = TypeVar("Result")
Do = Callable[[Work, CancelToken], Iterator[Result]]
Hear = Callable[[Recording, CancelToken], Iterator[Heard]]


def side_by_side(recordings: Iterator[Recording], hear: Hear, *, cancel: CancelToken) -> Iterator[Heard]:
    """Yield what is heard in all recordings, as one text. Raises: what `hear` raises."""
    first = next(recordings, None)
    if first is None:
        return
    second = next(recordings, None)
    if second is None:
        yield from hear(first, cancel)
        return
    told = at_once(_chained(first, second, recordings), hear, cancel=cancel)
    try:
        yield from _joined(told)
    finally:
        told.close()  # now, and not when the last frame of a failure has been forgotten


def _chained(first: Recording, second: Recording, rest: Iterator[Recording]) -> Iterator[Recording]:
    yield first
    yield second
    yield from rest


def at_once(works: Iterator[Work], do: Do[Work, Result], *, cancel: CancelToken) -> Generator[Iterator[Result]]:
    """Yield, for each work in its order, what comes of it. Close it when it is not taken to its end."""
    stop = CancelToken()
    forget = cancel.on_cancel(stop.cancel)
    helpers: deque[_Helper[Result]] = deque()
    try:
        for work in works:
            helpers.append(_Helper(work, do, stop, name=f"{threading.current_thread().name}-piece"))
            if len(helpers) == _AT_ONCE:
                yield helpers[0].results(cancel)
                helpers.popleft()
        while helpers:
            yield helpers[0].results(cancel)
            helpers.popleft()
    finally:
        forget()
        stop.cancel()
        for helper in helpers:
            helper.join()


def _joined(told: Iterator[Iterator[Heard]]) -> Iterator[Heard]:
    """Yield the pieces with a space where two recordings meet, when the language has spaces; sum up what they cost."""
    last, tokens = "", None
    for pieces in told:
        is_first, spent = True, None
        for piece in pieces:
            text = piece.text.lstrip() if is_first else piece.text
            seam = " " if is_first and last and " " in join_texts([last, text[:1]]) else ""
            spent = piece.tokens or spent
            total = tokens + spent if tokens and spent else spent or tokens
            yield Heard(text=seam + text, language=piece.language, tokens=total, request_id=piece.request_id)
            last, is_first = (text[-1:] or last), is_first and not text
        tokens = tokens + spent if tokens and spent else spent or tokens


class _Helper(Generic[Result]):
    """One work being done. Threads: its own, which does it, and the caller's, which takes what comes of it."""

    def __init__(self, work: Work, do: Do[Work, Result], stop: CancelToken, *, name: str) -> None:
        self._done: deque[Result] = deque()
        self._failure: BaseException | None = None
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(work, do, stop), name=name, daemon=True)
        self._thread.start()

    def results(self, cancel: CancelToken) -> Iterator[Result]:
        """Yield what comes, waiting for it, which `cancel` notes. Raises: what the work raised."""
        while True:
            began_s = time.monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._done or self._is_over)
                cancel.note_waiting(time.monotonic() - began_s)
                if not self._done:
                    break
                result = self._done.popleft()
            yield result
        self._thread.join()
        if self._failure:
            raise self._failure

    def join(self) -> None:
        self._thread.join()

    def _run(self, work: Work, do: Do[Work, Result], stop: CancelToken) -> None:
        try:
            for result in do(work, stop):
                self._note(result)
        except BaseException as error:  # the outermost frame of a thread: raised where it is taken
            self._failure = error
        finally:
            self._note(None)

    def _note(self, result: Result | None) -> None:
        with self._changed:
            if result is None:
                self._is_over = True
            else:
                self._done.append(result)
            self._changed.notify_all()
