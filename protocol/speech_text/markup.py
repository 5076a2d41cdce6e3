"""Stage 1: take the markdown, HTML and LaTeX marks off a stream of model text.

How it works. The text is walked once. At each step the walker is in one of three places: inside something that
is left out (fenced code, `<think>`, a footnote's text), at the start of a line (`blocks`), or in a line, where
one function per special character is found through `_INLINE`. What a step may look at is a *region*: a match of
bounded length that grows with the text and is closed by a character outside it, or a window of fixed length.
Only what is closed is judged, so the answer cannot depend on where the stream was cut.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Final

from protocol.speech_text import blocks, dollars, emphasis, links, tags
from protocol.speech_text.characters import FOLD, INVISIBLE
from protocol.speech_text.scan import WAIT, Scan

_INLINE: Final[dict[str, Callable[[Scan, str, int], int]]] = {
    "*": emphasis.star,
    "_": emphasis.underscore,
    "~": emphasis.tilde,
    "`": emphasis.backtick,
    "\n": emphasis.newline,
    "[": links.open_bracket,
    "]": links.close_bracket,
    "!": links.bang,
    "<": tags.less_than,
    "&": tags.ampersand,
    "$": dollars.dollar,
    "\\": dollars.backslash,
    **dict.fromkeys("(（¯ヽ╮٩ლ乁凸", emphasis.face),
}
_SPECIAL: Final = re.compile(f"[{re.escape(''.join(_INLINE))}]")


class Markup:
    """Owns the raw text not judged yet (`pending`); everything before it has been handed on."""

    def __init__(self, formulas: deque[str]) -> None:
        self.pending = ""
        self._scan = Scan(formulas)

    @property
    def last(self) -> str:
        """The character handed on last."""
        return self._scan.last

    @last.setter
    def last(self, char: str) -> None:
        self._scan.last = char

    @property
    def is_idle(self) -> bool:
        """True in mid-line with nothing held: letters would pass untouched."""
        return not self.pending and not self._scan.at_line_start and self._scan.left_out is None

    def feed(self, text: str) -> str:
        """Return what is certain without marks, folded into the small alphabet."""
        if not (text.isascii() and text.isprintable()):
            text = INVISIBLE.sub("", text)
        if self.is_idle and not _SPECIAL.search(text):
            self._scan.last = text[-1:] or self._scan.last
            return text.translate(FOLD)
        self.pending += text
        return self._drain()

    def finish(self) -> str:
        """Return the rest, judging what is held as it stands."""
        self._scan.final = True
        return self._drain()

    def _drain(self) -> str:
        text, at = self.pending, 0
        while at < len(text):
            moved = _step(self._scan, text, at)
            if moved < 0:
                break
            at = moved
        self.pending = text[at:]
        out = "".join(self._scan.out)
        self._scan.out.clear()
        return out.translate(FOLD) if out else ""


def _step(scan: Scan, text: str, at: int) -> int:
    if scan.left_out is not None:
        return blocks.leave_out(scan, text, at, scan.left_out)
    if scan.at_line_start:
        return blocks.line_step(scan, text, at)
    return _inline_step(scan, text, at)


def _inline_step(scan: Scan, text: str, at: int) -> int:
    special = _SPECIAL.search(text, at)
    if special is None:
        scan.emit(text[at:])
        return len(text)
    scan.emit(text[at : special.start()])
    moved = _INLINE[special[0]](scan, text, special.start())
    if moved >= 0:
        return moved
    # What came before is handed on; only the undecided rest is kept.
    return special.start() if special.start() > at else WAIT
