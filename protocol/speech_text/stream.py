"""The stream of one answer through the three stages, with a short cut for plain prose."""

import re
from collections import deque
from typing import Final

from protocol.speech_text.markup import Markup
from protocol.speech_text.polish import Polish
from protocol.speech_text.reader import WINDOW_CHARS, Reader


class SpeechText:
    """Stateful normaliser of one answer: model text in (any cut into tokens), speakable text out."""

    def __init__(self) -> None:
        formulas: deque[str] = deque()
        self._markup = Markup(formulas)
        self._reader = Reader(formulas)
        self._polish = Polish()

    def feed(self, delta: str) -> str:
        """Return the speakable text that is certain now (may be empty)."""
        return self._polish.feed(self._reader.feed(self._markup.feed(delta)))

    def finish(self) -> str:
        """Return the rest of the speakable text; call once."""
        rest = self._reader.feed(self._markup.finish()) + self._reader.finish()
        return self._polish.feed(rest)


def speakable(text: str) -> str:
    """Return the speakable form of a whole text."""
    stream = SpeechText()
    return stream.feed(text) + stream.finish()
