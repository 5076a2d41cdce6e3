"""Stage 3: leave one space, one stop, one pause, no empty brackets.

What was taken out upstream leaves holes: a space before a comma, a comma at a line's start, `（）`. This stage
walks over words, spaces and punctuation and holds back only what has no sound of its own: a space, and brackets
that are not filled yet.
"""

import re
from typing import Final

from protocol.speech_text.characters import (
    CLOSERS,
    GLUE_AFTER,
    GLUE_BEFORE,
    HAN,
    NAME_DOT,
    OPENERS,
    PAUSES,
    STOPS,
    WORD_EDGE,
)

OPENERS_HELD: Final = 8
_PAIR: Final = dict(zip(OPENERS, CLOSERS, strict=True))
_WORD: Final = rf"[^\s{re.escape(PAUSES + STOPS + OPENERS + CLOSERS)}{GLUE_AFTER}{GLUE_BEFORE}{WORD_EDGE}]"
_PART: Final = re.compile(
    rf"(?P<word>{_WORD}+(?:(?: |[{re.escape(PAUSES + STOPS)}] ?){_WORD}+)*)"
    rf"|(?P<space> +)|(?P<before>{GLUE_BEFORE})|(?P<after>{GLUE_AFTER})|(?P<edge>{WORD_EDGE})|(?P<line>\n)|(?P<sign>.)",
    re.DOTALL,
)
_EDGES: Final = "\n" + OPENERS
_HAN: Final = re.compile(f"[{HAN}]")


class Polish:
    """Owns what is held: `space` (wanted if a word follows) and brackets not filled yet."""

    def __init__(self) -> None:
        self.space = ""
        self.last = "\n"
        self._open = ""
        self._glued = False
        self._apart = False
        self._out: list[str] = []

    @property
    def is_idle(self) -> bool:
        """True when nothing but a space is held, a line has begun, and the last word needs no glue."""
        return self.last not in _EDGES and not (self._open or self._glued or self._apart)

    def take_space(self) -> str:
        """Hand over the space that is held."""
        space, self.space = self.space, ""
        return space

    def feed(self, text: str) -> str:
        """Return the cleaned text; nothing that sounds is held."""
        if not text:
            return ""
        for part in _PART.finditer(text):
            _PARTS[part.lastgroup or ""](self, part[0])
        out = "".join(self._out).replace(NAME_DOT, ".")
        self._out.clear()
        return out

    def _emit(self, text: str) -> None:
        self._out.append(text)
        self.last = text[-1]

    def _word(self, word: str) -> None:
        if self._apart and not self._open and self.last.isalnum() and word[0].isalnum():
            self.space = " "
        if self.space and self.last != "\n" and not (self._glued and _HAN.match(word) and not self._open):
            self._out.append(" ")
        self._emit(self._open + word)
        self.space = self._open = ""
        self._glued = self._apart = False

    def _space(self, _: str) -> None:
        if not self._open and self.last not in OPENERS:
            self.space = " "

    def _before_glue(self, _: str) -> None:
        if _HAN.match(self.last):
            self.space = ""

    def _after_glue(self, _: str) -> None:
        self._glued = True

    def _word_edge(self, _: str) -> None:
        self._apart = True

    def _line(self, _: str) -> None:
        self._glued = self._apart = False
        self.space = self._open = ""
        if self.last != "\n":
            self._emit("\n")

    def _sign(self, sign: str) -> None:
        self._glued = self._apart = False
        if sign in OPENERS:
            self._open = (self._open + sign)[-OPENERS_HELD:]
        elif sign in CLOSERS:
            self._close(sign)
        elif not self._open and self._is_wanted(sign):
            self.space = ""
            self._emit(sign)

    def _close(self, sign: str) -> None:
        if self._open:
            self._open = self._open[:-1]
        elif self.last != "\n":
            self.space = ""
            self._emit(sign)

    def _is_wanted(self, sign: str) -> bool:
        """A stop or pause is said once: not at a line's start, not after one of its own strength."""
        if self.last in STOPS:
            return self.last == "." and sign in PAUSES
        return self.last != "\n" and not (self.last in PAUSES and sign in PAUSES)


_PARTS: Final = {
    "word": Polish._word,
    "space": Polish._space,
    "before": Polish._before_glue,
    "after": Polish._after_glue,
    "edge": Polish._word_edge,
    "line": Polish._line,
    "sign": Polish._sign,
}
