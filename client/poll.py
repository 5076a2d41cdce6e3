"""One thread that drives any number of devices: 120 talkers would need 120 stacks and wait for each other's locks."""

import selectors
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol, Self

from client.line import Line


class Talker(Protocol):
    """What can be driven: `client.device.Device`."""

    @property
    def line(self) -> Line | None: ...

    @property
    def next_at_s(self) -> float: ...

    def step(self, now_s: float) -> None: ...


def drive(talkers: Iterable[Talker], *, until: Callable[[], bool], timeout_s: float) -> bool:
    """Let the talkers talk and listen until something is so; return whether it came to that.

    Ends early when time is up or every connection is gone.
    """
    with _Poll() as poll:
        for talker in talkers:
            poll.add(talker)
        give_up_at_s = time.monotonic() + timeout_s
        while not until():
            if not poll.has_talkers or time.monotonic() >= give_up_at_s:
                return until()
            poll.once(give_up_at_s)
        return True


class _Poll:
    """The selector and the next moment at which a talker wants attention without news from its socket.

    Only when that moment comes are all talkers asked for theirs: sound costs the same among 1 or 100 talkers.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lines: dict[int, tuple[Talker, Line]] = {}
        self._events: defaultdict[int, int] = defaultdict(int)
        self._due_at_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._selector.close()

    @property
    def has_talkers(self) -> bool:
        return bool(self._lines)

    def add(self, talker: Talker) -> None:
        if talker.line is not None:
            number = talker.line.fileno()
            self._lines[number] = (talker, talker.line)
            self._listen(number, selectors.EVENT_READ)

    def once(self, give_up_at_s: float) -> None:
        """Wait for news or the next due moment, and give each talker concerned its turn."""
        wait_s = min(self._due_at_s, give_up_at_s) - time.monotonic()
        for key, _ in self._selector.select(max(0.0, wait_s)):
            self._step(key.fd)
        if time.monotonic() >= self._due_at_s:
            self._step_all()

    def _step_all(self) -> None:
        now_s = time.monotonic()
        self._due_at_s = float("inf")
        for number, (talker, _) in list(self._lines.items()):
            if talker.next_at_s <= now_s:
                self._step(number)
            elif talker.next_at_s < self._due_at_s:
                self._due_at_s = talker.next_at_s

    def _step(self, number: int) -> None:
        talker, line = self._lines[number]
        talker.step(time.monotonic())
        if talker.line is line:
            self._due_at_s = min(self._due_at_s, talker.next_at_s)
            self._watch(number, line)
        else:  # it hung up
            del self._lines[number]
            self._listen(number, 0)

    def _watch(self, number: int, line: Line) -> None:
        """Wait for what the line can use: news unless it may not read yet, room when something is unsent."""
        can_read = line.paused_until_s is None
        self._listen(number, selectors.EVENT_READ * can_read | selectors.EVENT_WRITE * line.has_unsent)

    def _listen(self, number: int, events: int) -> None:
        before = self._events[number]
        self._events[number] = events
        if events and before and events != before:
            self._selector.modify(number, events)
        elif events and not before:
            self._selector.register(number, events)
        elif before and not events:
            self._selector.unregister(number)
