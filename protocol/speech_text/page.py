"""What the steps of stage 2 share: the words written so far, the window of text before, and the choice of language.

Which language? Chinese when a Chinese character touches the quantity (its reader sees to that); else what the
sentence so far is mostly written in (Chinese characters against English words of two letters or more, addresses not
counted); when it holds no Chinese and fewer than three words, what the 64 characters before are mostly written in;
when these say no more, the 32 characters from here on decide: Chinese if there is a Chinese character among them,
else English if there is a word before or after, else Chinese.
"""

import re
from collections import deque
from typing import Final

from protocol.speech_text.characters import GLUE_AFTER, GLUE_BEFORE, HAN, WORD_EDGE
from protocol.speech_text.chinese import CHINESE
from protocol.speech_text.english import ENGLISH
from protocol.speech_text.tongues import Tongue

WAIT: Final = -1
WINDOW_CHARS: Final = 64
AHEAD_CHARS: Final = 32
ENOUGH_WORDS: Final = 3

_HAN: Final = re.compile(f"[{HAN}]")
_PAST_SENTENCES: Final = re.compile(r".*(?:[。！？!?\n]|\. )", re.DOTALL)
_HAN_RUN: Final = re.compile(f"[{HAN}]+")
_LATIN_WORD: Final = re.compile(r"(?<![A-Za-z0-9_.:/@\\])[A-Za-z]{2,}(?![A-Za-z0-9_:/@$\\]|\.[A-Za-z])")


class Page:
    """One owner (`Reader`); `before` is the end of the text already read, as it was written."""

    def __init__(self, formulas: deque[str]) -> None:
        self.out: list[str] = []
        self.before = ""
        self.final = False
        self.formulas = formulas

    def write(self, text: str) -> None:
        """Hand text on as it is."""
        self.out.append(text)

    def say(self, words: str, tongue: Tongue) -> None:
        """Hand a reading on, with the marks that settle the spaces around it."""
        self.out.append(f"{WORD_EDGE}{words}{WORD_EDGE}" if tongue.index else f"{GLUE_BEFORE}{words}{GLUE_AFTER}")

    def remember(self, text: str) -> None:
        """Move the window over text that has been read."""
        self.before = (self.before + text)[-WINDOW_CHARS:]

    def is_open(self, text: str, end: int) -> bool:
        """Tell whether a region that ends at `end` may still grow."""
        return end >= len(text) and not self.final

    def tongue(self, text: str, at: int) -> Tongue | None:
        """Choose the language here; None while the text that decides is not here yet."""
        sentence = _PAST_SENTENCES.match(self.before)
        for near in (self.before[sentence.end() :] if sentence else "", self.before):
            han = len("".join(_HAN_RUN.findall(near)))
            words = len(_LATIN_WORD.findall(near))
            if han or words >= ENOUGH_WORDS:
                return CHINESE if han >= words else ENGLISH
        ahead = text[at : at + AHEAD_CHARS]
        if _HAN.search(ahead):
            return CHINESE
        if len(ahead) < AHEAD_CHARS and not self.final:
            return None
        return ENGLISH if words or _LATIN_WORD.search(ahead) else CHINESE
