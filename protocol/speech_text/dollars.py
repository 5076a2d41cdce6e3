"""LaTeX between dollars or after a backslash, told from money and from escapes."""

import re
from typing import Final

from protocol.speech_text.characters import HAN
from protocol.speech_text.scan import NONE, WAIT, Scan

INLINE_MATH_CHARS: Final = 200
BLOCK_MATH_CHARS: Final = 1000
_COMMAND: Final = re.compile(r"\\[A-Za-z]{1,16}(?:\{[^{}\n]{0,40}\}?){0,2}")
_MONEY: Final = re.compile(r"\$\d[\d.,]{0,15}")
_AFTER_MONEY: Final = re.compile(r"(?: ?[+\-*=^<>\\]|[_({]|[A-Za-z])")
_AFTER_AMOUNT: Final = re.compile(r"(?:[KkMBTb]|bn)(?![A-Za-z0-9^_])")
_MATH: Final = re.compile(
    rf"\$(?:\{{[^{{}}$\n]{{0,60}}\}}?|\.(?! )|[^$\n.{HAN}，。！？；：]){{0,{INLINE_MATH_CHARS}}}(?:\$.?)?", re.DOTALL
)
_MATH_DONE: Final = re.compile(r"\$(?!\s)([^$]+)(?<!\s)\$(?!\d)")
_MATH_COMMANDS: Final = frozenset(
    "times div cdot pm leq geq le ge neq ne approx frac sqrt pi alpha beta gamma delta theta lambda mu sigma omega "
    "infty to rightarrow Rightarrow circ degree sum int".split()
)


def dollar(scan: Scan, text: str, at: int) -> int:
    if scan.is_open(text, at + 1):
        return WAIT
    after = text[at + 1 : at + 2]
    if after == "$":
        return _block_math(scan, text, at, "$$")
    if scan.in_code or after in ("", " ", "\n"):
        return _plain_dollar(scan, at)
    if after.isdecimal():
        return _money_or_math(scan, text, at)
    return _inline_math(scan, text, at)


def _plain_dollar(scan: Scan, at: int) -> int:
    scan.emit("$")
    return at + 1


def _money_or_math(scan: Scan, text: str, at: int) -> int:
    """Tell `$5` and `$5M` from `$5x + 1$` by the two characters after the amount."""
    amount = _MONEY.match(text, at)
    assert amount is not None
    end = amount.end()
    if len(text) < end + 2 and not scan.final:
        return WAIT
    is_money = _AFTER_AMOUNT.match(text, end, end + 2) or not _AFTER_MONEY.match(text, end, end + 2)
    return _plain_dollar(scan, at) if is_money else _inline_math(scan, text, at)


def _inline_math(scan: Scan, text: str, at: int) -> int:
    region = _MATH.match(text, at)
    assert region is not None
    if scan.is_open(text, region.end()):
        return WAIT
    done = _MATH_DONE.match(text, at, region.end())
    if done is None:
        return _plain_dollar(scan, at)
    scan.formula(done[1])
    return done.end()


def _block_math(scan: Scan, text: str, at: int, closer: str) -> int:
    close = scan.find(text, at + 2, closer, limit=BLOCK_MATH_CHARS, stop="")
    if close == WAIT:
        return WAIT
    if close == NONE:
        return at + 2
    scan.formula(text[at + 2 : close])
    return close + len(closer)


def backslash(scan: Scan, text: str, at: int) -> int:
    if scan.is_open(text, at + 1):
        return WAIT
    after = text[at + 1 : at + 2]
    if after in ("(", "[") and not scan.in_code:
        return _escaped_math(scan, text, at, "\\)" if after == "(" else "\\]")
    if after.isascii() and after.isalpha():
        return _command(scan, text, at)
    scan.emit(" " if after in ("", "\n", "\\") else after)
    return at + (2 if after and after != "\n" else 1)


def _escaped_math(scan: Scan, text: str, at: int, closer: str) -> int:
    limit, stop = (INLINE_MATH_CHARS, "\n") if closer == "\\)" else (BLOCK_MATH_CHARS, "")
    close = scan.find(text, at + 2, closer, limit=limit, stop=stop)
    if close == WAIT:
        return WAIT
    if close == NONE:
        return at + 1
    scan.formula(text[at + 2 : close])
    return close + 2


def _command(scan: Scan, text: str, at: int) -> int:
    command = _COMMAND.match(text, at)
    assert command is not None
    if scan.is_open(text, command.end()):
        return WAIT
    name = re.match(r"\\([A-Za-z]+)", command[0])
    if name is not None and name[1] in _MATH_COMMANDS and not scan.in_code:
        scan.formula(command[0])
        return command.end()
    scan.emit(" ")
    return at + 1
