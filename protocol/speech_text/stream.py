"""The stream of one answer through the three stages, with a short cut for plain prose."""

import re
from collections import deque
from typing import Final

from protocol.speech_text.markup import Markup
from protocol.speech_text.polish import Polish
from protocol.speech_text.reader import Reader

_SIGNS: Final = "，。、；：！？"
_COMMON_HAN: Final = "\u4e00-\u4e40\u4e42-\u51f7\u51f9-\u9fa5"
"""All but 乁 and 凸, which also begin faces."""
_BOLD: Final = rf"(?:\*\*(?=[A-Za-z{_COMMON_HAN}{_SIGNS}]))?"
_PLAIN_WORD: Final = rf" ?{_BOLD}(?!No\.)[A-Za-z][a-z]*(?:[,.!?;:](?= )|(?=[ {_COMMON_HAN}{_SIGNS}]))"
_CHINESE: Final = re.compile(f"[{_COMMON_HAN}]+")
_CALM: Final = re.compile(
    rf"([{_SIGNS}]?(?:(?:{_PLAIN_WORD}|{_BOLD}[{_COMMON_HAN}]+{_BOLD})[{_SIGNS}]?)*)"
    r"( ?(?:[A-Za-z][a-z]{0,40}[,.!?;:]?)?(?:\*\*)?)"
)
"""What every stage would pass (but for bold marks beside Chinese); then what may go on: a space, a word begun."""
_PASSED_CHARS: Final = 256


class SpeechText:
    """Stateful normaliser of one answer: model text in (any cut into tokens), speakable text out.

    Invariant: while `_is_calm`, the three stages hold nothing, and `_held` (a space, a word begun) is all that is not
    out yet.
    """

    def __init__(self) -> None:
        formulas: deque[str] = deque()
        self._markup = Markup(formulas)
        self._reader = Reader(formulas)
        self._polish = Polish()
        self._is_calm = False
        self._held = ""
        self._passed = ""

    @property
    def held_chars(self) -> int:
        """How many characters are held because what follows may change how they are said."""
        return len(self._held) + len(self._markup.pending) + len(self._reader.pending)

    def feed(self, delta: str) -> str:
        """Return the speakable text that is certain now (may be empty)."""
        if not self._is_calm:
            return self._through_stages(delta)
        if not self._held and _CHINESE.fullmatch(delta):
            return self._pass(delta)
        plain = _CALM.fullmatch(self._held + delta)
        if plain is None:
            return self._through_stages(self._leave_calm() + delta)
        words, held = plain.groups()
        if words:
            if words[0] in _SIGNS and not (self._passed[-1:] or self._polish.last).isalnum():
                return self._through_stages(self._leave_calm() + delta)
            if "*" in words:
                words = words.replace("**", "")
            self._pass(words)
        self._held = held
        return words

    def _pass(self, words: str) -> str:
        """Note what goes by the stages (they want to know the end of it only)."""
        passed = self._passed + words
        self._passed = passed if len(passed) < _PASSED_CHARS else passed[-64:]
        return words

    def finish(self) -> str:
        """Return the rest of the speakable text; call once."""
        markup = self._markup
        rest = markup.feed(self._leave_calm()) + markup.finish()
        rest = self._reader.feed(rest) + self._reader.finish()
        return self._polish.feed(rest)

    def _through_stages(self, text: str) -> str:
        unmarked = self._markup.feed(text)
        spoken = self._polish.feed(self._reader.feed(unmarked)) if unmarked else ""
        if self._markup.is_idle and self._polish.is_idle:
            self._try_calm()
        return spoken

    def _try_calm(self) -> None:
        """Take over what is held if it is plain and came through the first stage unchanged."""
        held = self._polish.space + self._reader.pending
        is_unchanged = not held or held[-1] == self._markup.last
        if is_unchanged and self._reader.can_give_back(self._polish.space):
            self._is_calm = True
            self._held = self._reader.give_back(self._polish.take_space())

    def _leave_calm(self) -> str:
        """Tell the stages what has passed them by, and give back what is held."""
        if self._passed:
            self._markup.last = self._polish.last = self._passed[-1]
            self._reader.remember(self._passed)
        held = self._held
        self._held = self._passed = ""
        self._is_calm = False
        return held


def speakable(text: str) -> str:
    """Return the speakable form of a whole text."""
    stream = SpeechText()
    return stream.feed(text) + stream.finish()
