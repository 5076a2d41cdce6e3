"""What begins with a sign: operators and arrows, a minus, powers, dots, brackets, smileys, and the marks of stage 1."""

import re
from typing import Final

from protocol.speech_text.amounts import amount
from protocol.speech_text.characters import CODE_MARK, FORMULA_MARK, NAME_DOT
from protocol.speech_text.faces import EMOTICON, EMOTICON_REGION
from protocol.speech_text.formulas import read_formula
from protocol.speech_text.page import WAIT, Page
from protocol.speech_text.symbols import SIGNS, read_symbol

_SYMBOL: Final = re.compile(rf"[+\-*/=<>%^~#&@|\\_!`{SIGNS}]{{1,16}} {{0,2}}[^ ]?", re.DOTALL)
_SIGN_RUN: Final = re.compile(rf"[+\-*/=<>%^~#&@|\\_!`{SIGNS}]+")
_POWER: Final = re.compile(r"\^-?[0-9^]{0,8}")
_POWER_DONE: Final = re.compile(r"\^(-?)((?:\^?[0-9])+)")
_DOTS: Final = re.compile(r"\.{1,16}[^.]?", re.DOTALL)
_BRACKET: Final = re.compile(r"\((?:[0-9]{1,3}\)? ?[0-9-]{0,9})?")
_BRACKET_PHONE: Final = re.compile(r"\((\d{3})\) ?(\d{3})-(\d{4})")


def sign(page: Page, text: str, at: int) -> int:
    char = text[at]
    if char == ".":
        return _dots(page, text, at)
    if char == "(":
        return _bracket(page, text, at)
    if char == ":":
        return _colon(page, text, at)
    if char == "^":
        return _power(page, text, at)
    if char in (CODE_MARK, FORMULA_MARK):
        return _mark(page, text, at)
    return _symbol(page, text, at)


def _symbol(page: Page, text: str, at: int) -> int:
    region, run = _SYMBOL.match(text, at), _SIGN_RUN.match(text, at)
    if region is None or run is None:
        return at + 1
    if page.is_open(text, region.end()) and (region[0][-1] == " " or region.end() == min(run.end(), at + 16)):
        return WAIT
    if text[at] == "!" and not run[0].startswith("!="):
        page.write("!")
        return at + 1
    if _is_minus(page, text, at):
        return amount(page, text, at, negative=True)
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    signs = run[0][:16]
    size, words = read_symbol(signs, page.before, region[0][len(signs) :], tongue)
    page.say(words, tongue) if words.strip() else page.write(words)
    return at + size


def _is_minus(page: Page, text: str, at: int) -> bool:
    """A minus sign stands before a number and after nothing that could be its left-hand side."""
    left = page.before[-1:]
    has_left = left.isascii() and left.isalnum() or left in tuple("%℃°)）日月年时分点号")
    return text[at] == "-" and text[at + 1 : at + 2] in tuple("0123456789$€£¥") and not has_left


def _power(page: Page, text: str, at: int) -> int:
    region = _POWER.match(text, at)
    assert region is not None
    if page.is_open(text, region.end()):
        return WAIT
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    power = _POWER_DONE.match(region[0])
    if power is None or not page.before[-1:].isalnum() and page.before[-1:] not in (")", "）"):
        return at + 1
    sign = tongue.minus if power[1] else ""
    words = tongue.power(
        [sign, tongue.number(power[2].replace("^", ""))] if sign else [tongue.number(power[2].replace("^", ""))]
    )
    page.say(tongue.join_math(["", *words]), tongue)
    return at + power.end()


def _dots(page: Page, text: str, at: int) -> int:
    region = _DOTS.match(text, at)
    assert region is not None
    count = len(region[0]) - len(region[0].lstrip("."))
    if page.is_open(text, region.end()) and count == len(region[0]):
        return WAIT
    after, left = region[0][count:], page.before[-1:]
    if count > 1:
        page.write("…")
        return at + count
    if after.isdigit() and not left.isalnum():
        return _bare_fraction(page, text, at)
    return _single_dot(page, text, at, after)


def _bare_fraction(page: Page, text: str, at: int) -> int:
    """Read .5 as 0.5."""
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    page.say(tongue.number("0") + ("点", " point ")[tongue.index], tongue)
    return at + 1


def _single_dot(page: Page, text: str, at: int, after: str) -> int:
    left = page.before[-1:]
    if not (after.isascii() and after.isalpha()) or left.isalnum() or left in (")", '"', "'"):
        page.write(".")
        return at + 1
    if after == "N":
        page.write(NAME_DOT)
        return at + 1
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    page.say(tongue.dot, tongue)
    return at + 1


def _bracket(page: Page, text: str, at: int) -> int:
    region = _BRACKET.match(text, at)
    assert region is not None
    if page.is_open(text, region.end()):
        return WAIT
    phone = _BRACKET_PHONE.match(text, at, region.end())
    if phone is None:
        page.write("(")
        return at + 1
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    page.say(tongue.phone(phone.groups()), tongue)
    return phone.end()


def _colon(page: Page, text: str, at: int) -> int:
    region = EMOTICON_REGION.match(text, at)
    assert region is not None
    if page.is_open(text, region.end()):
        return WAIT
    face = EMOTICON.match(text, at, region.end())
    is_face = face is not None and not (page.before[-1:].isascii() and page.before[-1:].isalnum())
    if face is not None and is_face:
        return face.end()
    page.write(":")
    return at + 1


def _mark(page: Page, text: str, at: int) -> int:
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    if text[at] == CODE_MARK:
        page.write(f"\n{tongue.code_omitted}")
    else:
        page.say(read_formula(page.formulas.popleft(), tongue), tongue)
    return at + 1
