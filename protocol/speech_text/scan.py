"""The state that the steps of stage 1 share, and the two ways in which they look ahead.

A step takes the text and a place in it, and returns the place that it has reached, or WAIT when the characters
that decide are not here yet.
"""

import re
from collections import deque
from typing import Final

from protocol.speech_text.characters import FORMULA_MARK

WAIT: Final = -1
NONE: Final = -2


class LeftOut:
    """What is being left out, and the text that ends it (a fence must end on a line of its own)."""

    __slots__ = ("end", "is_fence", "is_fresh_line")

    def __init__(self, end: str, *, is_fence: bool = False) -> None:
        self.end = re.compile(end, re.IGNORECASE)
        self.is_fence = is_fence
        self.is_fresh_line = True


class Scan:
    """One owner (`Markup`); `last` is the character emitted last, `out` what has been emitted in this round."""

    def __init__(self, formulas: deque[str]) -> None:
        self.out: list[str] = []
        self.last = "\n"
        self.at_line_start = True
        self.in_code = False
        self.in_wrapper = False
        self.left_out: LeftOut | None = None
        self.final = False
        self._formulas = formulas

    def emit(self, text: str) -> None:
        """Hand text on to the next stage."""
        if text:
            self.out.append(text)
            self.last = text[-1]

    def formula(self, source: str) -> None:
        """Hand a formula on: a mark in the text, the source in the queue."""
        self._formulas.append(source)
        self.emit(FORMULA_MARK)

    def is_open(self, text: str, end: int) -> bool:
        """Tell whether a region that ends at `end` may still grow."""
        return end == len(text) and not self.final

    def find(self, text: str, at: int, closer: str, *, limit: int, stop: str = "\n") -> int:
        """Return where `closer` begins within `limit` characters and before `stop`; WAIT; or NONE."""
        window = text[at : at + limit]
        found, stopped = window.find(closer), window.find(stop) if stop else -1
        if found >= 0 and (stopped < 0 or found < stopped):
            return at + found
        return NONE if stopped >= 0 or len(window) == limit or self.final else WAIT
