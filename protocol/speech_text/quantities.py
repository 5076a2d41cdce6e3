"""What a digit can begin: an ordered table of (pattern, reading); the first pattern that fits and does not decline wins.

Shape: a pattern is matched at the digit (or currency sign) against a closed region, never past it.  A reading gets the match, the tongue
and the text before, and returns words, or "" to decline.  A leading minus has been taken off by then.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from protocol.speech_text.characters import HAN
from protocol.speech_text.tongues import CHINESE, Tongue
from protocol.speech_text.units import CENTS, CURRENCIES, MEASURES, PER_EN, PER_ZH, SCALES, UNITS

Reading = Callable[[re.Match[str], Tongue, str], str]


class Rule(NamedTuple):
    """One kind of quantity."""

    pattern: re.Pattern[str]
    read: Reading
    needs: frozenset[str]
    """One of these characters must stand in the region (empty: none needed); saves most of the matching."""


def _alternatives(symbols: object) -> str:
    return "|".join(re.escape(symbol) for symbol in sorted(symbols, key=len, reverse=True))  # type: ignore[call-overload]


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

_PHONE_WORDS: Final = re.compile(r"(?:拨打?|电话|热线|致电|呼叫|客服|报警|打|call|dial|phone)\W{0,3}\Z", re.IGNORECASE)
_SHORT_PHONES: Final = re.compile(r"1(?:10|12|14|17|19|20|22)|9[569]\d{3}|1\d{4}|12\d{3}")
_ID_WORDS: Final = re.compile(
    r"(?:编号|号码|密码|验证码|邮编|学号|工号|单号|卡号|尾号|账号|房间号?|航班|车次|取件码|口令|QQ号?|code|PIN|ID|zip|No|flight|room|password)"
    r"[是为号]?\W{0,3}(?:is )?\Z",
    re.IGNORECASE,
)
_RATIO_WORDS: Final = re.compile(r"(?:比例|比分|比率|比为|以|score\w*|ratio\w*|won|lost|beat\w*)\W{0,2}(?:[是为约]|of|is|by)?\W{0,2}\Z", re.IGNORECASE)
_YEAR_WORDS: Final = re.compile(
    r"\b(?:in|since|by|until|till|from|before|after|during|year|of|early|late|mid|around|circa|"
    r"January|February|March|April|May|June|July|August|September|October|November|December|"
    r"spring|summer|autumn|fall|winter|to)[ ,]{1,2}\Z",
    re.IGNORECASE,
)
_MONTH_NAME: Final = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
_AFTER_MONTH: Final = re.compile(rf"\b{_MONTH_NAME}\.? \Z")
_AFTER_DAY: Final = re.compile(rf"\b{_MONTH_NAME}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \Z")
_NEAR_CHARS: Final = 20
_LIST_LINE: Final = re.compile(r"(?:^|\n)\s*\Z")


def _plain(number: str) -> str:
    return number.replace(",", "")


def _date(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.date(m[1], m[3], m[4]) + (" " if tongue.index and m[0][-1] == "T" else "")


def _year_month(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.date(m[1], m[2], "")


def _month_day(m: re.Match[str], tongue: Tongue, before: str) -> str:
    """Take a/b for a date when b cannot be the bottom of an everyday fraction."""
    dated = re.search(r"(?:日期|截至|截止|于|在|on|by|until|due|since)\W?$", before)
    is_date = int(m[2]) > 12 and m[2] not in ("16",) or bool(dated)
    return tongue.date("", m[1], m[2]) if is_date else ""


def _years(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.year(m[1]) + tongue.to + tongue.year(m[2])


def _phone(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.phone([group for group in m.groups() if group])


def _digit_groups(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.phone(m[0].split("-"))


def _short_phone(m: re.Match[str], tongue: Tongue, before: str) -> str:
    if not _PHONE_WORDS.search(before[-_NEAR_CHARS:]):
        return ""
    return tongue.phone([m[0]]) if _SHORT_PHONES.fullmatch(m[0]) or len(m[0]) >= 7 else ""


def _address(m: re.Match[str], tongue: Tongue, _: str) -> str:
    port = f"{tongue.pause}{tongue.digits(m[2])}" if m[2] else ""
    return tongue.dotted(m[1].split("."), by_digit=True) + port


def _version(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.dotted(m[0].split("."), by_digit=False)


def _difference(m: re.Match[str], tongue: Tongue, _: str) -> str:
    space = " " if tongue.index else ""
    return f"{tongue.number(_plain(m[1]))}{space}{('减', 'minus')[tongue.index]}{space}{tongue.number(_plain(m[2]))}"


def _division(m: re.Match[str], tongue: Tongue, _: str) -> str:
    word = ("除以", " divided by ")[tongue.index]
    return tongue.number(_plain(m[1])) + word + tongue.number(_plain(m[2]))


def _clock(m: re.Match[str], tongue: Tongue, before: str) -> str:
    if _RATIO_WORDS.search(before[-_NEAR_CHARS:]) and not m[3] and not m[4]:
        return ""
    return tongue.clock(m[1], m[2], m[3] or "", half=(m[4] or "").lower())


def _hour(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.clock(m[1], "00", "", half=m[2].lower())


def _ratio(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.ratio([part.strip() for part in m[0].split(":")])


def _percent(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.percent(_plain(m[1]), _plain(m[2] or ""), of=100 if m[3] == "%" else 1000)


def _money(m: re.Match[str], tongue: Tongue, _: str) -> str:
    currency, low, amount = CURRENCIES[m[1]], m[2], _plain(m[3])
    scale, zh_scale, per = m[4] or "", m[5] or "", m[6] or ""
    start = tongue.number(_plain(low)) + tongue.to if low else ""
    if zh_scale:
        return start + CHINESE.number(amount) + zh_scale + currency.zh
    spoken = start + tongue.money(amount, currency, power=SCALES.get(scale, 0), cent=CENTS.get(m[1], ""))
    return spoken + _per(per, tongue)


def _per(unit: str, tongue: Tongue) -> str:
    if not unit:
        return ""
    return f" per {PER_EN[unit]}" if tongue.index else f"每{PER_ZH[unit]}"


def _money_code(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.money(_plain(m[1]), CURRENCIES[m[3]], power=SCALES.get(m[2] or "", 0), cent="")


def _quantity(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.quantity(_plain(m[1]), UNITS[m[2]]) + _per(m[3] or "", tongue)


def _quantities(m: re.Match[str], tongue: Tongue, before: str) -> str:
    """10~20℃ and 10℃~20℃ name the unit once; after a minus each keeps its own."""
    if before.endswith("-") and m[2]:
        return ""
    low = "两" if m[1] == "2" and not tongue.index else tongue.number(_plain(m[1]))
    return low + tongue.to + tongue.quantity(_plain(m[3]), UNITS[m[4]])


def _negative_range(m: re.Match[str], tongue: Tongue, _: str) -> str:
    """-5~-2℃ after its first minus: the second number carries its own."""
    unit = UNITS[m[3]]
    is_temperature = m[3] in ("℃", "°C")
    first = tongue.quantity(m[1], unit) if is_temperature else tongue.number(m[1])
    return first + tongue.to + tongue.negative(tongue.quantity(m[2], unit), is_temperature=is_temperature)


def _decade(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.decade(m[1])


def _ordinal(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.ordinal(m[1])


def _fraction(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.fraction(m[1], m[2]) if int(m[2]) else ""


def _mixed(m: re.Match[str], tongue: Tongue, _: str) -> str:
    """2 1/2 → two and one half, 二又二分之一."""
    joint = " and " if tongue.index else "又"
    return tongue.number(m[1]) + joint + tongue.fraction(m[2], m[3])


def _times(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.times(m[1])


def _product(m: re.Match[str], tongue: Tongue, _: str) -> str:
    word = ("乘", " by ")[tongue.index]
    return word.join(tongue.number(part) for part in re.split(r"[xX]", m[0]))


def _list_number(m: re.Match[str], tongue: Tongue, before: str) -> str:
    return tongue.number(m[1]) + tongue.pause if _LIST_LINE.search(before[-_NEAR_CHARS:]) else ""


def _zh_year(m: re.Match[str], _: Tongue, __: str) -> str:
    return CHINESE.digits(m[1])


def _en_year(m: re.Match[str], tongue: Tongue, before: str) -> str:
    is_year = _YEAR_WORDS.search(before[-_NEAR_CHARS:]) or _AFTER_DAY.search(before[-_NEAR_CHARS:])
    return tongue.year(m[1]) if tongue.index and is_year else ""


def _en_day(m: re.Match[str], tongue: Tongue, before: str) -> str:
    return tongue.ordinal(m[0]) if tongue.index and _AFTER_MONTH.search(before[-_NEAR_CHARS:]) else ""


def _compound(m: re.Match[str], tongue: Tongue, _: str) -> str:
    """3-day → three-day."""
    return tongue.number(_plain(m[1])) + ("-" if tongue.index else " ") + m[2]


def _identifier(m: re.Match[str], tongue: Tongue, before: str) -> str:
    """Say digit by digit what is no amount: leading zeros, nine digits or more, codes and numbers of rooms or cards."""
    digits = m[0]
    is_round = digits.endswith("0000") and len(digits) <= 13
    is_code = before[-1:].isdigit() or len(digits) >= 3 and bool(_ID_WORDS.search(before[-_NEAR_CHARS:]))
    if (len(digits) > 1 and digits[0] == "0") or (len(digits) >= 9 and not is_round) or is_code:
        return tongue.digits(digits)
    return ""


def _number(m: re.Match[str], tongue: Tongue, before: str) -> str:
    return _counted(_plain(m[1]), m[2].strip(), tongue, before)


def _counted(number: str, after: str, tongue: Tongue, before: str) -> str:
    """Read a number before the thing it counts: 2 is 两 before 个, but not in 第2个."""
    is_pair = number == "2" and after in MEASURES and not tongue.index and not before.endswith("第")
    return "两" if is_pair else tongue.number(number)


def _to_number(m: re.Match[str], tongue: Tongue, before: str) -> str:
    after = m[3].strip()
    return _counted(_plain(m[1]), after, tongue, before) + tongue.to + _counted(_plain(m[2]), after, tongue, before)


def _rule(pattern: str, read: Reading, *, needs: str = "") -> Rule:
    return Rule(re.compile(pattern), read, frozenset(needs))


RULES: Final = (
    _rule(rf"(\d{{4}})([-/.]){_MONTH}\2{_DAY}(?:T(?=\d)|(?!\d))", _date, needs="-/."),
    _rule(rf"((?:1\d|20)\d\d){_TO}((?:1\d|20)\d\d)(?= ?年)", _years, needs="-~—"),
    _rule(r"((?:1[5-9]|20)\d\d)[-—]((?:1[5-9]|20)\d\d)(?![-\d])", _years, needs="-~—"),
    _rule(r"((?:19|20)\d\d)[-/](0[1-9]|1[0-2])(?![-/\d])", _year_month, needs="-/"),
    _rule(r"(?:\+?86[- ]?)?(1[3-9]\d)([- ]?)(\d{4})\2(\d{4})(?!\d)", lambda m, tongue, _: tongue.phone([m[1], m[3], m[4]])),
    _rule(r"([48]00)[- ](\d{3,4})[- ](\d{3,4})(?!\d)", _phone, needs="- "),
    _rule(r"(0\d{2,3})[- ](\d{7,8})(?!\d)", _phone, needs="- "),
    _rule(r"\d+(?:-\d+){2,}(?![-\d])", _digit_groups, needs="-"),
    _rule(r"((?:\d{1,3}\.){3}\d{1,3})(?::(\d{1,5}))?(?![.\d])", _address, needs="."),
    _rule(r"\d+(?:\.\d+){2,}", _version, needs="."),
    _rule(rf"({_NUM}) ?- ?({_NUM})(?= ?=)", _difference, needs="="),
    _rule(rf"({_NUM}) ?/ ?({_NUM})(?= ?=)", _division, needs="="),
    _rule(r"([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?(?: ?([AaPp])(?:\.[Mm]\.|[Mm]\b))?Z?(?![\d:])", _clock, needs=":"),
    _rule(r"(1[0-2]|[1-9]) ?([AaPp])(?:\.[Mm]\.|[Mm]\b)", _hour, needs="mM"),
    _rule(r"\d+(?:\.\d+)?(?: ?: ?\d+(?:\.\d+)?)+", _ratio, needs=":"),
    _rule(
        rf"({_MONEY}) ?(?:({_NUM}){_TO}(?:{_MONEY})?)?({_NUM})(?: ?({_SCALE}){_END})?"
        rf"(?: ?({_ZH_SCALE}))?(?: ?(?:元|块|美元|欧元|英镑))?(?:/({_alternatives(PER_EN)}){_END})?",
        _money,
        needs="$€£¥₩₹CKRURNDPJGE",
    ),
    _rule(rf"({_NUM}) ?[%‰]?{_TO}({_NUM}) ?([%‰])", _percent, needs="%‰"),
    _rule(rf"({_NUM})() ?([%‰])", _percent, needs="%‰"),
    _rule(rf"({_NUM})(?: ?({_SCALE}))? ?({_CODES}){_END}", _money_code, needs="DYBRPWN"),
    _rule(r"((?:1\d|20)\d0|[1-9]0)'?s(?![A-Za-z0-9])", _decade, needs="s"),
    _rule(r"(\d+)(?:st|nd|rd|th)(?![A-Za-z0-9])", _ordinal, needs="hdt"),
    _rule(rf"({_NUM})[xX](?![A-Za-z0-9])", _times, needs="xX"),
    _rule(r"\d+(?:[xX]\d+)+(?![A-Za-z0-9])", _product, needs="xX"),
    _rule(rf"({_NUM})(?:℃|°C)?{_TO[:-2]} ?-({_NUM}) ?({_UNIT}){_END}", _negative_range, needs="-"),
    _rule(rf"({_NUM}) ?({_UNIT})?{_TO}({_NUM}) ?({_UNIT}){_END}", _quantities, needs="-~—"),
    _rule(rf"({_NUM}) ?({_UNIT}){_END}(?:/({_alternatives(PER_EN)}){_END})?", _quantity),
    _rule(rf"({_NUM})-([A-Za-z]{{3,}}(?:-[A-Za-z]+)*)(?![A-Za-z0-9_])", _compound, needs="-"),
    _rule(rf"{_MONTH}/{_DAY}(?![\d/.])", _month_day, needs="/"),
    _rule(r"(\d+) (\d+)/(\d+)(?![\d/.])", _mixed, needs="/"),
    _rule(r"(\d+)/(\d+)(?![\d/.])", _fraction, needs="/"),
    _rule(r"(\d{1,3})[.)、](?= |\n)", _list_number, needs=".)、"),
    _rule(r"((?:1\d|20)\d\d)(?= ?年)", _zh_year, needs="年"),
    _rule(r"((?:1[1-9]|20)\d\d)(?![\d,.]?\d|[A-Za-z%])", _en_year),
    _rule(r"(?:3[01]|[12]\d|[1-9])(?![\d:%/]|[.,]\d)", _en_day),
    _rule(r"\d{3,}(?!\d|[.,]\d)", _short_phone),
    _rule(r"\d+(?!\d|[.,]\d)", _identifier),
    _rule(rf"({_NUM}){_TO}({_NUM})(?![\d/:])(?=( ?.?))", _to_number, needs="-~—"),
    _rule(rf"({_NUM})(?=( ?.?))", _number),
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
