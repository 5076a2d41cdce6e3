"""Cut speakable text into segments for the synthesiser: a short first one for a fast start, then sentences.

How it works. The text is walked once from mark to mark (`_MARKS`). A stop (。！？ newline; `.` before a space,
but not after an abbreviation or a list number) ends a segment that is heavy enough; lighter ones go on to the
next stop. The first segment may also end at a comma. A segment that grows past LONG_CHARS ends at the next
pause, and at MOST_CHARS it ends in any case: at its last pause, else at a space. A stop inside quotes or
brackets waits one character, so that the closing sign stays with its sentence; outside it cuts at once. Every
decision depends on the text up to there and at most one character more, never on how the text was fed.

Units: weight is 2 for a character of Chinese, Japanese or Korean, 1 for any other letter or digit, 0 for the
rest: about a tenth of a second of speech.
"""

import re
from typing import Final

FIRST_WEIGHT: Final = 12
"""Six Chinese characters: a lighter first segment is a stub that leaves the synthesiser nothing to do."""
LATER_WEIGHT: Final = 20
LONG_CHARS: Final = 80
MOST_CHARS: Final = 120

_MARKS: Final = re.compile(r"[，,；;：:、。！？!?.\n…—“”「」『』（）()《》\"]")
_HEAVY: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_LIGHT: Final = re.compile(r"[^\W_]")
_ABBREVIATION: Final = re.compile(
    r"(?:^|[^A-Za-z])(?:[A-Za-z]|Mrs?|Ms|Dr|Prof|St|Jr|Sr|vs|etc|No|Inc|Ltd|Co|Corp|approx|Fig|al|(?:[A-Za-z]\.)+[A-Za-z]|\d{1,3})$"
)
_OPENERS: Final = "“「『（(《"
_CLOSERS: Final = "”」』）)》"
_STOPS: Final = "。！？!?\n"
_PAUSES: Final = "，；：;"
_LIGHT_PAUSES: Final = "、…—"
_BLANK: Final = (" ", "\n", "")
_WAITING: Final = ".,:"
WAIT: Final = -1


def weight(text: str) -> int:
    """Return how much there is to say."""
    return len(_LIGHT.findall(text)) + len(_HEAVY.findall(text))


class Segmenter:
    """Cut speakable text into segments for the synthesiser: a short first one for a fast start, then sentences.

    Invariant: `_text[:_at]` has been walked and holds no cut; `_pause` is the last place in it where a long segment
    may end.
    """

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._pause = 0
        self._depth = 0
        self._in_quotes = False
        self._quotes_before = (0, False)
        self._is_first = True
        self._final = False

    def feed(self, text: str) -> list[str]:
        """Return the segments that are complete now."""
        self._text += text
        return self._cut_all()

    def finish(self) -> list[str]:
        """Return the rest."""
        self._final = True
        segments = self._cut_all()
        rest, self._text = self._text.strip(), ""
        return [*segments, rest] if weight(rest) else segments

    def _cut_all(self) -> list[str]:
        segments = []
        while (cut := self._next_cut()) > 0:
            segment = self._text[:cut].strip()
            self._text = self._text[cut:]
            self._at = self._pause = 0
            self._quotes_before = (self._depth, self._in_quotes)
            if weight(segment):
                segments.append(segment)
                self._is_first = False
        return segments

    def _next_cut(self) -> int:
        """Return where the next segment ends; 0 when more text must come first."""
        while True:
            mark = _MARKS.search(self._text, self._at, MOST_CHARS)
            if mark is None:
                return self._forced_cut() if len(self._text) >= MOST_CHARS else 0
            if mark[0] in _WAITING and mark.end() == len(self._text) and not self._final:
                return 0
            end = self._cut_at(mark[0], mark.end())
            if end == WAIT:
                return 0
            self._at = mark.end()
            self._follow(mark[0])
            if end:
                self._leave_quotes(self._text[mark.end() : end])
                return end

    def _cut_at(self, mark: str, end: int) -> int:
        """Return the segment's end if it ends with this mark, 0 if it goes on, WAIT if the next character decides."""
        after = self._text[end : end + 1]
        if self._is_stop(mark, end, after):
            if weight(self._text[:end]) >= (FIRST_WEIGHT if self._is_first else LATER_WEIGHT):
                return self._past_closers(mark, end)
            self._pause = end
        elif mark in _PAUSES or (mark in ",:" and after in _BLANK):
            self._pause = end
            is_first_cut = self._is_first and weight(self._text[:end]) >= FIRST_WEIGHT
            return end if is_first_cut or end > LONG_CHARS else 0
        elif mark in _LIGHT_PAUSES:
            self._pause = self._pause or end
        return 0

    def _is_stop(self, mark: str, end: int, after: str) -> bool:
        if mark != ".":
            return mark in _STOPS
        is_end = after in _BLANK or after in _CLOSERS or (after == '"' and self._in_quotes)
        return is_end and not _ABBREVIATION.search(self._text, max(0, end - 16), end - 1)

    def _past_closers(self, mark: str, end: int) -> int:
        """Take the signs that close what is open into the segment; outside quotes there is nothing to wait for."""
        depth, quoted = (0, False) if mark == "\n" else (self._depth, self._in_quotes)
        while (depth or quoted) and end < MOST_CHARS:
            if end == len(self._text):
                return end if self._final else WAIT
            if self._text[end] in _CLOSERS and depth:
                depth -= 1
            elif self._text[end] == '"' and quoted:
                quoted = False
            else:
                break
            end += 1
        return end

    def _leave_quotes(self, closers: str) -> None:
        for sign in closers:
            self._follow(sign)

    def _follow(self, mark: str) -> None:
        """Keep count of open quotes and brackets; a new line closes them all."""
        if mark == "\n":
            self._depth, self._in_quotes = 0, False
        elif mark == '"':
            self._in_quotes = not self._in_quotes
        else:
            self._depth = max(0, self._depth + (mark in _OPENERS) - (mark in _CLOSERS))

    def _forced_cut(self) -> int:
        """Cut a segment that is too long; the marks after the cut will be walked again."""
        space = self._text.rfind(" ", 0, MOST_CHARS)
        cut = self._pause or (space if space > 0 else MOST_CHARS)
        self._depth, self._in_quotes = self._quotes_before
        for mark in _MARKS.findall(self._text, 0, cut):
            self._follow(mark)
        return cut
