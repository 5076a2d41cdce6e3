"""Stage 2: say numbers, units, dates, addresses and symbols in words.

How it works. At each place the first character picks the kind of lexeme. Characters that stand for themselves
(Chinese, kana, punctuation, plain words that are over) go through at once; a word, an amount or a sign is first
given its *region*, a match of bounded length that grows with the text. Only when the region is closed (a
character outside it has come, or the answer has ended) is the lexeme read, and never with a look past the
region.
"""

import re
from collections import deque
from typing import Final

from protocol.speech_text.amounts import amount, word
from protocol.speech_text.characters import CODE_MARK, FORMULA_MARK
from protocol.speech_text.page import Page
from protocol.speech_text.signs import sign
from protocol.speech_text.symbols import SIGNS
from protocol.speech_text.words import LETTERS

_FREE: Final = re.compile(
    rf"(?:[^\x00-\x7f{LETTERS}{SIGNS}{CODE_MARK}{FORMULA_MARK}]|[,;\"'\n?) ]"
    rf"|(?<![{LETTERS}0-9])[A-Za-z][a-z]*(?=[ ,;?)\"\n\u3001-\u9fff\uff00-\uff1f]))+"
)
_WORD_BEGUN: Final = re.compile(r"(?:[A-Za-z][a-z]{0,40})?")


class Reader:
    """Owns the text not read yet (`pending`)."""

    def __init__(self, formulas: deque[str]) -> None:
        self.pending = ""
        self._page = Page(formulas)

    def feed(self, text: str) -> str:
        """Return the words that are certain."""
        self.pending += text
        return self._drain()

    def finish(self) -> str:
        """Return the rest."""
        self._page.final = True
        return self._drain()

    def remember(self, text: str) -> None:
        """Take note of text that went by."""
        self._page.remember(text)

    def can_give_back(self, space: str) -> bool:
        """Tell whether all that is held is `space`, the last thing read, and perhaps the beginning of a plain word."""
        return self._page.before.endswith(space) and _WORD_BEGUN.fullmatch(self.pending) is not None

    def give_back(self, space: str) -> str:
        """Return what is held, as if it had never come."""
        held, self.pending = space + self.pending, ""
        self._page.before = self._page.before.removesuffix(space)
        return held

    def _drain(self) -> str:
        text, at = self.pending, 0
        while at < len(text):
            moved = _step(self._page, text, at)
            if moved < 0:
                break
            self._page.remember(text[at:moved])
            at = moved
        self.pending = text[at:]
        out = "".join(self._page.out)
        self._page.out.clear()
        return out


def _step(page: Page, text: str, at: int) -> int:
    free = _FREE.match(text, at)
    if free is not None:
        page.write(free[0])
        return free.end()
    char = text[at]
    if char.isdigit() or char in "$€£¥₩₹":
        return amount(page, text, at)
    return word(page, text, at) if char.isalpha() else sign(page, text, at)
