"""Marks in a line that are judged by their neighbours: emphasis, code, line breaks, and faces.

Emphasis needs no partner: a `*` or `_` is judged by the characters before and after it, so an unclosed `**`
costs nothing.
"""

import re
from typing import Final

from protocol.speech_text.faces import KAOMOJI, KAOMOJI_REGION
from protocol.speech_text.scan import WAIT, Scan

_RUN: Final = {char: re.compile(re.escape(char) + "{1,64}") for char in "*_~`"}
_TERM_END: Final = re.compile(r"[^\W_]|\)")
_TERM_START: Final = re.compile(r"[^\W_]|\(")


def newline(scan: Scan, text: str, at: int) -> int:
    scan.in_code = False
    scan.at_line_start = True
    scan.emit("\n")
    return at + 1


def _neighbours(scan: Scan, text: str, end: int) -> tuple[bool, bool, bool]:
    """Tell whether a mark that ends at `end` stands between two letters or digits, two spaces, two digits."""
    before, after = scan.last, text[end : end + 1]
    words = bool(_TERM_END.match(before) and _TERM_START.match(after))
    return words, before == " " and after == " ", before.isdigit() and after.isdigit()


def star(scan: Scan, text: str, at: int) -> int:
    """Keep a sign of multiplication or of a power, drop emphasis."""
    end = _run_end(scan, text, at)
    if end < 0:
        return WAIT
    words, spaces, digits = _neighbours(scan, text, end)
    if end - at == 1 and (words or spaces):
        scan.emit("*")
    elif end - at == 2 and digits:
        scan.emit("^")
    return end


def underscore(scan: Scan, text: str, at: int) -> int:
    """Keep the underscore of a name, drop emphasis."""
    end = _run_end(scan, text, at)
    if end < 0:
        return WAIT
    before, after = scan.last, text[end : end + 1]
    if before.isascii() and before.isalnum() and after.isascii() and after.isalnum():
        scan.emit("_")
    return end


def tilde(scan: Scan, text: str, at: int) -> int:
    end = _run_end(scan, text, at)
    if end - at == 1:
        scan.emit("~")
    return end


def backtick(scan: Scan, text: str, at: int) -> int:
    end = _run_end(scan, text, at)
    if end >= 0:
        scan.in_code = not scan.in_code
    return end


def _run_end(scan: Scan, text: str, at: int) -> int:
    run = _RUN[text[at]].match(text, at)
    assert run is not None
    return WAIT if scan.is_open(text, run.end()) else run.end()


def face(scan: Scan, text: str, at: int) -> int:
    """Drop a kaomoji such as (╯°□°)╯; a plain bracket passes."""
    region = KAOMOJI_REGION.match(text, at)
    assert region is not None
    if scan.is_open(text, region.end()):
        return WAIT
    face = KAOMOJI.match(text, at, region.end())
    if face is not None:
        scan.emit(" ")
        return face.end()
    scan.emit(text[at])
    return at + 1
