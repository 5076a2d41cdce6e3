"""Stage 1: take the markdown, HTML and LaTeX marks off a stream of model text.

How it works.  The text is walked once.  At each step the walker is in one of three places: inside something that is left out
(`_leave_out`: fenced code, `<think>`, a comment), at the start of a line (`_line_step`: block marks), or in a line (`_inline_step`:
one method per special character, found through `_INLINE`).  A step returns the position it has reached, or WAIT when the
characters that decide are not here yet.  What a step may look at is a *region*: a match of bounded length that grows with the text and
is closed by a character outside it; only closed regions are judged, so the answer cannot depend on where the stream was cut.
Emphasis needs no partner: a `*` or `_` is judged by its two neighbours alone, so an unclosed `**` costs nothing.
"""

import html
import re
from collections import deque
from collections.abc import Callable
from typing import Final

from protocol.speech_text.characters import CODE_MARK, FOLD, FORMULA_MARK, HAN, INVISIBLE
from protocol.speech_text.faces import KAOMOJI, KAOMOJI_REGION

WAIT: Final = -1
_NONE: Final = -2

LINK_CHARS: Final = 512
REFERENCE_CHARS: Final = 48
TAG_CHARS: Final = 300
COMMENT_CHARS: Final = 2000
INLINE_MATH_CHARS: Final = 200
BLOCK_MATH_CHARS: Final = 1000
LINE_MARK_CHARS: Final = 120
CLOSING_CHARS: Final = 24

_SPECIAL: Final = re.compile(r"[*_~`\[\]!<&$\\\n(（¯ヽ╮٩ლ乁凸]")
_LINE_MARKS: Final = re.compile(rf"[ \t>#*+\-=_|:`~]{{0,{LINE_MARK_CHARS}}}")
_LINE_MARK: Final = frozenset(" \t>#*+-=_|:`~[")
_RULE: Final = re.compile(r"[ \t>]*(?=[-*_=|:+ \t~]*[-*_=]{2})[-*_=|:+ \t~]{3,}$")
_FENCE: Final = re.compile(r"[ \t>]*(`{3,}|~{3,})")
_FENCE_INFO: Final = re.compile(r"[^\n`]{0,80}")
_QUOTE: Final = re.compile(r"[ \t]*>+[ \t]*")
_HEADING: Final = re.compile(r"[ \t]*(?:#{1,6}[ \t]+|#{2,6})")
_BULLET: Final = re.compile(r"[ \t]*[-*+][ \t]+")
_TASK: Final = re.compile(r"\[[ xX]\][ \t]")
_ROW: Final = re.compile(r"[ \t]*\|[ \t]*")
_INDENT: Final = re.compile(r"[ \t]*")
_DEFINITION: Final = re.compile(r"\[[^\[\]\n]{0,40}(?:\](?::[ \t]{0,4}\S{0,4})?)?")
_DEFINITION_DONE: Final = re.compile(r"\[(?:\^[^\]]+\]:|[^\]]+\]:[ \t]*(?:http|www\.|<htt|mail))")
_CITATION: Final = re.compile(r"\[(?:\^[^\[\]\n]{0,40}|r(?:e(?:f(?:_\d{0,3})?)?)?|\d{0,3})\]?")
_CITATION_DONE: Final = re.compile(r"\[(?:\^[^\]]+|(?:ref_)?\d+)\]")
_RUN: Final = {char: re.compile(re.escape(char) + "{1,64}") for char in "*_~`"}
_ENTITY: Final = re.compile(r"&(?:#[0-9xXa-fA-F]{0,8}|[A-Za-z][A-Za-z0-9]{0,10})?;?")
_TAG_NAME: Final = re.compile(r"</?[A-Za-z0-9]{0,12}")
_COMMAND: Final = re.compile(r"\\[A-Za-z]{1,16}(?:\{[^{}\n]{0,40}\}?){0,2}")
_MONEY: Final = re.compile(r"\$\d[\d.,]{0,15}")
_AFTER_MONEY: Final = re.compile(r"(?: ?[+\-*=^<>\\]|[_({]|[A-Za-z])")
_AFTER_AMOUNT: Final = re.compile(r"(?:[KkMBTb]|bn)(?![A-Za-z0-9^_])")
_MATH: Final = re.compile(
    rf"\$(?:\{{[^{{}}$\n]{{0,60}}\}}?|\.(?! )|[^$\n.{HAN}，。！？；：]){{0,{INLINE_MATH_CHARS}}}(?:\$.?)?", re.DOTALL
)
_MATH_DONE: Final = re.compile(r"\$(?!\s)([^$]+)(?<!\s)\$(?!\d)")

_BLOCK_TAGS: Final = frozenset(
    "br p div li tr h1 h2 h3 h4 h5 h6 ul ol dl dt dd table thead tbody blockquote hr details summary section article "
    "header footer center body html head form".split()
)
_AFTER_TAG_NAME: Final = ("", *" \t\n/>")
_ANGLED: Final = re.compile(r"<[^\s<>]{0,300}>?")
_ANGLED_DONE: Final = re.compile(rf"</?([A-Za-z{HAN}][^<>]*)>")
_CELL_TAGS: Final = frozenset(("td", "th"))
_INLINE_TAGS: Final = frozenset(
    "a abbr b big button code del em font i img ins kbd label mark q s samp small span strike strong sub sup time tt u var "
    "video audio source iframe input option select pre cite wbr caption title".split()
)
_LEFT_OUT_TAGS: Final = frozenset("think thinking thought reasoning script style svg".split())
_WRAPPERS: Final = frozenset(("markdown", "md"))

_TERM_END: Final = re.compile(r"[^\W_]|\)")
_TERM_START: Final = re.compile(r"[^\W_]|\(")
_MATH_COMMANDS: Final = frozenset(
    "times div cdot pm leq geq le ge neq ne approx frac sqrt pi alpha beta gamma delta theta lambda mu sigma omega "
    "infty to rightarrow Rightarrow circ degree sum int".split()
)


class _LeftOut:
    """What is being left out, and the text that ends it (a fence must end on a line of its own)."""

    __slots__ = ("end", "is_fence", "is_fresh_line")

    def __init__(self, end: str, *, is_fence: bool = False) -> None:
        self.end = re.compile(end, re.IGNORECASE)
        self.is_fence = is_fence
        self.is_fresh_line = True


class Markup:
    """Owns the raw text not judged yet (`pending`); everything before it has been handed on."""

    def __init__(self, formulas: deque[str]) -> None:
        self.pending = ""
        self.last = "\n"
        self._formulas = formulas
        self._out: list[str] = []
        self._at_line_start = True
        self._in_code = False
        self._in_wrapper = False
        self._left_out: _LeftOut | None = None
        self._final = False

    @property
    def is_idle(self) -> bool:
        """True in mid-line with nothing held: letters would pass untouched."""
        return not self.pending and not self._at_line_start and self._left_out is None

    def feed(self, text: str) -> str:
        """Return what is certain without marks, folded into the small alphabet."""
        if not (text.isascii() and text.isprintable()):
            text = INVISIBLE.sub("", text)
        if self.is_idle and not _SPECIAL.search(text):
            self.last = text[-1:] or self.last
            return text.translate(FOLD)
        self.pending += text
        return self._drain()

    def finish(self) -> str:
        """Return the rest, judging what is held as it stands."""
        self._final = True
        return self._drain()

    def _drain(self) -> str:
        text, at = self.pending, 0
        while at < len(text):
            moved = self._step(text, at)
            if moved < 0:
                break
            at = moved
        self.pending = text[at:]
        if not self._out:
            return ""
        out = "".join(self._out).translate(FOLD)
        self._out.clear()
        return out

    def _step(self, text: str, at: int) -> int:
        if self._left_out is not None:
            return self._leave_out(text, at, self._left_out)
        if self._at_line_start:
            return self._line_step(text, at)
        return self._inline_step(text, at)

    def _emit(self, text: str) -> None:
        if text:
            self._out.append(text)
            self.last = text[-1]

    def _is_open(self, text: str, end: int) -> bool:
        """True while a region that ends at `end` may still grow."""
        return end == len(text) and not self._final

    def _find(self, text: str, at: int, closer: str, *, limit: int, stop: str = "\n") -> int:
        """Return where `closer` begins within `limit` characters and before `stop`; WAIT; or _NONE."""
        window = text[at : at + limit]
        found, stopped = window.find(closer), window.find(stop) if stop else -1
        if found >= 0 and (stopped < 0 or found < stopped):
            return at + found
        return _NONE if stopped >= 0 or len(window) == limit or self._final else WAIT

    # -- left out ------------------------------------------------------------------------------------------------

    def _leave_out(self, text: str, at: int, what: _LeftOut) -> int:
        if what.is_fence:
            return self._leave_out_code_line(text, at, what)
        found = what.end.search(text, at)
        if found is None:
            return len(text) if self._final else self._keep_only(text, at)
        self._left_out = None
        self._at_line_start = True
        return found.end()

    def _keep_only(self, text: str, at: int) -> int:
        """Forget all but what may be the first part of the closing tag."""
        return len(text) - CLOSING_CHARS if len(text) - at > CLOSING_CHARS else WAIT

    def _leave_out_code_line(self, text: str, at: int, what: _LeftOut) -> int:
        newline = text.find("\n", at)
        if newline < 0 and not self._final:
            return self._leave_out_part_of_line(text, at, what)
        line = text[at:] if newline < 0 else text[at:newline]
        if what.is_fresh_line and what.end.fullmatch(line):
            self._left_out = None
            return at + len(line)
        what.is_fresh_line = True
        return at + len(line) + (newline >= 0)

    def _leave_out_part_of_line(self, text: str, at: int, what: _LeftOut) -> int:
        """Hold a line while it may still be the closing fence; else forget it as it comes."""
        if what.is_fresh_line and not text[at:].strip("`~ \t>") and len(text) - at < LINE_MARK_CHARS:
            return WAIT
        what.is_fresh_line = False
        return len(text)

    # -- line start ----------------------------------------------------------------------------------------------

    def _line_step(self, text: str, at: int) -> int:
        if text[at] not in _LINE_MARK:
            self._at_line_start = False
            return at
        if text[at] == "[":
            return self._line_bracket(text, at)
        marks = _LINE_MARKS.match(text, at)
        assert marks is not None
        end = marks.end()
        if self._is_open(text, end) and end - at < LINE_MARK_CHARS:
            return WAIT
        fence = _FENCE.match(text, at, end)
        if fence is not None:
            return self._fence(text, fence)
        if _RULE.match(text, at, end) and (text[end : end + 1] in ("", "\n") or end - at == LINE_MARK_CHARS):
            return end
        for mark in (_QUOTE, _BULLET, _HEADING):
            found = mark.match(text, at, end)
            if found is not None:
                return found.end()
        return self._begin_text(text, at, end)

    def _begin_text(self, text: str, at: int, end: int) -> int:
        self._at_line_start = False
        lead = _ROW.match(text, at, end) or _INDENT.match(text, at, end)
        return at if lead is None else lead.end()

    def _fence(self, text: str, fence: re.Match[str]) -> int:
        info = _FENCE_INFO.match(text, fence.end())
        assert info is not None
        if self._is_open(text, info.end()):
            return WAIT
        if text[info.end() : info.end() + 1] == "`":
            self._at_line_start = False
            return fence.end()
        if info[0].strip().lower() in _WRAPPERS or (self._in_wrapper and not info[0].strip()):
            self._in_wrapper = not self._in_wrapper
            return info.end()
        self._emit(CODE_MARK)
        char = fence[1][0]
        self._left_out = _LeftOut(rf"[ \t>]*{char}{{{len(fence[1])},}}[ \t]*", is_fence=True)
        return self._find_line_end(text, info.end())

    def _find_line_end(self, text: str, at: int) -> int:
        return at + 1 if text[at : at + 1] == "\n" else at

    def _line_bracket(self, text: str, at: int) -> int:
        """Judge a task box, a footnote's text (left out to the line's end) or a link definition (left out too)."""
        region = _DEFINITION.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()):
            return WAIT
        if _TASK.match(text, at):
            return at + 4
        if _DEFINITION_DONE.match(text, at, region.end()):
            self._left_out = _LeftOut(r"(?=\n)")
            return region.end()
        self._at_line_start = False
        return at

    # -- in a line -----------------------------------------------------------------------------------------------

    def _inline_step(self, text: str, at: int) -> int:
        special = _SPECIAL.search(text, at)
        if special is None:
            self._emit(text[at:])
            return len(text)
        self._emit(text[at : special.start()])
        moved = _INLINE[special[0]](self, text, special.start())
        if moved >= 0:
            return moved
        # What came before is handed on; only the undecided rest is kept.
        return special.start() if special.start() > at else WAIT

    def _newline(self, text: str, at: int) -> int:
        self._in_code = False
        self._at_line_start = True
        self._emit("\n")
        return at + 1

    def _neighbours(self, text: str, end: int) -> tuple[bool, bool, bool]:
        """Tell whether a mark that ends at `end` stands between two letters or digits, two spaces, two digits."""
        before, after = self.last, text[end : end + 1]
        words = bool(_TERM_END.match(before) and _TERM_START.match(after))
        return words, before == " " and after == " ", before.isdigit() and after.isdigit()

    def _star(self, text: str, at: int) -> int:
        """Keep a sign of multiplication or of a power, drop emphasis."""
        end = self._run_end(text, at)
        if end < 0:
            return WAIT
        words, spaces, digits = self._neighbours(text, end)
        if end - at == 1 and (words or spaces):
            self._emit("*")
        elif end - at == 2 and digits:
            self._emit("^")
        return end

    def _underscore(self, text: str, at: int) -> int:
        """Keep the underscore of a name, drop emphasis."""
        end = self._run_end(text, at)
        if end < 0:
            return WAIT
        before, after = self.last, text[end : end + 1]
        if before.isascii() and before.isalnum() and after.isascii() and after.isalnum():
            self._emit("_")
        return end

    def _tilde(self, text: str, at: int) -> int:
        end = self._run_end(text, at)
        if end - at == 1:
            self._emit("~")
        return end

    def _backtick(self, text: str, at: int) -> int:
        end = self._run_end(text, at)
        if end >= 0:
            self._in_code = not self._in_code
        return end

    def _run_end(self, text: str, at: int) -> int:
        run = _RUN[text[at]].match(text, at)
        assert run is not None
        return WAIT if self._is_open(text, run.end()) else run.end()

    def _bang(self, text: str, at: int) -> int:
        if self._is_open(text, at + 1):
            return WAIT
        if text[at + 1 : at + 2] != "[":
            self._emit("!")
        return at + 1

    def _open_bracket(self, text: str, at: int) -> int:
        if self._in_code:
            self._emit(" ")
            return at + 1
        region = _CITATION.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()):
            return WAIT
        is_link = text[region.end() : region.end() + 1] == "("
        if _CITATION_DONE.fullmatch(region[0]) and not is_link and (self.last not in "\n " or region[0][1] == "^"):
            return region.end()
        return at + 1

    def _close_bracket(self, text: str, at: int) -> int:
        if self._is_open(text, at + 1):
            return WAIT
        after = text[at + 1 : at + 2]
        if self._in_code or after not in ("(", "["):
            self._emit(" " if self._in_code else "")
            return at + 1
        return self._link_target(text, at) if after == "(" else self._link_reference(text, at)

    def _link_target(self, text: str, at: int) -> int:
        """Skip `(address "title")`, one pair of brackets inside it included; unclosed, it is plain text."""
        start, depth_seen = at + 2, 0
        while True:
            close = self._find(text, start, ")", limit=LINK_CHARS)
            if close < 0:
                return WAIT if close == WAIT else at + 1
            depth_seen += 1
            if text.count("(", at + 2, close) < depth_seen or depth_seen > 3:
                return close + 1
            start = close + 1

    def _link_reference(self, text: str, at: int) -> int:
        close = self._find(text, at + 2, "]", limit=REFERENCE_CHARS)
        if close == WAIT:
            return WAIT
        inner = text[at + 2 : close] if close >= 0 else ""
        is_citation = inner.isdigit() or inner.startswith("^")
        return at + 1 if close == _NONE or is_citation or " " in inner else close + 1

    def _ampersand(self, text: str, at: int) -> int:
        entity = _ENTITY.match(text, at)
        assert entity is not None
        if self._is_open(text, entity.end()) and entity[0][-1] != ";":
            return WAIT
        decoded = html.unescape(entity[0]) if entity[0].endswith(";") else entity[0]
        if decoded != entity[0]:
            self._emit(INVISIBLE.sub("", decoded))
            return entity.end()
        self._emit("&")
        return at + 1

    # -- HTML ----------------------------------------------------------------------------------------------------

    def _less_than(self, text: str, at: int) -> int:
        name = _TAG_NAME.match(text, at)
        assert name is not None
        if self._is_open(text, name.end()) or text[at : at + 4] in ("<!", "<!-") and self._is_open(text, len(text)):
            return WAIT
        if self._in_code:
            return self._not_a_tag(text, at)
        if text.startswith("<!--", at):
            return self._past(text, at, "-->", limit=COMMENT_CHARS, stop="")
        tag = name[0].strip("</").lower() if text[name.end() : name.end() + 1] in _AFTER_TAG_NAME else ""
        if tag in _LEFT_OUT_TAGS or tag in _INLINE_TAGS or tag in _BLOCK_TAGS or tag in _CELL_TAGS:
            return self._tag(text, at, tag=tag, is_opening=name[0][1:2] != "/")
        return self._not_a_tag(text, at)

    def _past(self, text: str, at: int, closer: str, *, limit: int, stop: str = "\n") -> int:
        """Return the place after `closer`; without one, `<` is plain text."""
        found = self._find(text, at, closer, limit=limit, stop=stop)
        if found == _NONE:
            self._emit("<")
            return at + 1
        return found if found == WAIT else found + len(closer)

    def _tag(self, text: str, at: int, *, tag: str, is_opening: bool) -> int:
        if tag in _LEFT_OUT_TAGS and is_opening:
            end = self._past(text, at, ">", limit=TAG_CHARS)
            if end > at + 1:
                self._left_out = _LeftOut(rf"</{tag}\s*>")
            return end
        end = self._past(text, at, ">", limit=TAG_CHARS)
        if end > at + 1:
            self._emit("\n" if tag in _BLOCK_TAGS else "|" if tag in _CELL_TAGS and not is_opening else "")
        return end

    def _not_a_tag(self, text: str, at: int) -> int:
        """Take the angle brackets off `<https://…>`, `<name>`, `List<T>` and a tag in inline code; leave a comparison alone."""
        region = _ANGLED.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()) and region[0][-1] != ">":
            return WAIT
        angled = _ANGLED_DONE.fullmatch(region[0])
        self._emit(f" {angled[1]} " if angled else "<")
        return region.end() if angled else at + 1

    # -- LaTeX and escapes ---------------------------------------------------------------------------------------

    def _formula(self, source: str) -> None:
        self._formulas.append(source)
        self._emit(FORMULA_MARK)

    def _dollar(self, text: str, at: int) -> int:
        if self._is_open(text, at + 1):
            return WAIT
        after = text[at + 1 : at + 2]
        if after == "$":
            return self._block_math(text, at, "$$")
        if self._in_code or after in ("", " ", "\n"):
            return self._plain_dollar(at)
        if after.isdecimal():
            return self._money_or_math(text, at)
        return self._inline_math(text, at)

    def _plain_dollar(self, at: int) -> int:
        self._emit("$")
        return at + 1

    def _money_or_math(self, text: str, at: int) -> int:
        """Tell `$5` and `$5M` from `$5x + 1$` by the two characters after the amount."""
        amount = _MONEY.match(text, at)
        assert amount is not None
        end = amount.end()
        if len(text) < end + 2 and not self._final:
            return WAIT
        is_money = _AFTER_AMOUNT.match(text, end, end + 2) or not _AFTER_MONEY.match(text, end, end + 2)
        return self._plain_dollar(at) if is_money else self._inline_math(text, at)

    def _inline_math(self, text: str, at: int) -> int:
        region = _MATH.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()):
            return WAIT
        done = _MATH_DONE.match(text, at, region.end())
        if done is None:
            return self._plain_dollar(at)
        self._formula(done[1])
        return done.end()

    def _block_math(self, text: str, at: int, closer: str) -> int:
        close = self._find(text, at + 2, closer, limit=BLOCK_MATH_CHARS, stop="")
        if close == WAIT:
            return WAIT
        if close == _NONE:
            return at + 2
        self._formula(text[at + 2 : close])
        return close + len(closer)

    def _backslash(self, text: str, at: int) -> int:
        if self._is_open(text, at + 1):
            return WAIT
        after = text[at + 1 : at + 2]
        if after in ("(", "[") and not self._in_code:
            return self._escaped_math(text, at, "\\)" if after == "(" else "\\]")
        if after.isascii() and after.isalpha():
            return self._command(text, at)
        self._emit(" " if after in ("", "\n", "\\") else after)
        return at + (2 if after and after != "\n" else 1)

    def _escaped_math(self, text: str, at: int, closer: str) -> int:
        limit, stop = (INLINE_MATH_CHARS, "\n") if closer == "\\)" else (BLOCK_MATH_CHARS, "")
        close = self._find(text, at + 2, closer, limit=limit, stop=stop)
        if close == WAIT:
            return WAIT
        if close == _NONE:
            return at + 1
        self._formula(text[at + 2 : close])
        return close + 2

    def _command(self, text: str, at: int) -> int:
        command = _COMMAND.match(text, at)
        assert command is not None
        if self._is_open(text, command.end()):
            return WAIT
        name = re.match(r"\\([A-Za-z]+)", command[0])
        if name is not None and name[1] in _MATH_COMMANDS and not self._in_code:
            self._formula(command[0])
            return command.end()
        self._emit(" ")
        return at + 1

    # -- faces ---------------------------------------------------------------------------------------------------

    def _face(self, text: str, at: int) -> int:
        """Drop a kaomoji such as (╯°□°)╯; a plain bracket passes."""
        region = KAOMOJI_REGION.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()):
            return WAIT
        face = KAOMOJI.match(text, at, region.end())
        if face is not None:
            self._emit(" ")
            return face.end()
        self._emit(text[at])
        return at + 1


_INLINE: Final[dict[str, Callable[[Markup, str, int], int]]] = {
    "*": Markup._star,
    "_": Markup._underscore,
    "~": Markup._tilde,
    "`": Markup._backtick,
    "[": Markup._open_bracket,
    "]": Markup._close_bracket,
    "!": Markup._bang,
    "<": Markup._less_than,
    "&": Markup._ampersand,
    "$": Markup._dollar,
    "\\": Markup._backslash,
    "\n": Markup._newline,
} | dict.fromkeys("(（¯ヽ╮٩ლ乁凸", Markup._face)
