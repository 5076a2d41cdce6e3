"""What a device still has to send, and when."""

import heapq
import random
from collections.abc import Sequence
from typing import Final

from client.upload import Link, Message, Upload

CANCEL: Final = '{"type":"cancel"}'


class Agenda:
    """The messages of one utterance on their way through a link.

    Invariant: `lost` packets are not on it; the `end` of a live upload stands behind every packet that is not lost.
    """

    def __init__(self, upload: Upload, link: Link, *, at_s: float, seed: int) -> None:
        self._upload = upload
        self._link = link
        self._random = random.Random(seed)
        self._waiting: list[tuple[float, int, Message]] = []
        self._numbers = 0
        self._plan(at_s)

    def _plan(self, at_s: float) -> None:
        last_at_s = at_s
        if self._upload.typed:
            self._put(self._upload.typed, at_s)
        for index, packet in enumerate(self._upload.packets):
            can_be_lost = isinstance(packet, str) and not self._upload.is_first(index)
            if not (can_be_lost and self._random.random() < self._link.loss):
                last_at_s = max(last_at_s, self._travel(packet, at_s + index * self._upload.interval_s))
        if self._upload.end:
            self._put(self._upload.end, last_at_s)

    def _travel(self, packet: Message, at_s: float) -> float:
        """Put a packet on the agenda, late by the link's delay; return when it will go out."""
        if isinstance(packet, str):  # binary packets are numbered by their order, so they must keep it
            at_s += self._random.uniform(0, 2) * self._link.delay_ms / 1000
        self._put(packet, at_s)
        return at_s

    def _put(self, message: Message, at_s: float) -> None:
        self._numbers += 1
        heapq.heappush(self._waiting, (at_s, self._numbers, message))

    @property
    def next_at_s(self) -> float | None:
        """When the next message is due; None when nothing is left."""
        return self._waiting[0][0] if self._waiting else None

    def due(self, now_s: float) -> list[Message]:
        """Take the messages whose time has come."""
        messages: list[Message] = []
        while self._waiting and self._waiting[0][0] <= now_s:
            messages.append(heapq.heappop(self._waiting)[2])
        return messages

    def repeat(self, packets: Sequence[Message], now_s: float) -> None:
        """Send these packets again."""
        for packet in packets:
            self._travel(packet, now_s)

    def cancel(self, at_s: float) -> None:
        """Put a `cancel` in the place of all that has not been sent."""
        self._waiting.clear()
        self._put(CANCEL, at_s)
