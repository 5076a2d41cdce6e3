"""Block marks at the start of a line, and the parts of an answer that are left out: code, thoughts, footnotes."""

import re
from typing import Final

from protocol.speech_text.characters import CODE_MARK
from protocol.speech_text.scan import WAIT, LeftOut, Scan

LINE_MARK_CHARS: Final = 120
CLOSING_CHARS: Final = 24
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
_WRAPPERS: Final = frozenset(("markdown", "md"))


def leave_out(scan: Scan, text: str, at: int, what: LeftOut) -> int:
    if what.is_fence:
        return _leave_out_code_line(scan, text, at, what)
    found = what.end.search(text, at)
    if found is None:
        return len(text) if scan.final else _keep_only(scan, text, at)
    scan.left_out = None
    scan.at_line_start = True
    return found.end()


def _keep_only(scan: Scan, text: str, at: int) -> int:
    """Forget all but what may be the first part of the closing tag."""
    return len(text) - CLOSING_CHARS if len(text) - at > CLOSING_CHARS else WAIT


def _leave_out_code_line(scan: Scan, text: str, at: int, what: LeftOut) -> int:
    newline = text.find("\n", at)
    if newline < 0 and not scan.final:
        return _leave_out_part_of_line(scan, text, at, what)
    line = text[at:] if newline < 0 else text[at:newline]
    if what.is_fresh_line and what.end.fullmatch(line):
        scan.left_out = None
        return at + len(line)
    what.is_fresh_line = True
    return at + len(line) + (newline >= 0)


def _leave_out_part_of_line(scan: Scan, text: str, at: int, what: LeftOut) -> int:
    """Hold a line while it may still be the closing fence; else forget it as it comes."""
    if what.is_fresh_line and not text[at:].strip("`~ \t>") and len(text) - at < LINE_MARK_CHARS:
        return WAIT
    what.is_fresh_line = False
    return len(text)


def line_step(scan: Scan, text: str, at: int) -> int:
    if text[at] not in _LINE_MARK:
        scan.at_line_start = False
        return at
    if text[at] == "[":
        return _line_bracket(scan, text, at)
    marks = _LINE_MARKS.match(text, at)
    assert marks is not None
    end = marks.end()
    if scan.is_open(text, end) and end - at < LINE_MARK_CHARS:
        return WAIT
    fence = _FENCE.match(text, at, end)
    if fence is not None:
        return _fence(scan, text, fence)
    if _RULE.match(text, at, end) and (text[end : end + 1] in ("", "\n") or end - at == LINE_MARK_CHARS):
        return end
    for mark in (_QUOTE, _BULLET, _HEADING):
        found = mark.match(text, at, end)
        if found is not None:
            return found.end()
    return _begin_text(scan, text, at, end)


def _begin_text(scan: Scan, text: str, at: int, end: int) -> int:
    scan.at_line_start = False
    lead = _ROW.match(text, at, end) or _INDENT.match(text, at, end)
    return at if lead is None else lead.end()


def _fence(scan: Scan, text: str, fence: re.Match[str]) -> int:
    info = _FENCE_INFO.match(text, fence.end())
    assert info is not None
    if scan.is_open(text, info.end()):
        return WAIT
    if text[info.end() : info.end() + 1] == "`":
        scan.at_line_start = False
        return fence.end()
    if info[0].strip().lower() in _WRAPPERS or (scan.in_wrapper and not info[0].strip()):
        scan.in_wrapper = not scan.in_wrapper
        return info.end()
    scan.emit(CODE_MARK)
    char = fence[1][0]
    scan.left_out = LeftOut(rf"[ \t>]*{char}{{{len(fence[1])},}}[ \t]*", is_fence=True)
    return _past_newline(text, info.end())


def _past_newline(text: str, at: int) -> int:
    return at + 1 if text[at : at + 1] == "\n" else at


def _line_bracket(scan: Scan, text: str, at: int) -> int:
    """Judge a task box, a footnote's text (left out to the line's end) or a link definition (left out too)."""
    region = _DEFINITION.match(text, at)
    assert region is not None
    if scan.is_open(text, region.end()):
        return WAIT
    if _TASK.match(text, at):
        return at + 4
    if _DEFINITION_DONE.match(text, at, region.end()):
        scan.left_out = LeftOut(r"(?=\n)")
        return region.end()
    scan.at_line_start = False
    return at
