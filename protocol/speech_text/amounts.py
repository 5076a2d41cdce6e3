"""Amounts and words: the two lexemes that are given a region before they are read.

Every region pattern is a chain of optional greedy parts without look-around: cut anywhere, its beginning
matches too, so that a region is closed exactly when a character outside it has come.
"""

import re
from typing import Final

from protocol.speech_text.characters import HAN
from protocol.speech_text.chinese import CHINESE
from protocol.speech_text.page import WAIT, Page
from protocol.speech_text.quantities import PATTERN_NAME, read_quantity
from protocol.speech_text.words import LETTERS, PLAIN, read_word

WORD_CHARS: Final = 256

_HAN: Final = re.compile(f"[{HAN}]")
_LOWER: Final = "\u00df-\u00f6\u00f8-\u00ff\u03b1-\u03c9\u0430-\u045f"
_WORD: Final = re.compile(rf"[{LETTERS}][{LETTERS}0-9_.@:/\-+#&'’%?=~!]{{0,{WORD_CHARS}}}")
_BODY: Final = r"[A-Za-z0-9.,:)·/\-+%‰°℃℉*×÷=^~_'—Ωμµ€£¥$]"
_QUANTITY: Final = re.compile(
    rf"(?:[A-Z]{{0,3}}[$€£¥₩₹]?)? ?(?:[0-9]{_BODY}{{0,120}})?"
    rf"(?: ?[-+*/×÷=~—<>≈:]{{0,2}} ?(?:[0-9]{_BODY}{{0,40}})?){{0,4}}"
    rf"(?: ?[A-Za-z%‰°℃℉μΩ/$€£¥][A-Za-z%°℃^0-9/.]{{0,14}})?"
    rf"(?: ?[十百千万亿]{{0,3}}[{HAN}]?)?"
)
_PLAIN_WORD: Final = re.compile(rf"([A-Za-z]?[a-z{_LOWER}]+(?:['’-][a-z]+)*)[.!?:~]*")
_CODES: Final = frozenset("USD CNY RMB EUR GBP JPY KRW HKD TWD INR SGD AUD CAD US HK NT S A C No.".split())
_CODE_AMOUNT: Final = re.compile(r"(?:(?:US|HK|NT|[SAC])\$ ?|[A-Z]{3} ?)\d")
_NUMBER_WORD: Final = re.compile(r"No\. ?(?=\d)")
_TOUCH: Final = re.compile(rf"[^.,:) {HAN}] {{0,2}}[{HAN}]{{1,4}}$")
_SCALE_HAN: Final = "十百千万亿"


def amount(page: Page, text: str, at: int, *, negative: bool = False) -> int:
    start = at + negative
    region = _QUANTITY.match(text, start)
    assert region is not None
    end = region.end()
    ends_in_han = bool(_HAN.match(text[end - 1]))
    if page.is_open(text, end) and (not ends_in_han or text[end - 1] in _SCALE_HAN):
        return WAIT
    tongue = CHINESE if ends_in_han and _TOUCH.search(text, start, end) else page.tongue(text, at)
    if tongue is None:
        return WAIT
    stop, words = read_quantity(text, start, end=end, tongue=tongue, before=page.before + "-" * negative)
    name = PATTERN_NAME.match(text, start, end)
    if name is not None and name.end() > stop:
        stop, words = name.end(), name[0]
        page.write(words)
    elif negative and words:
        is_temperature = text[start:stop].endswith(("℃", "°C"))
        page.say(tongue.negative(words, is_temperature=is_temperature), tongue)
    elif words:
        page.say(words, tongue)
    return stop


def word(page: Page, text: str, at: int) -> int:
    region = _WORD.match(text, at)
    if region is None:
        page.write(text[at])
        return at + 1
    end = region.end()
    if page.is_open(text, end):
        return WAIT
    if region[0] in _CODES:
        return _code_word(page, text, at, region)
    plain = _PLAIN_WORD.fullmatch(region[0])
    if plain is not None:
        page.write(plain[1])
        return at + plain.end(1)
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    stop, words = read_word(text, at, end=end, tongue=tongue, before=page.before)
    page.write(words)
    return stop


def _code_word(page: Page, text: str, at: int, region: re.Match[str]) -> int:
    """Judge a word that may be a currency's code before an amount, or No. before a number."""
    if len(text) < region.end() + 3 and not page.final:
        return WAIT
    ahead = text[: region.end() + 3]
    number = _NUMBER_WORD.match(ahead, at)
    if number is not None:
        return _number_word(page, text, at, number.end())
    if _CODE_AMOUNT.match(ahead, at):
        return amount(page, text, at)
    word = PLAIN.match(region[0])
    assert word is not None
    page.write(word[0])
    return at + word.end()


def _number_word(page: Page, text: str, at: int, end: int) -> int:
    tongue = page.tongue(text, at)
    if tongue is None:
        return WAIT
    page.say(("第", "number ")[tongue.index], tongue)
    return end
