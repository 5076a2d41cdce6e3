"""What a digit can begin: an ordered table of (pattern, reading); the first that fits and does not decline wins.

Shape: a pattern is matched at the digit (or currency sign) against a closed region, never past it. A leading
minus has been taken off by then.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from protocol.speech_text import readings
from protocol.speech_text.tongues import Tongue
from protocol.speech_text.units import CURRENCIES, PER_EN, SCALES, UNITS

Reading = Callable[[re.Match[str], Tongue, str], str]


class Rule(NamedTuple):
    """One kind of quantity."""

    pattern: re.Pattern[str]
    read: Reading
    needs: frozenset[str]
    """One of these characters must stand in the region (empty: none needed); saves most of the matching."""


def _alternatives(symbols: Iterable[str]) -> str:
    return "|".join(re.escape(symbol) for symbol in sorted(symbols, key=len, reverse=True))


_NUM: Final = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
_TO: Final = r" ?[-~—] ?"
_END: Final = r"(?![A-Za-z0-9_])"
_UNIT: Final = _alternatives(UNITS)
_MONEY: Final = _alternatives(CURRENCIES)
_CODES: Final = _alternatives([code for code in CURRENCIES if code.isascii() and code.isalpha()])
_SCALE: Final = _alternatives(SCALES)
_MONTH: Final = r"(1[0-2]|0?[1-9])"
_DAY: Final = r"(3[01]|[12]\d|0?[1-9])"
_ZH_SCALE: Final = "[十百千]?[万亿]"


def _rule(pattern: str, read: Reading, *, needs: str = "") -> Rule:
    return Rule(re.compile(pattern), read, frozenset(needs))


RULES: Final = (
    _rule(rf"(\d{{4}})([-/.]){_MONTH}\2{_DAY}(?:T(?=\d)|(?!\d))", readings.date, needs="-/."),
    _rule(rf"((?:1\d|20)\d\d){_TO}((?:1\d|20)\d\d)(?= ?年)", readings.years, needs="-~—"),
    _rule(r"((?:1[5-9]|20)\d\d)[-—]((?:1[5-9]|20)\d\d)(?![-\d])", readings.years, needs="-~—"),
    _rule(r"((?:19|20)\d\d)[-/](0[1-9]|1[0-2])(?![-/\d])", readings.year_month, needs="-/"),
    _rule(
        r"(?:\+?86[- ]?)?(1[3-9]\d)([- ]?)(\d{4})\2(\d{4})(?!\d)", lambda m, tongue, _: tongue.phone([m[1], m[3], m[4]])
    ),
    _rule(r"([48]00)[- ](\d{3,4})[- ](\d{3,4})(?!\d)", readings.phone, needs="- "),
    _rule(r"(0\d{2,3})[- ](\d{7,8})(?!\d)", readings.phone, needs="- "),
    _rule(r"\d+(?:-\d+){2,}(?![-\d])", readings.digit_groups, needs="-"),
    _rule(r"((?:\d{1,3}\.){3}\d{1,3})(?::(\d{1,5}))?(?![.\d])", readings.address, needs="."),
    _rule(r"\d+(?:\.\d+){2,}", readings.version, needs="."),
    _rule(rf"({_NUM}) ?- ?({_NUM})(?= ?=)", readings.difference, needs="="),
    _rule(rf"({_NUM}) ?/ ?({_NUM})(?= ?=)", readings.division, needs="="),
    _rule(
        r"([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?(?: ?([AaPp])(?:\.[Mm]\.|[Mm]\b))?Z?(?![\d:])",
        readings.clock,
        needs=":",
    ),
    _rule(r"(1[0-2]|[1-9]) ?([AaPp])(?:\.[Mm]\.|[Mm]\b)", readings.hour, needs="mM"),
    _rule(r"\d+(?:\.\d+)?(?: ?: ?\d+(?:\.\d+)?)+", readings.ratio, needs=":"),
    _rule(
        rf"({_MONEY}) ?(?:({_NUM}){_TO}(?:{_MONEY})?)?({_NUM})(?: ?({_SCALE}){_END})?"
        rf"(?: ?({_ZH_SCALE}))?(?: ?(?:元|块|美元|欧元|英镑))?(?:/({_alternatives(PER_EN)}){_END})?",
        readings.money,
        needs="$€£¥₩₹CKRURNDPJGE",
    ),
    _rule(rf"({_NUM}) ?[%‰]?{_TO}({_NUM}) ?([%‰])", readings.percent, needs="%‰"),
    _rule(rf"({_NUM})() ?([%‰])", readings.percent, needs="%‰"),
    _rule(rf"({_NUM})(?: ?({_SCALE}))? ?({_CODES}){_END}", readings.money_code, needs="DYBRPWN"),
    _rule(r"((?:1\d|20)\d0|[1-9]0)'?s(?![A-Za-z0-9])", readings.decade, needs="s"),
    _rule(r"(\d+)(?:st|nd|rd|th)(?![A-Za-z0-9])", readings.ordinal, needs="hdt"),
    _rule(rf"({_NUM})[xX](?![A-Za-z0-9])", readings.times, needs="xX"),
    _rule(r"\d+(?:[xX]\d+)+(?![A-Za-z0-9])", readings.product, needs="xX"),
    _rule(rf"({_NUM})(?:℃|°C)?{_TO[:-2]} ?-({_NUM}) ?({_UNIT}){_END}", readings.negative_range, needs="-"),
    _rule(rf"({_NUM}) ?({_UNIT})?{_TO}({_NUM}) ?({_UNIT}){_END}", readings.quantities, needs="-~—"),
    _rule(rf"({_NUM}) ?({_UNIT}){_END}(?:/({_alternatives(PER_EN)}){_END})?", readings.quantity),
    _rule(rf"({_NUM})-([A-Za-z]{{3,}}(?:-[A-Za-z]+)*)(?![A-Za-z0-9_])", readings.compound, needs="-"),
    _rule(rf"{_MONTH}/{_DAY}(?![\d/.])", readings.month_day, needs="/"),
    _rule(r"(\d+) (\d+)/(\d+)(?![\d/.])", readings.mixed, needs="/"),
    _rule(r"(\d+)/(\d+)(?![\d/.])", readings.fraction, needs="/"),
    _rule(r"(\d{1,3})[.)、](?= |\n)", readings.list_number, needs=".)、"),
    _rule(r"((?:1\d|20)\d\d)(?= ?年)", readings.zh_year, needs="年"),
    _rule(r"((?:1[1-9]|20)\d\d)(?![\d,.]?\d|[A-Za-z%])", readings.en_year),
    _rule(r"(?:3[01]|[12]\d|[1-9])(?![\d:%/]|[.,]\d)", readings.en_day),
    _rule(r"(\d{1,2})·(\d{1,2})(?!\d)", readings.memorial, needs="·"),
    _rule(r"(\d{3,4})(?= ?[室房])", readings.room, needs="室房"),
    _rule(r"\d{3,6}(?!\d|[.,]\d)", readings.extension),
    _rule(r"\d{3,}(?!\d|[.,]\d)", readings.short_phone),
    _rule(r"\d+(?!\d|[.,]\d)", readings.identifier),
    _rule(rf"({_NUM}){_TO}({_NUM})(?![\d/:])(?=( ?.?))", readings.to_number, needs="-~—"),
    _rule(rf"({_NUM})(?=( ?.?))", readings.number),
)
PATTERN_NAME: Final = re.compile(r"\d+[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")
"""5G, 4K, 3D, 7zip: a name that begins with a digit, left as it is."""


def read_quantity(text: str, at: int, *, end: int, tongue: Tongue, before: str) -> tuple[int, str]:
    """Return (where the quantity ends, its words) for the digit or currency sign at `at`; the region ends at `end`."""
    present = frozenset(text[at:end])
    for rule in RULES:
        if rule.needs and rule.needs.isdisjoint(present):
            continue
        m = rule.pattern.match(text, at, end)
        if m is not None and (words := rule.read(m, tongue, before)):
            return m.end(), words
    return at + 1, ""
