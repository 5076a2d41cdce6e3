"""Square brackets: links and images give their words, citations and footnote signs disappear."""

import re
from typing import Final

from protocol.speech_text.scan import NONE, WAIT, Scan

LINK_CHARS: Final = 512
REFERENCE_CHARS: Final = 48
_CITATION: Final = re.compile(r"\[(?:\^[^\[\]\n]{0,40}|r(?:e(?:f(?:_\d{0,3})?)?)?|\d{0,3})\]?")
_CITATION_DONE: Final = re.compile(r"\[(?:\^[^\]]+|(?:ref_)?\d+)\]")


def bang(scan: Scan, text: str, at: int) -> int:
    if scan.is_open(text, at + 1):
        return WAIT
    if text[at + 1 : at + 2] != "[":
        scan.emit("!")
    return at + 1


def open_bracket(scan: Scan, text: str, at: int) -> int:
    if scan.in_code:
        scan.emit(" ")
        return at + 1
    region = _CITATION.match(text, at)
    assert region is not None
    if scan.is_open(text, region.end()):
        return WAIT
    is_link = text[region.end() : region.end() + 1] == "("
    if _CITATION_DONE.fullmatch(region[0]) and not is_link and (scan.last not in "\n " or region[0][1] == "^"):
        return region.end()
    return at + 1


def close_bracket(scan: Scan, text: str, at: int) -> int:
    if scan.is_open(text, at + 1):
        return WAIT
    after = text[at + 1 : at + 2]
    if scan.in_code or after not in ("(", "["):
        scan.emit(" " if scan.in_code else "")
        return at + 1
    return _link_target(scan, text, at) if after == "(" else _link_reference(scan, text, at)


def _link_target(scan: Scan, text: str, at: int) -> int:
    """Skip `(address "title")`, one pair of brackets inside it included; unclosed, it is plain text."""
    start, depth_seen = at + 2, 0
    while True:
        close = scan.find(text, start, ")", limit=LINK_CHARS)
        if close < 0:
            return WAIT if close == WAIT else at + 1
        depth_seen += 1
        if text.count("(", at + 2, close) < depth_seen or depth_seen > 3:
            return close + 1
        start = close + 1


def _link_reference(scan: Scan, text: str, at: int) -> int:
    close = scan.find(text, at + 2, "]", limit=REFERENCE_CHARS)
    if close == WAIT:
        return WAIT
    inner = text[at + 2 : close] if close >= 0 else ""
    is_citation = inner.isdigit() or inner.startswith("^")
    return at + 1 if close == NONE or is_citation or " " in inner else close + 1
