"""Several recordings heard at once, told in their order.

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

from protocol.texts import join_texts
from services.flow import CancelToken
from services.ports import Heard, Recording

_AT_ONCE = 4
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
    told = _told(_chained(first, second, recordings), hear, cancel)
    try:
        yield from _joined(told)
    finally:
        told.close()  # now, and not when the last frame of a failure has been forgotten


def _chained(first: Recording, second: Recording, rest: Iterator[Recording]) -> Iterator[Recording]:
    yield first
    yield second
    yield from rest


def _told(recordings: Iterator[Recording], hear: Hear, cancel: CancelToken) -> Generator[Iterator[Heard]]:
    """Yield, for each recording, the pieces heard in it."""
    stop = CancelToken()
    forget = cancel.on_cancel(stop.cancel)
    helpers: deque[_Helper] = deque()
    try:
        for recording in recordings:
            helpers.append(_Helper(recording, hear, stop, name=f"{threading.current_thread().name}-piece"))
            if len(helpers) == _AT_ONCE:
                yield helpers[0].pieces(cancel)
                helpers.popleft()
        while helpers:
            yield helpers[0].pieces(cancel)
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


class _Helper:
    """One recording being heard. Threads: its own, which hears, and the caller's, which takes."""

    def __init__(self, recording: Recording, hear: Hear, stop: CancelToken, *, name: str) -> None:
        self._heard: deque[Heard] = deque()
        self._failure: BaseException | None = None
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(recording, hear, stop), name=name, daemon=True)
        self._thread.start()

    def pieces(self, cancel: CancelToken) -> Iterator[Heard]:
        """Yield what is heard, waiting for it, which `cancel` notes. Raises: what hearing raised."""
        while True:
            began_s = time.monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._heard or self._is_over)
                cancel.note_waiting(time.monotonic() - began_s)
                if not self._heard:
                    break
                piece = self._heard.popleft()
            yield piece
        self._thread.join()
        if self._failure:
            raise self._failure

    def join(self) -> None:
        self._thread.join()

    def _run(self, recording: Recording, hear: Hear, stop: CancelToken) -> None:
        try:
            for piece in hear(recording, stop):
                self._note(piece)
        except BaseException as error:  # the outermost frame of a thread: raised where it is taken
            self._failure = error
        finally:
            self._note(None)

    def _note(self, piece: Heard | None) -> None:
        with self._changed:
            if piece is None:
                self._is_over = True
            else:
                self._heard.append(piece)
            self._changed.notify_all()
