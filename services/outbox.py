"""All that waits to go to one device, in order, and the one thread that sends it.

How it works.  Any thread puts events; one writer sends them. Text never waits for room: it is small, and pieces of
the answer that queue up behind a slow device are joined into one. Sound waits: at most `audio_limit_bytes` of it
queue, then `put_audio` blocks, the synthesiser's socket is read no further and the vendor slows down. Nothing is
dropped, with one exception that is the point of it: `discard` takes the sound of a cancelled turn out, and that turn
can put no more.

Threads: any may put; `_write` runs in the writer's thread, started and joined here.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocol.errors import Cancelled
from protocol.events import AudioData, ChatChunk, Event, encode
from services.flow import Deadline
from services.meter import Meter, Unmeasured
from services.playback import Playback

_log = logging.getLogger(__name__)

_MAX_WAITING = 50_000
"""Events that may wait before a device that takes nothing is given up; far above any honest backlog."""


@dataclass(frozen=True, slots=True)
class _Item:
    event: Event
    turn: int = 0
    playback: Playback | None = None
    duration_ms: float = 0.0


class Outbox:
    """The queue to one device. Invariant: events leave in the order in which they were put."""

    def __init__(
        self,
        send: Callable[[Sequence[str | bytes]], None],
        *,
        name: str,
        audio_limit_bytes: int,
        on_dead: Callable[[], None],
        meter: Meter | None = None,
    ) -> None:
        self._send, self._on_dead, self._meter = send, on_dead, meter or Unmeasured()
        self._audio_limit_bytes, self._audio_bytes = audio_limit_bytes, 0
        self._items: deque[_Item] = deque()
        self._changed = threading.Condition()
        self._discarded = self._noted = 0
        self._closed = self._sending = False
        self.binary = False
        """Whether sound goes as binary messages (the device asked for it in `start`)."""
        self._thread = threading.Thread(target=self._write, name=f"{name}-out", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Queue an event; never blocks. After the device is gone it goes nowhere."""
        with self._changed:
            if self._closed:
                return
            joined = self._join_chunks(event)
            if joined:
                self._items.pop()
            self._items.append(_Item(joined or event))
            is_flooded = len(self._items) > _MAX_WAITING
            self._has_changed()
        if is_flooded:
            self._die()

    def _join_chunks(self, event: Event) -> ChatChunk | None:
        last = self._items[-1].event if self._items else None
        if isinstance(event, ChatChunk) and isinstance(last, ChatChunk):
            return type(event)(chunk=last.chunk + event.chunk, full_response=event.full_response)
        return None

    def put_audio(self, data: bytes, *, turn: int, playback: Playback, duration_ms: float) -> None:
        """Queue sound of a turn; waits for room. Raises: Cancelled once the turn was discarded or the device is
        gone."""
        with self._changed:
            while self._audio_bytes >= self._audio_limit_bytes and self._may_speak(turn):
                self._changed.wait()  # woken by the writer, whose own send has a deadline, by discard and by close
            if not self._may_speak(turn):
                raise Cancelled
            self._audio_bytes += len(data)
            self._items.append(_Item(AudioData(data=data), turn, playback, duration_ms))
            self._has_changed()

    def _may_speak(self, turn: int) -> bool:
        return turn > self._discarded and not self._closed

    def discard(self, turn: int) -> None:
        """Take the queued sound of this and every earlier turn out, for ever."""
        with self._changed:
            self._discarded = max(self._discarded, turn)
            self._items = deque(item for item in self._items if not 0 < item.turn <= turn)
            self._audio_bytes = sum(len(item.event.data) for item in self._items if isinstance(item.event, AudioData))
            self._has_changed()

    def _has_changed(self) -> None:
        """Wake who waits for the queue, and tell the meter its length. The lock is held."""
        waiting = len(self._items)
        self._meter.note_queued(waiting - self._noted)
        self._noted = waiting
        self._changed.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was put has been sent; False when it was not in time."""
        deadline = Deadline(timeout_s)
        with self._changed:
            while (self._items or self._sending) and not self._closed:
                if not self._changed.wait(deadline.left_s()):
                    return False
            return not self._closed

    def close(self) -> None:
        """Stop the writer; what still waits is gone with the device."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._has_changed()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _write(self) -> None:
        while batch := self._take():
            try:
                self._send([self._render(item.event) for item in batch])
            except OSError as error:  # the adapter reports every way in which a device can be gone as OSError
                _log.debug("device is gone: %s", error)
                self._die()
                return
            for item in batch:
                if item.playback:
                    item.playback.sent(item.duration_ms)

    def _take(self) -> list[_Item]:
        """Return what to send next, waiting for it: all the text that waits, up to and with one piece of sound.

        One piece, because what was taken can no longer be discarded; all the text, because a wake-up costs more than
        a message. Empty when the outbox is closed.
        """
        with self._changed:
            self._sending = False
            self._has_changed()
            while not self._items and not self._closed:
                self._changed.wait()  # a queue waits for its writers; close ends it
            if self._closed:
                return []
            self._sending = True
            return self._batch()

    def _batch(self) -> list[_Item]:
        batch: list[_Item] = []
        while self._items and not (batch and isinstance(batch[-1].event, AudioData)):
            batch.append(self._items.popleft())
        if isinstance(batch[-1].event, AudioData):
            self._audio_bytes -= len(batch[-1].event.data)
        return batch

    def _render(self, event: Event) -> str | bytes:
        return event.data if self.binary and isinstance(event, AudioData) else encode(event)

    def _die(self) -> None:
        with self._changed:
            self._closed = True
            self._items.clear()
            self._has_changed()
        self._on_dead()
