"""How each kind of quantity is read: a function of the match, the tongue and the text before; "" declines."""

import re
from typing import Final

from protocol.speech_text.chinese import CHINESE
from protocol.speech_text.tongues import Tongue
from protocol.speech_text.units import CENTS, CURRENCIES, MEASURES, PER_EN, PER_ZH, SCALES, UNITS

_PHONE_WORDS: Final = re.compile(r"(?:拨打?|电话|热线|致电|呼叫|客服|报警|打|call|dial|phone)\W{0,3}\Z", re.IGNORECASE)
_SHORT_PHONES: Final = re.compile(r"1(?:10|12|14|17|19|20|22)|9[569]\d{3}|1\d{4}|12\d{3}")
_ID_WORDS: Final = re.compile(
    r"(?:编号|号码|密码|验证码|邮编|学号|工号|单号|卡号|尾号|账号|房间号?|航班|车次|取件码|口令|QQ号?|code|PIN|ID|zip|No|flight|room|password)"
    r"[是为号]?\W{0,3}(?:is )?\Z",
    re.IGNORECASE,
)
_RATIO_WORDS: Final = re.compile(
    r"(?:比例|比分|比率|比为|以|score\w*|ratio\w*|won|lost|beat\w*)\W{0,2}(?:[是为约]|of|is|by)?\W{0,2}\Z",
    re.IGNORECASE,
)
_MONTH_NAME: Final = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
)
_YEAR_WORDS: Final = re.compile(
    rf"\b(?:in|since|during|year|early|late|mid|circa|spring|summer|autumn|fall|winter|{_MONTH_NAME})[ ,]{{1,2}}\Z",
    re.IGNORECASE,
)
_BETWEEN_YEARS: Final = re.compile(r"\bbetween (?:\d{4} and )?\Z", re.IGNORECASE)
_PERHAPS_YEAR_WORDS: Final = re.compile(r"\b(?:of|to|from|by|before|after|until|till|around) \Z", re.IGNORECASE)
_AFTER_MONTH: Final = re.compile(rf"\b{_MONTH_NAME}\.? \Z")
_AFTER_DAY: Final = re.compile(rf"\b{_MONTH_NAME}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \Z")
_NEAR_CHARS: Final = 20
_EXTENSION_WORDS: Final = re.compile(r"(?:转|分机号?|ext\.?|extension) ?\Z", re.IGNORECASE)
_LIST_LINE: Final = re.compile(r"(?:^|\n)\s*\Z")


def _plain(number: str) -> str:
    return number.replace(",", "")


def _next_two(m: re.Match[str]) -> str:
    """Return up to two characters after the match, never from beyond the region."""
    return m.string[m.end() : min(m.end() + 2, m.endpos)]


def date(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.date(m[1], m[3], m[4]) + (" " if tongue.index and m[0][-1] == "T" else "")


def year_month(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.date(m[1], m[2], "")


def month_day(m: re.Match[str], tongue: Tongue, before: str) -> str:
    """Take a/b for a date when b cannot be the bottom of an everyday fraction."""
    dated = re.search(r"(?:日期|截至|截止|于|在|on|by|until|due|since)\W?$", before)
    is_date = int(m[2]) > 12 and m[2] != "16" or bool(dated)
    return tongue.date("", m[1], m[2]) if is_date else ""


def years(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.year(m[1]) + tongue.to + tongue.year(m[2])


def phone(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.phone([group for group in m.groups() if group])


def digit_groups(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.phone(m[0].split("-"))


def short_phone(m: re.Match[str], tongue: Tongue, before: str) -> str:
    if not _PHONE_WORDS.search(before[-_NEAR_CHARS:]):
        return ""
    return tongue.phone([m[0]]) if _SHORT_PHONES.fullmatch(m[0]) or len(m[0]) >= 7 else ""


def extension(m: re.Match[str], tongue: Tongue, before: str) -> str:
    return tongue.phone([m[0]]) if _EXTENSION_WORDS.search(before[-_NEAR_CHARS:]) else ""


def room(m: re.Match[str], _: Tongue, __: str) -> str:
    return CHINESE.digits(m[1])


def memorial(m: re.Match[str], tongue: Tongue, _: str) -> str:
    """5·12 and 9·11 are days that everyone knows by their digits."""
    return tongue.digits(m[1] + m[2])


def address(m: re.Match[str], tongue: Tongue, _: str) -> str:
    port = f"{tongue.pause}{tongue.digits(m[2])}" if m[2] else ""
    return tongue.dotted(m[1].split("."), by_digit=True) + port


def version(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.dotted(m[0].split("."), by_digit=False)


def difference(m: re.Match[str], tongue: Tongue, _: str) -> str:
    space = " " if tongue.index else ""
    return f"{tongue.number(_plain(m[1]))}{space}{('减', 'minus')[tongue.index]}{space}{tongue.number(_plain(m[2]))}"


def division(m: re.Match[str], tongue: Tongue, _: str) -> str:
    word = ("除以", " divided by ")[tongue.index]
    return tongue.number(_plain(m[1])) + word + tongue.number(_plain(m[2]))


def clock(m: re.Match[str], tongue: Tongue, before: str) -> str:
    if _RATIO_WORDS.search(before[-_NEAR_CHARS:]) and not m[3] and not m[4]:
        return ""
    return tongue.clock(m[1], m[2], m[3] or "", half=(m[4] or "").lower())


def hour(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.clock(m[1], "00", "", half=m[2].lower())


def ratio(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.ratio([part.strip() for part in m[0].split(":")])


def percent(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.percent(_plain(m[1]), _plain(m[2] or ""), of=100 if m[3] == "%" else 1000)


def money(m: re.Match[str], tongue: Tongue, _: str) -> str:
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


def money_code(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.money(_plain(m[1]), CURRENCIES[m[3]], power=SCALES.get(m[2] or "", 0), cent="")


def quantity(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.quantity(_plain(m[1]), UNITS[m[2]]) + _per(m[3] or "", tongue)


def quantities(m: re.Match[str], tongue: Tongue, before: str) -> str:
    """10~20℃ and 10℃~20℃ name the unit once; after a minus each keeps its own."""
    if before.endswith("-") and m[2]:
        return ""
    low = "两" if m[1] == "2" and not tongue.index else tongue.number(_plain(m[1]))
    return low + tongue.to + tongue.quantity(_plain(m[3]), UNITS[m[4]])


def negative_range(m: re.Match[str], tongue: Tongue, _: str) -> str:
    """-5~-2℃ after its first minus: the second number carries its own."""
    unit = UNITS[m[3]]
    is_temperature = m[3] in ("℃", "°C")
    first = tongue.quantity(_plain(m[1]), unit) if is_temperature else tongue.number(_plain(m[1]))
    return first + tongue.to + tongue.negative(tongue.quantity(_plain(m[2]), unit), is_temperature=is_temperature)


def decade(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.decade(m[1])


def ordinal(m: re.Match[str], tongue: Tongue, _: str) -> str:
    return tongue.ordinal(m[1])


def fraction(m: re.Match[str], tongue: Tongue, _: str) -> str:
    if m[0] == "24/7":
        return ("全天候", "twenty-four seven")[tongue.index]
    return tongue.fraction(m[1], m[2]) if int(m[2]) else ""


def mixed(m: re.Match[str], tongue: Tongue, _: str) -> str:
    """2 1/2 → two and one half, 二又二分之一."""
    joint = " and " if tongue.index else "又"
    return tongue.number(m[1]) + joint + tongue.fraction(m[2], m[3])


def times(m: re.Match[str], tongue: Tongue, before: str) -> str:
    """3x is 三倍, but 三x in a formula."""
    after = _next_two(m).lstrip()
    if before.rstrip()[-1:] in tuple("=+-*/(^") or after[:1] in tuple("=+-*/^"):
        return f"{tongue.number(_plain(m[1]))} {m[0][-1]}"
    return tongue.times(_plain(m[1]))


def product(m: re.Match[str], tongue: Tongue, _: str) -> str:
    word = ("乘", " by ")[tongue.index]
    return word.join(tongue.number(part) for part in re.split(r"[xX]", m[0]))


def list_number(m: re.Match[str], tongue: Tongue, before: str) -> str:
    return tongue.number(m[1]) + tongue.pause if _LIST_LINE.search(before[-_NEAR_CHARS:]) else ""


def zh_year(m: re.Match[str], _: Tongue, __: str) -> str:
    return CHINESE.digits(m[1])


def en_year(m: re.Match[str], tongue: Tongue, before: str) -> str:
    near = before[-_NEAR_CHARS:]
    counts_something = re.match(r" [a-z]", _next_two(m))
    is_certain = _YEAR_WORDS.search(near) or _AFTER_DAY.search(near)
    is_certain = is_certain or _BETWEEN_YEARS.search(before[-_NEAR_CHARS:])
    is_year = is_certain or (_PERHAPS_YEAR_WORDS.search(near) and not counts_something)
    return tongue.year(m[1]) if tongue.index and is_year else ""


def en_day(m: re.Match[str], tongue: Tongue, before: str) -> str:
    return tongue.ordinal(m[0]) if tongue.index and _AFTER_MONTH.search(before[-_NEAR_CHARS:]) else ""


def compound(m: re.Match[str], tongue: Tongue, _: str) -> str:
    """3-day → three-day."""
    return tongue.number(_plain(m[1])) + ("-" if tongue.index else " ") + m[2]


def identifier(m: re.Match[str], tongue: Tongue, before: str) -> str:
    """Say digit by digit what is no amount: leading zeros, nine digits or more, codes and numbers of rooms or cards."""
    digits = m[0]
    is_round = digits.endswith("0000") and len(digits) <= 13
    is_code = before[-1:].isdigit() or len(digits) >= 3 and bool(_ID_WORDS.search(before[-_NEAR_CHARS:]))
    if (len(digits) > 1 and digits[0] == "0") or (len(digits) >= 9 and not is_round) or is_code:
        return tongue.digits(digits)
    return ""


def number(m: re.Match[str], tongue: Tongue, before: str) -> str:
    return _counted(_plain(m[1]), m[2].strip(), tongue, before)


def _counted(number: str, after: str, tongue: Tongue, before: str) -> str:
    """Read a number before the thing it counts: 2 is 两 before 个, but not in 第2个."""
    is_pair = number == "2" and after in MEASURES and not tongue.index and not before.endswith("第")
    return "两" if is_pair else tongue.number(number)


def to_number(m: re.Match[str], tongue: Tongue, before: str) -> str:
    after = m[3].strip()
    return _counted(_plain(m[1]), after, tongue, before) + tongue.to + _counted(_plain(m[2]), after, tongue, before)
